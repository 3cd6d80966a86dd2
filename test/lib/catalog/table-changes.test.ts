import { beforeEach, describe, expect, test } from "vitest";
import { openArchiveTables } from "#lib/archive/archive-tables.ts";
import type { Change } from "#lib/archive/change.ts";
import { isRefusal, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { ANY_ROW } from "#lib/catalog/row-predicate.ts";
import { TableChanges } from "#lib/catalog/table-changes.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "../../helpers/memory-world.ts";

const SHARDS = 2;
const DATABASE = { name: "events", shardCount: SHARDS };
const KEY = "db/1/t1/2026-01-01/0.1.1-aa.parquet";

/** What the archive was told. */
let archived: Change[];
let store: MemorySqlStore;
let clock: ManualClock;
let lake: MemoryLake;
let catalog: CatalogCore;
let changes: TableChanges;
/** What each shard was told last, as `table=name`. */
let told: string[][];
/** What happens when a shard is told something: a crash, or somebody else's request. */
let onTell: (shard: number) => Promise<void>;

function start(): void {
  catalog = new CatalogCore({ store, clock, lake });
  changes = new TableChanges({
    store,
    clock,
    archive: { note: (change) => void archived.push(change) },
    async nameTable(shard, { tableId, newName }) {
      await onTell(shard);
      told[shard]!.push(`${tableId}=${newName}`);
    },
    bufferedRows: async (shard) => [
      { segmentId: `${shard}.1.1`, rowCount: 3 },
      { segmentId: `${shard}.1.2`, rowCount: 4 },
    ],
  });
}

beforeEach(async () => {
  archived = [];
  store = new MemorySqlStore();
  clock = new ManualClock();
  lake = new MemoryLake(clock);
  told = Array.from({ length: SHARDS }, () => []);
  onTell = async () => {};
  start();
  extend("cpu");
  await lake.putIfAbsent(KEY, new Uint8Array(8), "aa");
  catalog.commit(1, { segmentId: "0.1.1", files: [file()] });
});

function extend(measurement: string): number | string {
  const schema = catalog.extendSchema(1, measurement, []);
  return isRefusal(schema) ? schema.refused : schema.tableId;
}

function file(): DataFile {
  return {
    key: KEY,
    tableId: 1,
    day: "2026-01-01",
    rowCount: 10,
    byteLength: 1000,
    footerByteLength: 100,
    timeMinMs: 100,
    timeMaxMs: 200,
    sha256: "aa",
    columns: [],
  };
}

function tableIdOf(measurement: string): number | null {
  const wanted = { measurement, time: { minMs: null, maxMs: null }, where: ANY_ROW };
  const snapshot = catalog.snapshot({ tables: [wanted], tailSegmentIds: [] });
  return snapshot.tables[0]?.schema.tableId ?? null;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isSluiceError(error)) return error.code;
    throw error;
  }
  return "none";
}

const crash = new SluiceError("buffer_unavailable", "planted");

describe("a drop", () => {
  test("takes files and un-flushed rows, counted once, and leaves the name free", async () => {
    const gone = { fileCount: 1, byteLength: 1000, rowCount: 10 + 4 + 3 + 4 };
    expect(await changes.weigh("cpu", SHARDS)).toEqual(gone);
    expect(told).toEqual([[], []]);
    expect(await changes.drop("cpu", DATABASE)).toEqual(gone);
    expect(told).toEqual([["1=null"], ["1=null"]]);
    expect([tableIdOf("cpu"), catalog.listTables()]).toEqual([null, []]);
    expect(extend("cpu")).toBe(2);
    expect(await codeOf(changes.drop("mem", DATABASE))).toBe("measurement_unknown");
    expect(await codeOf(changes.weigh("mem", SHARDS))).toBe("measurement_unknown");
  });

  test("leaves the objects to those who read an older version, for a while", async () => {
    await changes.drop("cpu", DATABASE);
    await catalog.collectGarbage();
    expect([...lake.objects.keys()]).toEqual([KEY]);
    clock.advance(LIMITS.replacedGraceMs + 1);
    await catalog.collectGarbage();
    expect([...lake.objects.keys()]).toEqual([]);
  });

  test("keeps what a writer commits afterwards out of the catalog", async () => {
    await changes.drop("cpu", DATABASE);
    catalog.commit(1, { segmentId: "1.1.1", files: [{ ...file(), key: "late" }] });
    expect(catalog.listTables()).toEqual([]);
  });

  test("is visible to writers from its beginning and to readers at its end", async () => {
    const seen: unknown[] = [];
    onTell = async () => void seen.push([extend("cpu"), tableIdOf("cpu"), catalog.listTables()]);
    await changes.drop("cpu", DATABASE);
    expect(seen).toEqual(Array.from({ length: SHARDS }, () => ["measurement_changing", 1, []]));
  });

  test.each(["the same request", "the alarm"])(
    "that stops at any shard is brought to its end by %s",
    async (by) => {
      for (let shard = 0; shard < SHARDS; shard++) {
        const measurement = `m${shard}`;
        const tableId = extend(measurement);
        onTell = async (at) => {
          if (at === shard) throw crash;
        };
        expect(await codeOf(changes.drop(measurement, DATABASE))).toBe("buffer_unavailable");
        start();
        expect(extend(measurement)).toBe("measurement_changing");
        expect(tableIdOf(measurement)).toBe(tableId);
        onTell = async () => {};
        await (by === "the alarm" ? changes.finishAll() : changes.drop(measurement, DATABASE));
        expect(told.map((names) => names.at(-1))).toEqual([`${tableId}=null`, `${tableId}=null`]);
        expect(tableIdOf(measurement)).toBeNull();
        expect(await changes.finishAll()).toBe(0);
      }
    },
  );

  test("that two ask for at once is done once", async () => {
    const both = [changes.drop("cpu", DATABASE), changes.drop("cpu", DATABASE)];
    await Promise.all(both);
    expect(tableIdOf("cpu")).toBeNull();
    expect(catalog.version).toBe(2);
  });

  test("that begins while the alarm finishes others is finished by it, too", async () => {
    extend("mem");
    const away = () => Promise.reject(new SluiceError("buffer_unavailable", "away"));
    onTell = away;
    expect(await codeOf(changes.drop("cpu", DATABASE))).toBe("buffer_unavailable");
    onTell = async (shard) => {
      if (shard !== SHARDS - 1) return;
      onTell = away;
      expect(await codeOf(changes.drop("mem", DATABASE))).toBe("buffer_unavailable");
      onTell = async () => {};
    };
    expect(await changes.finishAll()).toBe(2);
    expect([tableIdOf("cpu"), tableIdOf("mem")]).toEqual([null, null]);
  });

  test("that ends late does not touch the table that came after it", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onTell = async () => promise;
    const late = changes.drop("cpu", DATABASE);
    onTell = async () => {};
    await changes.finishAll();
    expect(extend("cpu")).toBe(2);
    resolve();
    await late;
    expect(tableIdOf("cpu")).toBe(2);
  });
});

