// A rollup equals the same SELECT over the raw rows after every run, whoever crashed, came late or
// changed the files meanwhile.

import { beforeEach, describe, expect, test, vi } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import {
  DAY,
  type Fault,
  HOUR,
  OF_DESTINATION,
  OF_SOURCE,
  RollupWorld,
} from "../../helpers/rollup-world.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

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

describe("a run", () => {
  test("whose files were compacted under it computes the chunk again", async () => {
    await world.write([MONDAY, MONDAY + 30 * 60_000]);
    const rollup = world.create({});
    await world.settle();
    await world.write([MONDAY + 1]);
    await world.upkeep.onAlarm();
    world.queries.clock.advance(HOUR);
    await world.upkeep.onAlarm();
    let commits = 0;
    const fault: Fault = async (_, name, work) => {
      // The same rows under another id, as compaction leaves them.
      if (name === "commit" && commits++ === 0) {
        const sql = "UPDATE file SET file_id = file_id + 1000 WHERE table_id = ?";
        world.database.store.exec(sql, rollup.destinationTableId);
      }
      return work();
    };
    expect(await world.run(world.active()[0]!.jobId, fault)).toBe("done");
    expect(commits).toBe(2);
    await expectEqual();
  });

  test("in the middle of which rows come leaves their slots to the next one", async () => {
    await world.write([MONDAY, MONDAY + DAY]);
    const rollup = world.create({});
    await world.upkeep.onAlarm();
    const fault: Fault = async (_, name, work) => {
      if (name === "commit") await world.write([MONDAY + 1, MONDAY + DAY + 1, MONDAY + 2 * DAY]);
      return work();
    };
    expect(await world.run(world.active()[0]!.jobId, fault)).toBe("done");
    await world.settle();
    await expectEqual();
    expect(world.runs(rollup)).toHaveLength(2);
  });

  test("in the middle of which retention drops rows leaves their slots as they were", async () => {
    await world.write([MONDAY, MONDAY + 1]);
    const rollup = world.create({});
    await world.settle();
    const kept = await world.rows(OF_DESTINATION);
    await world.write([MONDAY + 2, MONDAY + DAY]);
    await world.upkeep.onAlarm();
    world.queries.clock.advance(HOUR);
    await world.upkeep.onAlarm();
    const { catalog, store } = world.database;
    const [oldest] = catalog.liveFiles(rollup.sourceTableId);
    let isDropped = false;
    const fault: Fault = async (_, name, work) => {
      if (name === "query" && !isDropped) {
        isDropped = true;
        vi.spyOn(world.upkeep.retention, "retainedFromMs").mockReturnValue(MONDAY + HOUR);
        store.transact(() =>
          catalog.replaceFiles({ removes: [oldest!.fileId], adds: [], changed: [] }),
        );
      }
      return work();
    };
    expect(await world.run(world.active()[0]!.jobId, fault)).toBe("done");
    expect((await world.rows(OF_DESTINATION)).slice(0, 2)).toEqual(kept);
    expect(world.runs(rollup)[0]!.result).toMatchObject({ slots: 1, slots_skipped: 1 });
  });

  test("is the only one of its rollup, however many are asked for", async () => {
    await world.write([MONDAY, MONDAY + HOUR]);
    const { rollupId } = world.create({});
    const span = { timeMinMs: MONDAY, timeMaxMs: MONDAY + HOUR };
    const jobs = [1, 2].map(() => world.upkeep.rollups.compute(rollupId, span));
    const others: unknown[] = [];
    const fault: Fault = async (_, name, work) => {
      if (name === "commit") others.push(await world.run(jobs[1]!.jobId));
      return work();
    };
    expect(await world.run(jobs[0]!.jobId, fault)).toBe("done");
    expect(others).toEqual([null]);
    expect(await world.run(jobs[0]!.jobId)).toBeNull();
    await world.settle();
    await expectEqual();
  });

  test("takes fewer slots at once when those of a day are too much for the engine", async () => {
    await world.write(Array.from({ length: 24 }, (_, hour) => MONDAY + hour * HOUR));
    const asked: number[] = [];
    const { arrow } = world;
    vi.spyOn(world, "arrow").mockImplementation((sql) => {
      const [from, to] = [...sql.matchAll(/'(2026[^']*)'/g)].map(([, time]) => Date.parse(time!));
      if (!sql.includes("GROUP BY ALL")) return arrow.call(world, sql);
      asked.push((to! - from!) / HOUR);
      if (asked.at(-1)! > 7) throw new SluiceError("query_out_of_memory", "too much");
      return arrow.call(world, sql);
    });
    world.create({});
    await world.settle();
    expect(asked).toEqual([24, 12, 6, 6, 6, 6]);
    await expectEqual();
  });

  test("whose query reads another database has failed at once", async () => {
    await world.write([MONDAY]);
    const rollup = world.create({});
    const denied = new SluiceError("permission_denied", "not yours");
    vi.spyOn(world, "arrow").mockRejectedValue(denied);
    await world.upkeep.onAlarm();
    await world.run(world.active()[0]!.jobId);
    const [run] = world.runs(rollup);
    expect(run).toMatchObject({ state: "failed", errorCode: "permission_denied" });
  });

  test("counts what an earlier start of the same job has committed", async () => {
    await world.write([MONDAY, MONDAY + DAY, MONDAY + 2 * DAY]);
    const rollup = world.create({});
    await world.upkeep.onAlarm();
    const [job] = world.active();
    let commits = 0;
    const fault: Fault = async (_, name, work) => {
      if (commits === 2) throw new Error("crash");
      if (name === "commit") commits++;
      return work();
    };
    await expect(world.run(job!.jobId, fault)).rejects.toThrow("crash");
    await world.settle();
    expect(world.runs(rollup)).toMatchObject([
      { attempt: 2, result: { slots: 3, rows_read: 3, rows_written: 3 } },
    ]);
  });
});

