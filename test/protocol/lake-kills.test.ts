// The process dies before and after every call that compaction, retention, delete, a rollup and the
// removal of garbage make. Then everything goes on, and nothing may be lost, doubled, back, or left
// lying about.
//
// KILL_SEEDS=20 does it so many times for each moment, each time in another order of things.

import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { JobKind } from "#lib/upkeep/types.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { LakeBook } from "./lake-book.ts";
import { DAY_MS, EVENTS, HOUR_MS } from "./lake-tables.ts";
import { EVENTS_ID, LakeWorld, NO_FAULTS } from "./lake-world.ts";

const SEEDS = Number(process.env["KILL_SEEDS"] ?? 2);
const NEVER_MS = 10 ** 12;
const RETENTION_DAYS = 30;
const SEGMENTS = 5;

/** What must have been met, or the enumeration has proved nothing. */
const MOMENTS: Readonly<Record<JobKind, readonly string[]>> = {
  compaction: ["fetch", "part", "put", "commit"],
  retention: ["fetch", "part", "put", "commit"],
  delete: ["look", "match", "fetch", "part", "put", "step", "commit"],
  rollup: ["chunk", "query", "schema", "fetch", "part", "put", "commit", "finish"],
};

describe("a process that dies", () => {
  for (const kind of Object.keys(MOMENTS) as JobKind[]) {
    test(`anywhere in ${kind} changes nothing but time`, { timeout: 3_600_000 }, async () => {
      const met = new Map<string, number>();
      for (let seed = 0; seed < SEEDS; seed++) {
        const { moments } = await live(kind, seed, null);
        for (let at = 0; at < moments; at++) {
          const { diedAt } = await live(kind, seed, at);
          met.set(diedAt, (met.get(diedAt) ?? 0) + 1);
        }
      }
      for (const call of MOMENTS[kind].map((name) => `${kind} ${name}`)) {
        expect(met.get(`before ${call}`), `before ${call}`).toBeGreaterThanOrEqual(SEEDS);
        expect(met.get(`after ${call}`), `after ${call}`).toBeGreaterThanOrEqual(SEEDS);
      }
      expect(met.get("before garbage remove")).toBeGreaterThanOrEqual(SEEDS);
      expect(met.get("after garbage remove")).toBeGreaterThanOrEqual(SEEDS);
      if (SEEDS > 2) console.log(kind, Object.fromEntries(met));
    });
  }
});

test("a delete that lay still until its work was removed as orphans does it again", async () => {
  let diedAt = "";
  for (let at = 0; at < 200 && diedAt !== "before delete commit"; at++) {
    const world = new LakeWorld(seededRandom(at), NO_FAULTS, NEVER_MS);
    const book = new LakeBook(world, `dies at ${at}`);
    await fill(world, book);
    world.dieAt = world.moments + at;
    begin("delete", world, book);
    await world.settle();
    world.clock.advance(LIMITS.orphanGraceMs);
    await world.collect();
    await follow(world, book);
    book.judgeEnd(null);
    diedAt = world.diedAt;
  }
  expect(diedAt).toBe("before delete commit");
});

/** A job from its beginning until its garbage is gone, with a death on the way. */
async function live(kind: JobKind, seed: number, dieAt: number | null): Promise<LakeWorld> {
  const world = new LakeWorld(seededRandom(seed), NO_FAULTS, NEVER_MS);
  const book = new LakeBook(world, `${kind}, seed ${seed}, dies at ${dieAt}`);
  await fill(world, book);
  const begun = world.moments;
  world.dieAt = dieAt === null ? null : begun + dieAt;
  if (kind === "rollup") {
    // What it has made is replaced once more, so that there is garbage.
    world.createRollup();
    await follow(world, book);
    await commitOne(world, book, book.batches.at(-1)!.timeMs + 1);
    world.clock.advance(HOUR_MS);
  }
  const cutoffMs = kind === "rollup" ? null : begin(kind, world, book);
  await follow(world, book);
  book.judgeEnd(cutoffMs);
  world.clock.advance(LIMITS.orphanGraceMs);
  await world.collect();
  // A process that dies in it is told nothing: it is done again.
  await world.collect();
  book.judgeEnd(cutoffMs);
  expect(world.orphans(LIMITS.replacedGraceMs), `${kind}, seed ${seed}, ${dieAt}`).toEqual([]);
  world.moments -= begun;
  return world;
}

/** Segments of one day, each of early and late batches, around what retention will cut off. */
async function fill(world: LakeWorld, book: LakeBook): Promise<void> {
  const cutoffMs = world.clock.nowMs() - RETENTION_DAYS * DAY_MS;
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const batches = [-2, -1, 1, 2].map((side, i) => {
      const timeMs = cutoffMs + side * HOUR_MS + segment * 60_000;
      return { id: book.batches.length + i, timeMs };
    });
    await world.commit(batches);
    book.batches.push(...batches);
  }
}

async function commitOne(world: LakeWorld, book: LakeBook, timeMs: number): Promise<void> {
  const batch = { id: book.batches.length, timeMs };
  await world.commit([batch]);
  book.batches.push(batch);
}

/** Returns from when on rows are to stay; null: for ever. */
function begin(kind: Exclude<JobKind, "rollup">, world: LakeWorld, book: LakeBook): number | null {
  const { jobs } = world.upkeep;
  switch (kind) {
    case "compaction": {
      const files = world.catalog.liveFiles(EVENTS_ID);
      const { day } = files[0]!;
      const fileIds = files.map(({ fileId }) => fileId);
      jobs.create({ kind, tableId: EVENTS_ID, day }, fileIds);
      world.upkeep.arm();
      return null;
    }
    case "retention":
      book.retentionDays = RETENTION_DAYS;
      return world.retain(world.createPolicy(RETENTION_DAYS));
    case "delete": {
      // Of each file one batch, and all of the first.
      const ids = [0, 1, 2, 3, 4, 9, 14, 19];
      book.noteDelete(world.remove(ids), ids);
      return null;
    }
  }
}

/** Until all is done, with readers on the way. */
async function follow(world: LakeWorld, book: LakeBook): Promise<void> {
  for (let round = 0; round < 8; round++) {
    book.read();
    await world.heal(1);
  }
  expect(world.upkeep.jobs.active()).toEqual([]);
  expect(world.keys(EVENTS).length).toBeGreaterThan(0);
}
