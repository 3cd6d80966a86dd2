import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { Jobs } from "#lib/upkeep/jobs.ts";
import type { JobHint } from "#lib/upkeep/types.ts";
import { ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { refusalOf } from "../../helpers/refusal.ts";

let clock: ManualClock;
let hints: JobHint[];
let jobs: Jobs;

const SPEC = { kind: "compaction", tableId: 1, day: "2026-01-01" } as const;

beforeEach(() => {
  clock = new ManualClock();
  hints = [];
  const sendJobHint = async (hint: JobHint) => void hints.push(hint);
  jobs = new Jobs({ store: new MemorySqlStore(), clock, sendJobHint });
});

describe("a job", () => {
  test("is hinted, started once, kept alive by its runner, and ends", async () => {
    const { jobId } = jobs.create(SPEC, [7, 8]);
    await jobs.sendHints(1);
    expect(hints).toEqual([{ databaseId: 1, jobId, kind: "compaction" }]);
    const started = jobs.start(jobId)!;
    expect(started).toMatchObject({ state: "running", attempt: 1 });
    expect(jobs.start(jobId)).toBeNull();
    for (let i = 0; i < 10; i++) {
      clock.advance(LIMITS.jobLeaseMs - 1);
      jobs.noteProgress(started, { rows: i });
    }
    await jobs.sendHints(1);
    expect(hints).toHaveLength(1);
    jobs.finish(started, { rows: 10 });
    expect(jobs.find(jobId)).toMatchObject({ state: "done", result: { rows: 10 } });
    expect(jobs.nextMs()).toBeNull();
  });

  test("whose runner is silent goes to the next one, and the first is sent away", async () => {
    const { jobId } = jobs.create(SPEC);
    const first = jobs.start(jobId)!;
    clock.advance(LIMITS.jobLeaseMs + 1);
    await jobs.sendHints(1);
    const second = jobs.start(jobId)!;
    expect(second.attempt).toBe(2);
    const step = { fileId: 1, rowsRemoved: 0, adds: [] };
    expect(refusalOf(() => jobs.noteProgress(first, {})).code).toBe("job_lost");
    expect(refusalOf(() => jobs.noteStep(first, step)).code).toBe("job_lost");
    expect(refusalOf(() => jobs.finish(first, {})).code).toBe("job_lost");
    expect(refusalOf(() => jobs.fail(first, "bug", "x", false)).code).toBe("job_lost");
    jobs.finish(second, {});
    expect(refusalOf(() => jobs.finish(second, {})).code).toBe("job_lost");
  });

  test("that fails is tried again after longer and longer waits, and then no more", async () => {
    const { jobId } = jobs.create(SPEC, [7]);
    for (let n = 1; n < LIMITS.jobAttemptsMax; n++) {
      jobs.fail(jobs.start(jobId)!, "store_unavailable", `failure ${n}`, false);
      expect(jobs.find(jobId)).toMatchObject({ state: "queued", failureCount: n });
      const waitMs = LIMITS.jobRetryMs * 2 ** (n - 1);
      expect(jobs.nextMs()).toBe(clock.nowMs() + waitMs);
      clock.advance(waitMs);
    }
    expect(jobs.claimedFileIds()).toEqual(new Set([7]));
    jobs.fail(jobs.start(jobId)!, "store_unavailable", "the last one", false);
    expect(jobs.find(jobId)).toMatchObject({ state: "failed", errorMessage: "the last one" });
    expect(jobs.claimedFileIds()).toEqual(new Set([7]));
    clock.advance(LIMITS.jobFailedRestMs + 1);
    expect(jobs.claimedFileIds()).toEqual(new Set());
  });

  test("that ends its runners without a word has failed some day", async () => {
    const { jobId } = jobs.create(SPEC, [7]);
    for (let n = 0; n < LIMITS.jobStartsMax; n++) {
      expect(jobs.start(jobId)).toMatchObject({ attempt: n + 1 });
      clock.advance(LIMITS.jobLeaseMs + 1);
      await jobs.sendHints(1);
    }
    expect(jobs.find(jobId)).toMatchObject({ state: "failed", errorCode: "job_lost" });
    expect(jobs.start(jobId)).toBeNull();
    expect(jobs.nextMs()).toBeNull();
  });

  test("that is cancelled does nothing more, whoever runs it", () => {
    const { jobId } = jobs.create(SPEC);
    const started = jobs.start(jobId)!;
    expect(jobs.cancel(jobId).state).toBe("cancelled");
    expect(refusalOf(() => jobs.noteProgress(started, {})).code).toBe("job_cancelled");
    expect(refusalOf(() => jobs.finish(started, {})).code).toBe("job_cancelled");
    expect(jobs.start(jobId)).toBeNull();
  });

  test("keeps what an attempt has finished for the next attempt", async () => {
    const { jobId } = jobs.create({ ...SPEC, kind: "compaction" });
    const step = { fileId: 3, rowsRemoved: 5, adds: [] };
    jobs.noteStep(jobs.start(jobId)!, step);
    clock.advance(LIMITS.jobLeaseMs + 1);
    await jobs.sendHints(1);
    const second = jobs.start(jobId)!;
    expect(jobs.steps(jobId)).toEqual([step]);
    jobs.finish(second, {});
    expect(jobs.steps(jobId)).toEqual([]);
  });
});

describe("jobs", () => {
  test("run only so many at once, the oldest first", async () => {
    for (let n = 0; n < LIMITS.jobsRunningMax + 2; n++) jobs.create(SPEC);
    await jobs.sendHints(1);
    const hinted = hints.map(({ jobId }) => jobId);
    expect(hinted).toEqual(Array.from({ length: LIMITS.jobsRunningMax }, (_, n) => n + 1));
    for (const jobId of hinted) expect(jobs.start(jobId)).not.toBeNull();
    expect(jobs.start(LIMITS.jobsRunningMax + 1)).toBeNull();
    jobs.finish({ jobId: 1, attempt: 1 }, {});
    expect(jobs.start(LIMITS.jobsRunningMax + 1)).not.toBeNull();
  });

  test("that wait for a place are called as soon as one is free", async () => {
    for (let n = 0; n < LIMITS.jobsRunningMax + 1; n++) jobs.create(SPEC);
    await jobs.sendHints(1);
    for (const { jobId } of hints.splice(0)) jobs.start(jobId);
    expect(jobs.nextMs()).toBe(clock.nowMs() + LIMITS.jobHintIntervalMs);
    jobs.giveWay({ jobId: 1, attempt: 1 });
    expect(jobs.nextMs()).toBe(clock.nowMs());
    await jobs.sendHints(1);
    expect(hints.map(({ jobId }) => jobId)).toEqual([LIMITS.jobsRunningMax + 1]);
  });

  test("that are called and cannot start do not keep the others from being called", async () => {
    const rollup = { kind: "rollup", tableId: 1, rollupId: 1, range: null } as const;
    const all = [SPEC, rollup].flatMap((spec) =>
      Array.from({ length: 5 }, () => jobs.create(spec)),
    );
    for (let round = 0; round < 6; round++) {
      await jobs.sendHints(1);
      clock.advance(LIMITS.jobHintIntervalMs);
    }
    const called = new Set(hints.map(({ jobId }) => jobId));
    expect(called).toEqual(new Set(all.map(({ jobId }) => jobId)));
  });

  test("that merge do not stand before others, of which somebody may wait for the end", async () => {
    for (let n = 0; n < 100; n++) jobs.create(SPEC);
    const rollup = { kind: "rollup", tableId: 1, rollupId: 1, range: null } as const;
    const { jobId } = jobs.create(rollup);
    await jobs.sendHints(1);
    expect(hints[0]).toMatchObject({ jobId });
  });

  test("that have failed wait their time, whoever ends", () => {
    const { jobId } = jobs.create(SPEC);
    const other = jobs.create(SPEC);
    jobs.fail(jobs.start(jobId)!, "store_unavailable", "once", false);
    jobs.finish(jobs.start(other.jobId)!, {});
    expect(jobs.nextMs()).toBe(clock.nowMs() + LIMITS.jobRetryMs);
  });

  test("are remembered only so many, and active ones for ever", async () => {
    const old = jobs.create(SPEC, [1]);
    for (let n = 0; n < LIMITS.jobsKept + 5; n++) {
      const { jobId } = jobs.create(SPEC, [n]);
      jobs.finish(jobs.start(jobId)!, {});
    }
    await jobs.sendHints(1);
    expect(jobs.list(null, 10_000)).toHaveLength(LIMITS.jobsKept + 1);
    expect(jobs.find(old.jobId).state).toBe("queued");
    expect(refusalOf(() => jobs.find(old.jobId + 1)).code).toBe("job_unknown");
    clock.advance(1);
    jobs.finish(jobs.start(old.jobId)!, {});
    expect(jobs.find(old.jobId).state, "however old it is").toBe("done");
  });

  test("of a table that has few are not forgotten for one that has many", async () => {
    const few = { ...SPEC, tableId: 2 };
    for (const spec of [few, few, ...Array.from({ length: LIMITS.jobsKept }, () => SPEC)]) {
      const { jobId } = jobs.create(spec);
      jobs.finish(jobs.start(jobId)!, {});
    }
    expect(jobs.listOfTable("compaction", 2, 10).map(({ jobId }) => jobId)).toEqual([2]);
    expect(jobs.listOfTable("compaction", 1, 10_000)).toHaveLength(LIMITS.jobsKept);
  });

  test("that have ended without a failure say nothing of their files any more", () => {
    const done = jobs.create(SPEC, [1, 2]);
    const failed = jobs.create(SPEC, [3]);
    jobs.finish(jobs.start(done.jobId)!, {});
    jobs.fail(jobs.start(failed.jobId)!, "file_corrupt", "x", true);
    expect(jobs.fileIds(done.jobId)).toEqual([]);
    expect(jobs.fileIds(failed.jobId)).toEqual([3]);
  });
});