describe("out of order for seven days", () => {
  const SEED = Number(process.env["FC_SEED"] ?? 1);

  /** A runner that dies at a call, before its work or after. */
  function crashAt(at: number, when: "before" | "after"): Fault {
    let isDead = false;
    return async (call, _, work) => {
      if (isDead || (call === at && when === "before")) {
        isDead = true;
        throw new Error("crash");
      }
      const result = await work();
      isDead = call === at;
      if (isDead) throw new Error("crash");
      return result;
    };
  }

  test(`equals the raw rows after every run, with crashes (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    await world.write([MONDAY]);
    world.create({});
    let crashes = 0;
    for (let round = 0; round < 40; round++) {
      const nowMs = MONDAY + (round * 7 * DAY) / 40;
      const times = Array.from({ length: 1 + Math.floor(random() * 30) }, () =>
        Math.floor(nowMs - random() ** 3 * (nowMs - MONDAY + DAY)),
      );
      await world.write(
        times,
        times.map(() => Math.floor(random() * 1_000)),
      );
      world.queries.clock.advance(LIMITS.jobLeaseMs + HOUR);
      await world.upkeep.onAlarm();
      const [job] = world.active();
      const fault = crashAt(1 + Math.floor(random() * 30), random() < 0.5 ? "before" : "after");
      await world.run(job!.jobId, fault).catch(() => crashes++);
      if (random() < 0.3) world.reopen();
      await world.settle();
      await expectEqual();
    }
    expect(crashes).toBeGreaterThan(10);
  });

  test("a runner that was taken for dead changes nothing, wherever it stopped", async () => {
    const rounds = 12;
    await world.write([MONDAY, MONDAY + HOUR]);
    world.create({});
    await world.settle();
    for (let at = 1; at <= rounds; at++) {
      await world.write([MONDAY + at, MONDAY + HOUR + at, MONDAY + at * DAY]);
      world.queries.clock.advance(HOUR);
      await world.upkeep.onAlarm();
      const [job] = world.active();
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      const slow: Fault = async (call, _, work) => {
        if (call === at) {
          stop();
          await gate;
        }
        return work();
      };
      const first = world.run(job!.jobId, slow);
      await Promise.race([stopped, first]);
      await world.settle();
      await world.write([MONDAY + 100 + at]);
      await world.settle();
      open();
      expect(["lost", "done"]).toContain(await first);
      await expectEqual();
    }
  });
});
