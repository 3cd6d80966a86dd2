import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { ANY_ROW } from "#lib/catalog/row-predicate.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { KIND, type ScannedColumn, type ValueKind } from "#lib/columnar/kinds.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "../../helpers/memory-world.ts";

let clock: ManualClock;
let lake: MemoryLake;
let store: MemorySqlStore;
let catalog: CatalogCore;

beforeEach(() => {
  clock = new ManualClock();
  lake = new MemoryLake(clock);
  store = new MemorySqlStore();
  catalog = new CatalogCore({ store, clock, lake });
});

const column = (name: string, kind: ValueKind, row = 0): ScannedColumn => ({
  name,
  nullCount: 0,
  kinds: KIND[kind],
  firstRows: { [kind]: row },
});

function extend(measurement: string, ...columns: ScannedColumn[]): TableSchema {
  const answer = catalog.extendSchema(1, measurement, columns);
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

function file(overrides: Partial<DataFile> = {}): DataFile {
  return {
    key: "db/1/t1/2026-01-01/0.1.1-aa.parquet",
    tableId: 1,
    day: "2026-01-01",
    rowCount: 10,
    byteLength: 1_000,
    footerByteLength: 100,
    timeMinMs: 100,
    timeMaxMs: 200,
    sha256: "aa",
    columns: [],
    ...overrides,
  };
}

const everything = { minMs: null, maxMs: null };
const snapshot = (
  tailSegmentIds: string[] = [],
  time = everything as { minMs: number | null; maxMs: number | null },
) => catalog.snapshot({ tables: [{ measurement: "cpu", time, where: ANY_ROW }], tailSegmentIds });

describe("extendSchemas", () => {
  test("takes all measurements of a request, or none of them, and names the one at fault", () => {
    extend("cpu", column("v", "int"));
    const batches = [
      { measurement: "mem", columns: [column("free", "int")] },
      { measurement: "cpu", columns: [column("v", "text", 3)] },
    ];
    expect(catalog.extendSchemas(1, batches)).toMatchObject({
      refused: "column_type_conflict",
      detail: { measurement: "cpu", column: "v", row: 3 },
    });
    expect(catalog.listTables().map(({ measurement }) => measurement)).toEqual(["cpu"]);
    batches[1] = { measurement: "cpu", columns: [column("v", "int")] };
    expect(catalog.extendSchemas(1, batches)).toMatchObject([
      { measurement: "mem" },
      { measurement: "cpu" },
    ]);
  });
});

describe("extendSchema", () => {
  test("makes the table with the first batch and adds columns with later ones", () => {
    const first = extend("cpu", column("time", "int"), column("v", "int"));
    expect(first.columns.map(({ name, type }) => [name, type])).toEqual([
      ["time", "timestamp"],
      ["v", "int64"],
    ]);
    const second = extend("cpu", column("time", "int"), column("host", "text"));
    expect(second.tableId).toBe(first.tableId);
    expect(second.schemaVersion).toBeGreaterThan(first.schemaVersion);
    expect(second.columns.map(({ name }) => name)).toEqual(["time", "v", "host"]);
  });

  test("widens in place and survives a restart", () => {
    extend("cpu", column("v", "int"), column("host", "text"));
    extend("cpu", column("v", "float"));
    catalog = new CatalogCore({ store, clock, lake });
    const { columns, schemaVersion } = extend("cpu", column("v", "int"));
    expect(columns.find(({ name }) => name === "v")?.type).toBe("float64");
    expect(extend("cpu", column("v", "float")).schemaVersion).toBe(schemaVersion);
  });

  test("changes nothing at all when one column conflicts", () => {
    extend("cpu", column("v", "int"));
    const answer = catalog.extendSchema(1, "cpu", [column("new", "int"), column("v", "text", 3)]);
    expect(answer).toMatchObject({
      refused: "column_type_conflict",
      detail: { column: "v", row: 3 },
    });
    expect(extend("cpu", column("v", "int")).columns.map(({ name }) => name)).not.toContain("new");
    expect(catalog.extendSchema(1, "mem", [column("a", "int"), column("A", "int")])).toMatchObject({
      refused: "column_name_invalid",
    });
    expect(catalog.listTables().map(({ measurement }) => measurement)).toEqual(["cpu"]);
  });
});

describe("commit", () => {
  test("shows all files of a segment at once, and a repeat changes nothing", () => {
    extend("cpu", column("v", "int"));
    const request = { segmentId: "0.1.1", files: [file(), file({ key: "k2", timeMinMs: 50 })] };
    expect(catalog.commit(1, request)).toEqual({ version: 1, isRepeat: false });
    expect(catalog.commit(1, { ...request, files: [] })).toEqual({ version: 1, isRepeat: true });
    const { version, tables } = snapshot();
    expect(version).toBe(1);
    expect(tables[0]?.files.map(({ key }) => key)).toEqual(["k2", file().key]);
    const { tableId: _tableId, day: _day, ...listed } = file();
    expect(tables[0]?.files[1]).toEqual(listed);
  });

  test("leaves nothing behind when one file cannot be added", () => {
    extend("cpu", column("v", "int"));
    const twice = { segmentId: "0.1.1", files: [file(), file()] };
    expect(() => catalog.commit(1, twice)).toThrow("UNIQUE");
    expect(snapshot()).toMatchObject({ version: 0, tables: [{ files: [] }] });
  });

  test("tells a reader which of its tail's segments the snapshot holds", () => {
    extend("cpu", column("v", "int"));
    catalog.commit(1, { segmentId: "0.1.1", files: [file()] });
    expect(snapshot(["0.1.1", "0.1.2"]).committedSegmentIds).toEqual(["0.1.1"]);
  });
});

describe("snapshot", () => {
  test("leaves out files outside the time range, ends included, and counts them", () => {
    extend("cpu", column("v", "int"));
    catalog.commit(1, { segmentId: "0.1.1", files: [file()] });
    const keys = (minMs: number | null, maxMs: number | null) =>
      snapshot([], { minMs, maxMs }).tables[0]!.files.length;
    expect([keys(200, null), keys(201, null), keys(null, 100), keys(null, 99)]).toEqual([
      1, 0, 1, 0,
    ]);
    expect(snapshot([], { minMs: 201, maxMs: null }).tables[0]?.fileCount).toBe(1);
  });

  test("has null for a measurement that does not exist", () => {
    expect(snapshot().tables).toEqual([null]);
  });
});

describe("collectGarbage", () => {
  test("removes old objects that no commit names, and nothing else", async () => {
    extend("cpu", column("v", "int"));
    const put = (key: string) => lake.putIfAbsent(key, new Uint8Array(1), "x");
    for (const n of [1, 2, 3, 4, 5]) await put(`db/1/t1/orphan${n}`);
    await put(file().key);
    await put("db/2/t1/of-another-database");
    catalog.commit(1, { segmentId: "0.1.1", files: [file()] });
    clock.advance(LIMITS.orphanGraceMs);
    await put("db/1/t1/young");
    expect(await catalog.collectGarbage()).toEqual({ orphanCount: 0, replacedCount: 0 });
    clock.advance(1);
    expect(await catalog.collectGarbage()).toEqual({ orphanCount: 5, replacedCount: 0 });
    expect([...lake.objects.keys()].toSorted()).toEqual([
      file().key,
      "db/1/t1/young",
      "db/2/t1/of-another-database",
    ]);
  });

  test("keeps a slow writer from committing what was removed under it", async () => {
    extend("cpu", column("v", "int"));
    await lake.putIfAbsent(file().key, new Uint8Array(1), "aa");
    clock.advance(LIMITS.orphanGraceMs + 1);
    await catalog.collectGarbage();
    const answer = catalog.commit(1, { segmentId: "0.1.1", files: [file()] });
    expect(answer).toMatchObject({ refused: "object_tombstoned" });
    expect(
      catalog.commit(1, { segmentId: "0.1.1", files: [file({ key: "other" })] }),
    ).toMatchObject({
      isRepeat: false,
    });
  });
});
