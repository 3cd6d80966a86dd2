import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { Job } from "#lib/upkeep/types.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { NativeTables } from "../../helpers/native-answers.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { type Columns, QueryWorld } from "../../helpers/query-world.ts";
import { anyPredicate, anyTimeMs } from "../../helpers/random-predicate.ts";
import { UpkeepWorld } from "../../helpers/upkeep-world.ts";

const engineOwner = new QueryWorld("default");
let native: NativeTables;

beforeAll(async () => {
  await engineOwner.open(engineModules());
  native = await NativeTables.open();
});
afterAll(() => native.close());

function openWorld() {
  const world = new QueryWorld("default");
  world.openLike(engineOwner);
  return { world, database: world.get(), upkeep: new UpkeepWorld(world) };
}

async function idsOf(world: QueryWorld): Promise<number[]> {
  const { data, error } = await world.query("SELECT id FROM m ORDER BY id");
  if (error !== undefined) throw new Error(String(error));
  return data.map(([id]) => id as number);
}

function row(id: number, timeMs: number, more: Record<string, unknown> = {}): Columns {
  const cells = Object.entries({ time: timeMs, id, ...more });
  return Object.fromEntries(cells.map(([name, value]) => [name, [value]]));
}

const T0 = Date.UTC(2026, 0, 10);
const DAY_MS = 86_400_000;

/** Ten days of one row each, in files of their own: ids 0 to 9. */
async function tenDays() {
  const opened = openWorld();
  for (let id = 0; id < 10; id++) {
    opened.database.append("m", row(id, T0 + id * DAY_MS));
    await opened.database.flush();
  }
  return opened;
}

describe("a delete", () => {
  test("removes the rows for which the condition is true, and tells how many", async () => {
    const { world, upkeep } = await tenDays();
    const { jobId } = await upkeep.createDelete("m", "id % 3 = 0");
    const { state, result } = await upkeep.attempt(jobId);
    expect({ state, result }).toEqual({
      state: "done",
      result: { rows: 4, files_affected: 4, files_written: 0 },
    });
    expect(await idsOf(world)).toEqual([1, 2, 4, 5, 7, 8]);
  });

  test("asks no file that cannot have such rows, by time or by statistics", async () => {
    const { world, upkeep } = await tenDays();
    const job = await upkeep.createDelete("m", "time < TIMESTAMP '2026-01-11 12:00' AND id >= 1");
    await upkeep.attempt(job.jobId);
    expect([await idsOf(world), upkeep.matches]).toEqual([[0, 2, 3, 4, 5, 6, 7, 8, 9], 1]);
  });

  test("changes nothing in a dry run, which counts", async () => {
    const { world, database, upkeep } = await tenDays();
    const { version } = database.catalog;
    const { jobId } = await upkeep.createDelete("m", "id > 4", { isDryRun: true });
    expect((await upkeep.attempt(jobId)).result).toEqual({
      rows: 5,
      files_affected: 5,
      files_written: 0,
    });
    expect([(await idsOf(world)).length, database.catalog.version]).toEqual([10, version]);
  });

  test("of more rows than may go unconfirmed says how many, and does nothing", async () => {
    const { world, database, upkeep } = openWorld();
    const many = LIMITS.deleteUnconfirmedRowsMax + 1;
    const ids = Array.from({ length: many }, (_, id) => id);
    database.append("m", { time: ids.map((id) => T0 + id), id: ids });
    await database.flush();
    const all = await upkeep.createDelete("m", "true", { isConfirmed: false });
    const failed = await upkeep.attempt(all.jobId);
    expect(failed).toMatchObject({ state: "failed", errorCode: "delete_unconfirmed" });
    expect(failed.errorMessage).toContain(`${many} rows`);
    expect((await idsOf(world)).length).toBe(many);
    const most = await upkeep.createDelete("m", "id > 0", { isConfirmed: false });
    expect((await upkeep.attempt(most.jobId)).state).toBe("done");
    expect(await idsOf(world)).toEqual([0]);
  });

  test("tells who watches which times have changed", async () => {
    const { database, upkeep } = await tenDays();
    const { tableId } = database.catalog.findSchema("m")!;
    database.store.exec("INSERT INTO watch VALUES (7, ?)", tableId);
    await upkeep.attempt((await upkeep.createDelete("m", "id IN (3, 4)")).jobId);
    const sql = "SELECT time_min_ms AS ms FROM changed_range ORDER BY ms";
    expect(database.store.exec(sql)).toEqual([{ ms: T0 + 3 * DAY_MS }, { ms: T0 + 4 * DAY_MS }]);
  });

  test("means by now() the moment at which it was asked for", async () => {
    const { world, database, upkeep } = openWorld();
    const nowMs = world.clock.nowMs();
    database.append("m", { time: [nowMs - 1_000, nowMs + 1_000], id: [1, 2] });
    await database.flush();
    const { jobId } = await upkeep.createDelete("m", "time < now() AND time < current_timestamp");
    world.clock.advance(3_600_000);
    await upkeep.attempt(jobId);
    expect(await idsOf(world)).toEqual([2]);
  });
});

