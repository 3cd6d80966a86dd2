// The promises C1 to C4 and C5 under faults: every acknowledged batch is seen whole and once, by
// every query, whatever is lost, repeated, late or dead. A failing run names the seed that repeats
// it.

import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { FaultyWorld, type Faults, NO_FAULTS } from "./faulty-world.ts";

const SEED = Number(process.env["SIM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env["SIM_RUNS"] ?? 60);
const STEPS = 120;

const FAULTS: Faults = {
  crash: 0.04,
  failBefore: 0.05,
  failAfter: 0.08,
  loseHint: 0.3,
  repeatHint: 0.3,
  stall: 0.02,
};

interface Offered {
  readonly id: number;
  readonly rowCount: number;
  readonly firstTriedMs: number;
  isAcked: boolean;
}

describe("every acknowledged batch is seen whole and once", () => {
  test(`in ${RUNS} runs of ${STEPS} steps from seed ${SEED}`, { timeout: 600_000 }, async () => {
    const met = new Set<string>();
    for (let run = 0; run < RUNS; run++) {
      const seen = await simulate(SEED + run);
      for (const [fault, count] of Object.entries(seen)) if (count > 0) met.add(fault);
    }
    // Faults that never happened would have proved nothing.
    const faults = ["crashes", "failures", "hintsLost", "hintsRepeated", "duplicates", "stalls"];
    expect([...met].toSorted()).toEqual(faults.toSorted());
  });
});

async function simulate(seed: number): Promise<FaultyWorld["seen"]> {
  const random = seededRandom(seed);
  const world = new FaultyWorld(random, FAULTS);
  const offered: Offered[] = [];
  const where = (step: number) => `SIM_SEED=${seed} SIM_RUNS=1, step ${step}`;
  for (let step = 0; step < STEPS; step++) {
    await takeStep(world, offered, random);
    if (step % 10 === 0) await judge(world, offered, where(step), () => world.deliverHint());
  }
  await heal(world, offered);
  await judge(world, offered, where(STEPS));
  expect(world.unflushedRows, `un-flushed after healing, ${where(STEPS)}`).toBe(0);
  world.clock.advance(25 * 3_600_000);
  await world.collectGarbage();
  expect(world.orphans(), `orphans after collection, ${where(STEPS)}`).toEqual([]);
  await judge(world, offered, where(STEPS));
  return world.seen;
}

async function takeStep(
  world: FaultyWorld,
  offered: Offered[],
  random: () => number,
): Promise<void> {
  const dice = random();
  if (dice < 0.45) {
    // A client without an answer tries the same again; now and then one with an answer does, too.
    const again = offered.filter((one) => {
      return mayRetry(one, world) && (!one.isAcked || random() < 0.05);
    });
    const retry = again.length > 0 && random() < 0.6;
    const one = retry
      ? again[Math.floor(random() * again.length)]!
      : offer(offered.length, 1 + Math.floor(random() * 4), world);
    if (!retry) offered.push(one);
    if (await world.append(one.id, one.rowCount)) one.isAcked = true;
  } else if (dice < 0.7) await world.deliverHint();
  else if (dice < 0.95) {
    world.clock.advance(Math.floor(random() * 30_000));
    await world.ringAlarm();
  } else {
    world.clock.advance(25 * 3_600_000 * random());
    await world.collectGarbage();
  }
}

/** Faults stop; clients get their last answers, and the alarm does the rest. */
async function heal(world: FaultyWorld, offered: Offered[]): Promise<void> {
  world.faults = NO_FAULTS;
  for (const one of offered) {
    while (!one.isAcked && mayRetry(one, world))
      one.isAcked = await world.append(one.id, one.rowCount);
  }
  for (let i = 0; i < 200; i++) {
    world.clock.advance(60_000);
    await world.ringAlarm();
    await world.deliverHint();
  }
}

function offer(id: number, rowCount: number, world: FaultyWorld): Offered {
  return { id, rowCount, firstTriedMs: world.clock.nowMs(), isAcked: false };
}

/** After the window a key is new again; a client that comes back so late has been told so. */
function mayRetry({ firstTriedMs }: Offered, world: FaultyWorld): boolean {
  return world.clock.nowMs() - firstTriedMs < LIMITS.idempotencyWindowMs;
}

async function judge(
  world: FaultyWorld,
  offered: readonly Offered[],
  where: string,
  meanwhile?: () => Promise<void>,
): Promise<void> {
  // What is acked when the query begins must be there; what is not may be, but never in part.
  const acked = offered.filter((one) => one.isAcked).map((one) => one.id);
  const rows = await world.query(meanwhile);
  for (const id of acked) expect(rows.has(id), `batch ${id} lost, ${where}`).toBe(true);
  for (const [id, count] of rows) {
    expect(count, `rows of batch ${id}, ${where}`).toBe(offered[id]!.rowCount);
  }
}
