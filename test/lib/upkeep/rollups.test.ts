// What a rollup computes, from what, and whose the rows are that it makes.

import { beforeEach, describe, expect, test, vi } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { refusalOf } from "../../helpers/refusal.ts";
import {
  DAY,
  type Fault,
  FIELDS,
  HOUR,
  OF_DESTINATION,
  OF_SOURCE,
  RollupWorld,
} from "../../helpers/rollup-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 120_000 });

const MONDAY = Date.UTC(2026, 0, 5);
let world: RollupWorld;
let first: RollupWorld | null = null;
beforeEach(async () => {
  world = new RollupWorld();
  await world.open(first);
  first ??= world;
});

async function expectEqual(): Promise<void> {
  expect(await world.rows(OF_DESTINATION)).toEqual(await world.rows(OF_SOURCE));
}

describe("a rollup", () => {
  test("holds what there was before it, what comes, and what comes late", async () => {
    await world.write([MONDAY, MONDAY + 1, MONDAY + 3 * HOUR]);
    const rollup = world.create({});
    await world.settle();
    await expectEqual();
    await world.write([MONDAY + 2, MONDAY + 9 * DAY, MONDAY + 3 * HOUR + 1, MONDAY - DAY]);
    await world.settle();
    await expectEqual();
    expect(world.runs(rollup).map(({ state, result }) => [state, result])).toEqual([
      ["done", { slots: 6, slots_skipped: 0, rows_read: 7, rows_written: 5 }],
      ["done", { slots: 4, slots_skipped: 0, rows_read: 3, rows_written: 3 }],
    ]);
  });

  test("makes no job when nothing has changed", async () => {
    await world.write([MONDAY]);
    const rollup = world.create({});
    await world.settle();
    await world.settle();
    expect(world.runs(rollup)).toHaveLength(1);
  });

  test("takes rows that wait in a buffer, and again when they are files", async () => {
    await world.write([MONDAY]);
    world.create({});
    world.database.append("cpu", { time: [MONDAY + 5], host: ["b"], v: [7] });
    await world.settle();
    const wanted = await world.rows(OF_SOURCE);
    expect(await world.rows(OF_DESTINATION)).toEqual(wanted);
    await world.database.flush();
    await world.settle();
    expect(await world.rows(OF_DESTINATION)).toEqual(wanted);
  });

  test("loses the rows of which the source has none any more", async () => {
    await world.write([MONDAY, MONDAY + HOUR]);
    world.create({});
    await world.settle();
    const { catalog, store } = world.database;
    const { tableId } = catalog.findSchema("cpu")!;
    const [file] = catalog.liveFiles(tableId);
    store.transact(() =>
      catalog.replaceFiles({
        removes: [file!.fileId],
        adds: [],
        changed: [{ tableId, timeMinMs: file!.timeMinMs, timeMaxMs: file!.timeMaxMs }],
      }),
    );
    await world.settle();
    expect(await world.rows(OF_DESTINATION)).toEqual([]);
  });

  test("keeps what it made of rows that retention has dropped since", async () => {
    await world.write([MONDAY, MONDAY + 10 * DAY]);
    const rollup = world.create({});
    await world.settle();
    const kept = await world.rows(OF_DESTINATION);
    vi.spyOn(world.upkeep.retention, "retainedFromMs").mockReturnValue(MONDAY + HOUR / 2);
    await world.write([MONDAY + 1, MONDAY + HOUR]);
    await world.settle();
    expect((await world.rows(OF_DESTINATION)).slice(0, 1)).toEqual(kept.slice(0, 1));
    expect(world.runs(rollup)[0]!.result).toMatchObject({ slots: 1, slots_skipped: 1 });
    expect(await world.rows("SELECT sum(n) FROM cpu_1h")).toEqual([[3]]);
  });

  test("whose source is dropped keeps its rows and says why it fails", async () => {
    await world.write([MONDAY]);
    const rollup = world.create({});
    await world.settle();
    await world.write([MONDAY + 1]);
    world.database.store.exec("UPDATE measurement SET name = 'cpu_old' WHERE name = 'cpu'");
    await world.settle().catch(() => {});
    expect(world.runs(rollup)[0]).toMatchObject({
      state: "failed",
      errorCode: "measurement_unknown",
    });
    expect(await world.rows("SELECT n FROM cpu_1h")).toEqual([[1]]);
  });
});