describe("a rename", () => {
  test("takes the table along with its files, and leaves the old name free", async () => {
    await changes.rename("cpu", "load", DATABASE);
    expect(told).toEqual([["1=load"], ["1=load"]]);
    expect([tableIdOf("cpu"), tableIdOf("load")]).toEqual([null, 1]);
    expect(catalog.listTables()).toMatchObject([{ measurement: "load", rowCount: 10 }]);
    expect(extend("cpu")).toBe(2);
  });

  test("may be taken back", async () => {
    await changes.rename("cpu", "load", DATABASE);
    await changes.rename("load", "cpu", DATABASE);
    expect([tableIdOf("cpu"), tableIdOf("load")]).toEqual([1, null]);
  });

  test("refuses names that are taken, unknown, or in the middle of another change", async () => {
    extend("mem");
    expect(await codeOf(changes.rename("cpu", "mem", DATABASE))).toBe("measurement_exists");
    expect(await codeOf(changes.rename("cpu", "cpu", DATABASE))).toBe("measurement_exists");
    expect(await codeOf(changes.rename("disk", "d", DATABASE))).toBe("measurement_unknown");
    const codes: string[] = [];
    onTell = async (shard) => {
      if (shard > 0) return;
      onTell = async () => {};
      codes.push(await codeOf(changes.rename("mem", "load", DATABASE)));
      codes.push(await codeOf(changes.rename("cpu", "other", DATABASE)));
      codes.push(await codeOf(changes.drop("cpu", DATABASE)));
      codes.push(String(extend("load")), String(extend("cpu")));
    };
    await changes.rename("cpu", "load", DATABASE);
    expect(codes).toEqual(codes.map(() => "measurement_changing"));
    expect(codes).toHaveLength(5);
  });

  test("that stops half-way goes on to the end", async () => {
    onTell = async (shard) => {
      if (shard === 1) throw crash;
    };
    expect(await codeOf(changes.rename("cpu", "load", DATABASE))).toBe("buffer_unavailable");
    start();
    onTell = async () => {};
    expect(await changes.finishAll()).toBe(1);
    expect([tableIdOf("cpu"), tableIdOf("load")]).toEqual([null, 1]);
  });
});

describe("the archive", () => {
  test("is told of a rename and a drop once, with what there was", async () => {
    await changes.rename("cpu", "load", DATABASE);
    await changes.drop("load", DATABASE);
    expect(archived).toMatchObject([
      { group: "measurements", name: "load", action: "update", oldName: "cpu", database: "events" },
      { name: "load", action: "delete", artifact: { name: "load", file_count: 1, row_count: 10 } },
    ]);
  });

  test("is told by whoever brings a change to its end, also after a crash", async () => {
    onTell = async () => {
      throw crash;
    };
    expect(await codeOf(changes.drop("cpu", DATABASE))).toBe("buffer_unavailable");
    expect(archived).toEqual([]);
    onTell = async () => {};
    start();
    await Promise.all([changes.finishAll(), changes.drop("cpu", DATABASE)]);
    expect(archived).toMatchObject([{ name: "cpu", action: "delete", database: "events" }]);
  });
});

describe("an erased catalog", () => {
  test("keeps what the archive has not heard yet", () => {
    const { first, insert } = openArchiveTables(store);
    insert({ id: "a", type: "archive", tags: ["a"], valueJson: "1" }, clock.nowMs());
    catalog.erase();
    expect(first()?.id).toBe("a");
  });

  test("remembers that it is one, and nothing else", () => {
    catalog.erase();
    for (const isRestarted of [false, true]) {
      if (isRestarted) start();
      expect(extend("cpu")).toBe("database_unknown");
      expect(catalog.listTables()).toEqual([]);
      expect(catalog.schemas([1])).toEqual([null]);
      const commit = catalog.commit(1, { segmentId: "0.1.1", files: [] });
      expect(commit).toMatchObject({ refused: "database_unknown" });
      const snapshot = () => catalog.snapshot({ tables: [], tailSegmentIds: [] });
      expect(snapshot).toThrow("the database was dropped");
    }
    catalog.erase();
  });
});