describe("the condition", () => {
  test.each([
    ["", "sql_invalid"],
    ["id = 1; DROP TABLE m", "sql_invalid"],
    ["id = 1 FROM m", "sql_invalid"],
    ["id = 1), (true", "sql_invalid"],
    ["id = (SELECT 1)", "sql_not_allowed"],
    ["id IN (SELECT id FROM m)", "sql_not_allowed"],
    ["EXISTS (FROM m)", "sql_not_allowed"],
    ["random() < 0.5", "sql_not_allowed"],
    ["uuid() = 'x'", "sql_not_allowed"],
    ["age(time) > INTERVAL 1 DAY", "sql_not_allowed"],
    ["read_text('/etc/passwd') = ''", "sql_not_allowed"],
    ["current_time > TIME '00:00'", "sql_not_allowed"],
    ["file_row_number = 1", "sql_invalid"],
    ["nothing = 1", "sql_invalid"],
    ["count(*) > 1", "sql_invalid"],
    ["id = $1", "sql_not_allowed"],
    ["time = 'yesterday'", "sql_invalid"],
  ])("%s is refused before anything happens", async (where, code) => {
    const { upkeep, database } = openWorld();
    database.append("m", row(1, T0));
    await database.flush();
    const found = await upkeep.createDelete("m", where).then(
      () => "nothing",
      (error: { code: string }) => error.code,
    );
    expect([where, found]).toEqual([where, code]);
    expect(upkeep.upkeep.jobs.list(null, 10)).toEqual([]);
  });

  test("that fails for a row ends the job, which says why", async () => {
    const { world, database, upkeep } = openWorld();
    database.append("m", { ...row(1, T0), s: ["no number"] });
    await database.flush();
    const { jobId } = await upkeep.createDelete("m", "CAST(s AS INTEGER) = 1");
    expect(await upkeep.attempt(jobId)).toMatchObject({
      state: "failed",
      errorCode: "query_failed",
    });
    expect(await idsOf(world)).toEqual([1]);
  });
});