describe("chains of rollups", () => {
  /** Each is looked after once per bucket: the last one once a day. */
  async function settleChain(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await world.settle();
      world.queries.clock.advance(DAY);
    }
    await world.settle();
  }

  test("go from the minute over the hour to the day, late rows too", async () => {
    const step = (width: string, from: string, to: string, ms: number, count: string) => ({
      name: to,
      source: from,
      destination: to,
      intervalMs: ms,
      query: `SELECT time_bucket(INTERVAL '${width}', time) AS time, ${count} AS n FROM ${from}
        WHERE time >= {start_time} AND time < {end_time} GROUP BY ALL`,
    });
    await world.write([MONDAY, MONDAY + 1, MONDAY + 90_000, MONDAY + HOUR]);
    world.create(step("1 minute", "cpu", "by_minute", 60_000, "count(*)"));
    world.create(step("1 hour", "by_minute", "by_hour", HOUR, "sum(n)"));
    world.create(step("1 day", "by_hour", "by_day", DAY, "sum(n)"));
    await settleChain();
    expect(await world.rows("SELECT n FROM by_minute ORDER BY time")).toEqual([[2], [1], [1]]);
    expect(await world.rows("SELECT n FROM by_hour ORDER BY time")).toEqual([[3], [1]]);
    expect(await world.rows("SELECT n FROM by_day")).toEqual([[4]]);
    await world.write([MONDAY + 2, MONDAY - 1]);
    await settleChain();
    expect(await world.rows("SELECT n FROM by_day ORDER BY time")).toEqual([[1], [5]]);
  });
});

describe("a computed stretch of time", () => {
  test("is the same rows again, whether or not something has changed", async () => {
    await world.write([MONDAY, MONDAY + HOUR, MONDAY + 2 * HOUR]);
    const rollup = world.create({ isActive: false });
    await world.settle();
    expect(world.database.catalog.liveFiles(rollup.destinationTableId)).toEqual([]);
    const span = { timeMinMs: MONDAY + HOUR, timeMaxMs: MONDAY + 2 * HOUR - 1 };
    world.upkeep.rollups.compute(rollup.rollupId, span);
    await world.settle();
    expect(await world.rows("SELECT time FROM cpu_1h")).toEqual([["2026-01-05T01:00:00Z"]]);
    world.upkeep.rollups.compute(rollup.rollupId, { timeMinMs: MONDAY, timeMaxMs: MONDAY + DAY });
    await world.settle();
    await expectEqual();
    expect(refusalOf(() => world.upkeep.rollups.compute(rollup.rollupId, null)).code).toBe(
      "rollup_inactive",
    );
  });
});

test("a stretch of ten thousand years is the windows in which there are rows", async () => {
  await world.write([MONDAY, MONDAY + 9 * DAY]);
  const rollup = world.create({ isActive: false });
  const ever = { timeMinMs: Date.UTC(1, 0, 1), timeMaxMs: Date.UTC(9999, 0, 1) };
  world.upkeep.rollups.compute(rollup.rollupId, ever);
  await world.settle();
  await expectEqual();
  const [run] = world.runs(rollup);
  expect(run).toMatchObject({ state: "done", result: { slots: 2, rows_written: 2 } });
});

