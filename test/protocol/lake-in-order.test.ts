// Promise C9: compaction, retention, delete and rollups are transactions of the catalog. Whatever
// order things happen in, and wherever the process dies, every reader sees every row once.
//
// READS=100000 goes on until there were so many readers; SIM_RUNS asks for more runs.

import { expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { LakeBook } from "./lake-book.ts";
import { DAY_MS, EVENTS } from "./lake-tables.ts";
import { LakeWorld, NO_FAULTS, STEP_MS_MAX } from "./lake-world.ts";

const SEED = Number(process.env["SIM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env["SIM_RUNS"] ?? 30);
const READS = Number(process.env["READS"] ?? 0);
const STEPS = 1_000;
const RETENTION_DAYS = 2;

test(
  `every row is read once in ${RUNS} runs and ${READS} reads from seed ${SEED}`,
  { timeout: 3_600_000 },
  async () => {
    const met = new Map<string, number>();
    for (let run = 0; run < RUNS || (met.get("reads") ?? 0) < READS; run++) {
      const seen = await simulate(SEED + run);
      for (const [what, count] of Object.entries(seen)) {
        met.set(what, (met.get(what) ?? 0) + count);
      }
    }
    if (READS > 0) console.log(Object.fromEntries(met));
    // What never happened would have proved nothing.
    for (const what of ["crashes", "failures", "done", "lost", "reads"]) {
      expect(met.get(what), what).toBeGreaterThan(0);
    }
  },
);

async function simulate(seed: number) {
  const random = seededRandom(seed);
  const where = `SIM_SEED=${seed} SIM_RUNS=1`;
  const world = new LakeWorld(random, { failBefore: 0.01, failAfter: 0.01 });
  const book = new LakeBook(world, where);
  world.createRollup();
  const policyId = world.createPolicy(RETENTION_DAYS);
  book.retentionDays = RETENTION_DAYS;
  for (let step = 0; step < STEPS; step++) {
    const dice = random();
    if (book.batches.length < 20 || dice < 0.06) await commit(world, book, random);
    else if (dice < 0.2) book.read();
    else if (dice < 0.22) removeSome(world, book, random);
    else if (dice < 0.23) world.retain(policyId);
    else if (dice < 0.233) world.collectSome();
    else if (dice < 0.34) {
      world.clock.advance(Math.floor(random() * STEP_MS_MAX));
      await world.ringAlarm();
    } else if (dice < 0.343) world.crash();
    else await world.step();
  }
  world.faults = NO_FAULTS;
  await world.heal();
  world.clock.advance(LIMITS.orphanGraceMs + 1);
  await world.heal();
  // Its rewrites first, and then again, as the files may have been others meanwhile.
  let cutoffMs = 0;
  for (let again = 0; again < 2; again++) {
    cutoffMs = world.retain(policyId);
    await world.settle();
  }
  book.judgeEnd(cutoffMs);
  await world.collect();
  expect(world.orphans(LIMITS.orphanGraceMs), `orphans, ${where}`).toEqual([]);
  expect(world.keys(EVENTS).length, `files, ${where}`).toBeLessThanOrEqual(12);
  return { ...world.seen, reads: book.reads };
}

/** One to three batches of one of the last days. */
async function commit(world: LakeWorld, book: LakeBook, random: () => number): Promise<void> {
  const dayMs = world.clock.nowMs() - Math.floor(random() * 3) * DAY_MS;
  const batches = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => {
    return { id: book.batches.length + i, timeMs: dayMs + Math.floor(random() * 600_000) };
  });
  await world.commit(batches);
  book.batches.push(...batches);
}

function removeSome(world: LakeWorld, book: LakeBook, random: () => number): void {
  const left = book.undeleted();
  const ids = Array.from({ length: 3 }, () => left[Math.floor(random() * left.length)]!);
  if (left.length > 0) book.noteDelete(world.remove(ids), ids);
}