describe("a delete that is disturbed", () => {
  test("goes on after a crash where it was", async () => {
    const { world, upkeep } = await tenDays();
    const { jobId } = await upkeep.createDelete("m", "id < 8");
    upkeep.beforeMatch = () => {
      if (upkeep.matches === 5) throw new Error("crash");
    };
    await upkeep.attempt(jobId);
    expect((await idsOf(world)).length).toBe(10);
    upkeep.beforeMatch = () => {};
    world.clock.advance(LIMITS.jobRetryMs);
    expect((await upkeep.attempt(jobId)).state).toBe("done");
    expect([await idsOf(world), upkeep.matches]).toEqual([[8, 9], 8]);
  });

  test("looks again through files that took the place of others", async () => {
    const { world, database, upkeep } = openWorld();
    for (let id = 0; id < 4; id++) {
      database.append("m", { ...row(id, T0 + id) });
      await database.flush();
    }
    const { tableId } = database.catalog.findSchema("m")!;
    const { jobId } = await upkeep.createDelete("m", "id IN (0, 2)");
    upkeep.beforeMatch = async () => {
      upkeep.beforeMatch = () => {};
      await mergeAll(world, tableId);
    };
    expect(await upkeep.attempt(jobId)).toMatchObject({ state: "done", result: { rows: 2 } });
    expect(await idsOf(world)).toEqual([1, 3]);
    expect(database.catalog.liveFiles(tableId)).toHaveLength(1);
  });

  test("does nothing any more once it is cancelled", async () => {
    const { world, upkeep } = await tenDays();
    const { jobId } = await upkeep.createDelete("m", "true");
    upkeep.beforeMatch = () => void upkeep.upkeep.jobs.cancel(jobId);
    expect((await upkeep.attempt(jobId)).state).toBe("cancelled");
    expect((await idsOf(world)).length).toBe(10);
  });

  test("gives way when its measurement is dropped", async () => {
    const { database, upkeep } = await tenDays();
    const { jobId } = await upkeep.createDelete("m", "true");
    upkeep.beforeMatch = () => {
      database.store.exec("DELETE FROM file");
      database.store.exec("DELETE FROM measurement");
    };
    expect((await upkeep.attempt(jobId)).state).toBe("gave_way");
  });
});

/** What compaction does, without its plan. */
async function mergeAll(world: QueryWorld, tableId: number): Promise<void> {
  const { mergeFiles } = await import("#lib/rewrite/merge-files.ts");
  const { catalog, store } = world.get();
  const files = catalog.liveFiles(tableId);
  const adds = await mergeFiles(
    {
      inputs: files.map((file) => ({ file, filter: null })),
      schema: catalog.schemas([tableId])[0]!,
      jobId: "merge",
      keyOf: (day, fileNumber) => `merged/${day}/${catalog.version}.${fileNumber}`,
    },
    { lake: world.lake, fetchRange: world.ports.fetchRange },
  );
  const removes = files.map(({ fileId }) => fileId);
  store.transact(() => catalog.replaceFiles({ removes, adds, changed: [] }));
}

const TYPES = {
  id: "BIGINT",
  time: "TIMESTAMP",
  v: "BIGINT",
  w: "DOUBLE",
  x: "DOUBLE",
  s: "VARCHAR",
  b: "BOOLEAN",
  late: "DOUBLE",
};
const anyText = fc.constantFrom(null, "", "a", "ab", "b", "NaN", "ä", "a%");
const anyFloat = fc.constantFrom(null, 0, -0, 1.5, -1.5, NaN, Infinity, -Infinity);
const anyRow = fc.record({
  time: anyTimeMs,
  v: fc.option(fc.integer({ min: 0, max: 4 })),
  w: fc.option(fc.integer({ min: 0, max: 4 })),
  x: anyFloat,
  s: anyText,
  b: fc.option(fc.boolean()),
});
const anyOther = fc.oneof(
  fc.constantFrom("x", "w", "late").chain((name) => {
    const values = ["0", "1.5", "2", "'NaN'::DOUBLE", "'Infinity'::DOUBLE", "NULL"];
    return fc
      .tuple(fc.constantFrom("=", "<", ">", "<=", ">=", "<>"), fc.constantFrom(...values))
      .map(([by, value]) => `${name} ${by} ${value}`);
  }),
  fc.constantFrom(
    "s = 'a'",
    "s LIKE 'a%'",
    "s IN ('b', 'ä', NULL)",
    "s IS NULL",
    "s > 'a' OR x IS NULL",
    "b",
    "NOT b",
    "b IS NOT TRUE",
    "late IS NULL",
    "isnan(x)",
    "coalesce(late, v) = 2",
    "v + w > 4",
    "length(s) = v",
    "CASE WHEN v > 2 THEN b ELSE s = 'a' END",
  ),
);
const anyCondition = fc
  .tuple(anyPredicate(["time", "m.time"]), fc.constantFrom("AND", "OR", ""), anyOther)
  .map(([one, by, other]) => (by === "" ? other : `(${one}) ${by} (${other})`));

