// Two merges, a delete and a retention run over the same files at once, while somebody reads: who
// comes late gives way or looks again, and every row that is to stay is there once, all the time.

import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { QueryWorld } from "../../helpers/query-world.ts";
import { UpkeepWorld } from "../../helpers/upkeep-world.ts";

const engineOwner = new QueryWorld("default");
const FILES = 6;
const ROWS_PER_FILE = 8;
const DAY_MS = 86_400_000;

beforeAll(() => engineOwner.open(engineModules()));

interface Delays {
  /** Milliseconds before each of them begins, and before each file of the delete. */
  readonly merges: readonly number[];
  readonly retention: number;
  readonly remove: number;
  readonly match: readonly number[];
}

const anyDelay = fc.integer({ min: 0, max: 12 });
const anyDelays: fc.Arbitrary<Delays> = fc.record({
  merges: fc.tuple(anyDelay, anyDelay),
  retention: anyDelay,
  remove: anyDelay,
  match: fc.array(anyDelay, { minLength: FILES, maxLength: FILES }),
});

test(
  "jobs over the same files leave each row once or not at all, as their readers see",
  { timeout: PROPERTY_TIMEOUT_MS },
  async () => {
    const property = fc.asyncProperty(anyDelays, fc.boolean(), runRound);
    await fc.assert(property, propertyRuns(25));
  },
);

async function runRound(delays: Delays, rewrites: boolean): Promise<void> {
  const world = new QueryWorld("default");
  world.openLike(engineOwner);
  const database = world.get();
  const runner = await fill(world);
  const { upkeep } = runner;
  const all = Array.from({ length: FILES * ROWS_PER_FILE }, (_, id) => id);
  const { tableId } = database.catalog.findSchema("m")!;
  const fileIds = database.catalog.liveFiles(tableId).map(({ fileId }) => fileId);

  let isOver = false;
  const reading = (async () => {
    const seen: number[][] = [];
    while (!isOver) seen.push(await idsOf(world));
    return seen;
  })();
  const merge = async (ids: readonly number[], delayMs: number) => {
    await sleep(delayMs);
    const { jobId } = upkeep.jobs.create({ kind: "compaction", tableId, day: "2026-01-01" }, ids);
    return (await runner.settle(jobId)).state;
  };
  const remove = async () => {
    await sleep(delays.remove);
    const { jobId } = await runner.createDelete("m", "id % 3 = 0");
    return (await runner.settle(jobId)).state;
  };
  const retain = async () => {
    await sleep(delays.retention);
    const straddling = rewrites ? "rewrite" : "keep";
    const days = { retentionDays: 30, bufferDays: 0 };
    const fields = { name: "old", measurement: null, straddling, isActive: true } as const;
    const { policyId } = upkeep.retention.create({ ...fields, ...days });
    const { jobIds } = upkeep.retention.run(policyId, "asked");
    for (const jobId of jobIds) await runner.settle(jobId);
  };
  runner.beforeMatch = () => sleep(delays.match[runner.matches] ?? 0);
  const [first, second, removed] = await Promise.all([
    merge(fileIds.slice(0, 4), delays.merges[0]!),
    merge(fileIds.slice(2), delays.merges[1]!),
    remove(),
    retain(),
  ]);
  isOver = true;
  expect(["done", "gave_way"]).toContain(first);
  expect(["done", "gave_way"]).toContain(second);
  expect(removed).toBe("done");
  const kept = all.filter((id) => id % 3 !== 0);
  for (const ids of await reading) {
    expect(new Set(ids).size).toBe(ids.length);
    const young = ids.filter((id) => id >= 2 * ROWS_PER_FILE);
    // Before the delete all of the younger rows are there, after it none of those that were to go.
    const expected = [all, kept].map((one) => one.filter((id) => id >= 2 * ROWS_PER_FILE));
    expect(expected).toContainEqual(young);
  }
  const left = await idsOf(world);
  expect(left.filter((id) => id % 3 === 0)).toEqual([]);
  expect(left.filter((id) => id >= 2 * ROWS_PER_FILE)).toEqual(
    kept.filter((id) => id >= 2 * ROWS_PER_FILE),
  );
  // A second run, with nobody in the way, drops whatever a merge had mixed with younger rows.
  const policy = upkeep.retention.list()[0]!;
  upkeep.retention.update(policy.policyId, { straddling: "rewrite" });
  world.clock.advance(LIMITS.jobFailedRestMs + 1);
  for (const jobId of upkeep.retention.run(policy.policyId, "asked").jobIds) {
    await runner.settle(jobId);
  }
  expect(await idsOf(world)).toEqual(kept.filter((id) => id >= 2 * ROWS_PER_FILE));
}

/** Two files are older than 30 days, the others not. */
async function fill(world: QueryWorld): Promise<UpkeepWorld> {
  const database = world.get();
  const runner = new UpkeepWorld(world);
  const nowMs = world.clock.nowMs();
  for (let file = 0; file < FILES; file++) {
    const ids = Array.from({ length: ROWS_PER_FILE }, (_, i) => file * ROWS_PER_FILE + i);
    const time = ids.map((id) => nowMs - (file < 2 ? 40 : 20) * DAY_MS + id);
    database.append("m", { time, id: ids });
    await database.flush();
  }
  return runner;
}

async function idsOf(world: QueryWorld): Promise<number[]> {
  const { data, error } = await world.query("SELECT id FROM m ORDER BY id");
  if (error !== undefined) throw new Error(String(error));
  return data.map(([id]) => id as number);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