describe("a changed rollup", () => {
  test("is computed again as a whole, and what was under way is not committed", async () => {
    await world.write([MONDAY, MONDAY + 1]);
    const rollup = world.create({});
    await world.upkeep.onAlarm();
    const [job] = world.active();
    const query = FIELDS.query.replace("count(*)", "1000 + count(*)");
    const fault: Fault = async (_, name, work) => {
      if (name === "commit") world.upkeep.rollups.update(rollup.rollupId, { ...FIELDS, query });
      return work();
    };
    expect(await world.run(job!.jobId, fault)).toBe("lost");
    await world.settle();
    expect(await world.rows("SELECT n FROM cpu_1h ORDER BY host")).toEqual([[1001], [1001]]);
    world.upkeep.rollups.update(rollup.rollupId, { ...FIELDS, isActive: false });
    await world.write([MONDAY + 2]);
    await world.settle();
    expect(await world.rows("SELECT sum(n) FROM cpu_1h")).toEqual([[2002]]);
    world.upkeep.rollups.update(rollup.rollupId, FIELDS);
    await world.settle();
    await expectEqual();
  });

  test("loses the rows whose source was deleted while nobody watched", async () => {
    await world.write([MONDAY]);
    await world.write([MONDAY + DAY]);
    const { rollupId, sourceTableId } = world.create({});
    await world.settle();
    world.upkeep.rollups.update(rollupId, { ...FIELDS, isActive: false });
    const { catalog, store } = world.database;
    const { fileId } = catalog.liveFiles(sourceTableId)[0]!;
    store.transact(() => catalog.replaceFiles({ removes: [fileId], adds: [], changed: [] }));
    world.upkeep.rollups.update(rollupId, FIELDS);
    await world.settle();
    await expectEqual();
    expect(await world.rows("SELECT sum(n) FROM cpu_1h")).toEqual([[1]]);
  });

  test("that is removed leaves its rows, and the name to clients", async () => {
    await world.write([MONDAY]);
    const rollup = world.create({});
    await world.settle();
    const columns = [{ name: "v", nullCount: 0, kinds: 1, firstRows: { int: 0 } }];
    const denied = world.database.catalog.extendSchema(1, "cpu_1h", columns);
    expect(isRefusal(denied) && denied.refused).toBe("measurement_is_derived");
    world.upkeep.rollups.remove(rollup.rollupId);
    await world.write([MONDAY + 1]);
    await world.settle();
    expect(await world.rows("SELECT n FROM cpu_1h")).toEqual([[1]]);
    const again = world.create({});
    await world.settle();
    await expectEqual();
    world.upkeep.rollups.remove(again.rollupId);
    expect(isRefusal(world.database.catalog.extendSchema(1, "cpu_1h", columns))).toBe(false);
    expect(refusalOf(() => world.create({})).code).toBe("measurement_exists");
  });
});

describe("refused is", () => {
  test.each([
    ["a source that is not there", { source: "nothing" }, "measurement_unknown"],
    ["a destination with rows of others", { destination: "mem" }, "measurement_exists"],
    ["a destination that another one has", { destination: "cpu_1h" }, "measurement_exists"],
    [
      "a destination that is its own source",
      { source: "cpu", destination: "cpu" },
      "parameter_invalid",
    ],
    ["a name that is taken", { name: FIELDS.name }, "rollup_exists"],
  ])("%s", async (_, fields, code) => {
    world.database.append("mem", { time: [MONDAY], v: [1] });
    await world.write([MONDAY]);
    world.create({});
    const refused = refusalOf(() =>
      world.create({ name: "other", destination: "cpu_other", ...fields }),
    );
    expect(refused.code).toBe(code);
    expect(world.upkeep.rollups.list()).toHaveLength(1);
    expect(world.database.catalog.findSchema("cpu_other")).toBeNull();
  });

  test("a circle", async () => {
    await world.write([MONDAY]);
    const one = world.create({});
    world.create({ name: "two", source: "cpu_1h", destination: "cpu_2h" });
    const circle = { ...FIELDS, source: "cpu_2h" };
    const refused = refusalOf(() => world.upkeep.rollups.update(one.rollupId, circle));
    expect(refused).toMatchObject({ code: "parameter_invalid" });
  });

  test.each([
    ["a row outside of what was asked for", "time_bucket(INTERVAL '1 day', time)"],
    ["a row without a time", "CASE WHEN false THEN time END"],
    ["a time that is none", "1"],
  ])("%s", async (_, time) => {
    await world.write([MONDAY + 5 * HOUR]);
    const query = `SELECT ${time} AS time, count(*) AS n FROM cpu
      WHERE time >= '{start_time}' AND time < '{end_time}' GROUP BY ALL`;
    const rollup = world.create({ query });
    await world.upkeep.onAlarm();
    await world.run(world.active()[0]!.jobId);
    expect(world.runs(rollup)[0]).toMatchObject({
      state: "failed",
      errorCode: "rollup_result_invalid",
    });
    expect(world.database.catalog.liveFiles(rollup.destinationTableId)).toEqual([]);
  });
});