test(
  "a delete leaves what native DuckDB's DELETE leaves, and dry runs count what goes",
  { timeout: PROPERTY_TIMEOUT_MS },
  async () => {
    let run = 0;
    const batches = fc.array(fc.array(anyRow, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    const conditions = fc.array(anyCondition, { minLength: 1, maxLength: 3 });
    const merges = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
    const property = fc.asyncProperty(batches, conditions, merges, async (rows, asked, merged) => {
      const table = `m${run++}`;
      const { world, database, upkeep } = openWorld();
      let id = 0;
      for (const [at, batch] of rows.entries()) {
        const columns = columnsOf(batch, at, () => id++);
        database.append("m", columns);
        await native.append(table, TYPES, forNative(columns));
        // A tail that is not flushed is what the front door flushes first.
        await database.flush();
      }
      const { tableId } = database.catalog.findSchema("m")!;
      for (const [at, where] of asked.entries()) {
        const here = inNative(where).replaceAll("m.time", `${table}.time`);
        const wanted = (await native.query(`SELECT id FROM ${table} WHERE ${here}`)).length;
        const dry = await upkeep.createDelete("m", fit(where, rows.length), { isDryRun: true });
        expect(resultOf(await upkeep.attempt(dry.jobId))).toBe(wanted);
        const { jobId } = await upkeep.createDelete("m", fit(where, rows.length));
        expect(resultOf(await upkeep.attempt(jobId))).toBe(wanted);
        await native.query(`DELETE FROM ${table} WHERE ${here}`);
        const left = await native.query(`SELECT id FROM ${table} ORDER BY id`);
        expect(await idsOf(world)).toEqual(left.map(([one]) => Number(one)));
        if (merged[at] === true) await mergeAll(world, tableId);
      }
    });
    await fc.assert(property, propertyRuns(60));
  },
);

function resultOf({ state, result, errorMessage }: Job): unknown {
  return state === "done" ? result!["rows"] : `${state}: ${errorMessage}`;
}

/** Today's DuckDB overlooks an offset in the text of a TIMESTAMP: see docs/differences.md. */
function inNative(where: string): string {
  return where.replaceAll(/(?<!TIMESTAMPTZ )'([-0-9: .]+)\+02:00'/g, (_, text: string) => {
    const ms = Date.parse(`${text.replace(" ", "T")}Z`) - 2 * 3_600_000;
    return `'${new Date(ms).toISOString().replace("T", " ").replace("Z", "")}'`;
  });
}

/** Before the second batch there is no column `late`. */
function fit(where: string, batchCount: number): string {
  return batchCount > 1 ? where : where.replaceAll("late", "(NULL::DOUBLE)");
}

/** `w` begins as int64 and becomes float64; `late` comes with the second batch. */
function columnsOf(rows: readonly Record<string, unknown>[], at: number, nextId: () => number) {
  const columns: Columns = { id: rows.map(nextId) };
  for (const name of ["time", "v", "w", "x", "s", "b"])
    columns[name] = rows.map((one) => one[name]);
  if (at > 0) {
    columns["late"] = rows.map(({ v }) => v ?? null);
    columns["w"] = rows.map(({ w }) => (w === null ? null : (w as number) + 0.5));
  }
  return columns;
}

function forNative(columns: Columns): Columns {
  const asText = (value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return { ...columns, x: columns["x"]!.map(asText) };
}
