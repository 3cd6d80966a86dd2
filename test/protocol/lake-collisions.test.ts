// Two compactors, a retention run and a delete on the same files at once: one wins, the others give
// way or look again, and every row that is to stay is there once.
//
// COLLISIONS=1000 is the full run.

import { expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { LakeBook } from "./lake-book.ts";
import { DAY_MS, HOUR_MS } from "./lake-tables.ts";
import { EVENTS_ID, LakeWorld, NO_FAULTS } from "./lake-world.ts";

const SEED = Number(process.env["SIM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env["COLLISIONS"] ?? 60);
const RETENTION_DAYS = 30;
const SEGMENTS = 4;
const NEVER_MS = 10 ** 12;

// More than run at once elsewhere, so that all of them are under way together.
(LIMITS as { jobsRunningMax: number }).jobsRunningMax = 10;

test(`${ROUNDS} collisions from seed ${SEED}`, { timeout: 3_600_000 }, async () => {
  const ends = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const end of await collide(SEED + round)) ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  if (ROUNDS > 60) console.log(Object.fromEntries(ends));
  const wanted = ["compaction done", "compaction gave_way", "retention done"];
  for (const end of [...wanted, "retention gave_way", "delete done"]) {
    expect(ends.get(end), end).toBeGreaterThan(0);
  }
});

/** How each job has ended. */
async function collide(seed: number): Promise<string[]> {
  const random = seededRandom(seed);
  const where = `SIM_SEED=${seed} COLLISIONS=1`;
  const world = new LakeWorld(random, NO_FAULTS, NEVER_MS);
  const book = new LakeBook(world, where);
  const cutoffMs = world.clock.nowMs() - RETENTION_DAYS * DAY_MS;
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const batches = [-1, -0.5, 0.5, 1].map((side, i) => {
      return { id: book.batches.length + i, timeMs: cutoffMs + side * HOUR_MS + segment };
    });
    await world.commit(batches);
    book.batches.push(...batches);
  }
  book.retentionDays = RETENTION_DAYS;
  const { jobs } = world.upkeep;
  const files = world.catalog.liveFiles(EVENTS_ID).map(({ fileId }) => fileId);
  const { day } = world.catalog.liveFiles(EVENTS_ID)[0]!;
  const spec = { kind: "compaction", tableId: EVENTS_ID, day } as const;
  const policyId = world.createPolicy(RETENTION_DAYS);
  // Before the others claim its files, as the planner would have left it alone.
  world.retain(policyId);
  jobs.create(spec, files.slice(0, 3));
  jobs.create(spec, files.slice(1));
  const ids = [1, 3, 6, 12, 13, 14, 15];
  book.noteDelete(world.remove(ids), ids);
  for (const {
    jobId,
    spec: { kind },
  } of jobs.active())
    world.run({ jobId, kind });
  for (let step = 0; step < 400 && jobs.active().length > 0; step++) {
    if (step % 10 === 0) book.read();
    await world.step();
  }
  await world.settle();
  book.readNow();
  const ends = jobs.list(null, 100).map(({ spec: { kind }, state }) => `${kind} ${state}`);
  expect(ends, where).toContain("delete done");
  // Of two with a common file one can win at the most, and the delete never comes to nothing.
  const wins = ends.filter((end) => end === "compaction done").length;
  expect(wins, where).toBeLessThanOrEqual(1);
  const cutoff = world.retain(policyId);
  await world.settle();
  book.judgeEnd(cutoff);
  return ends;
}
