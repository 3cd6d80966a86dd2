// Followers of a buffer's log, by chance: appends, seals, releases, restarts, and readers that lag
// and come again at any earlier place.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogPosition } from "#lib/buffer/types.ts";
import { FollowWorld, received, SHARD } from "../helpers/follow-world.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../helpers/property.ts";

type Step =
  | { readonly kind: "append"; readonly tables: readonly number[]; readonly byteLength: number }
  | { readonly kind: "release" | "quarantine"; readonly pick: number }
  | { readonly kind: "age" | "restart" }
  | { readonly kind: "read" | "resume"; readonly follower: number; readonly bytesMax: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      tables: fc.constantFrom([1], [2], [1, 2], [1, 1]),
      byteLength: fc.integer({ min: 1, max: 80 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("release" as const, "release" as const, "quarantine" as const),
      pick: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("age" as const, "restart" as const) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("read" as const, "read" as const, "resume" as const),
      follower: fc.nat({ max: 2 }),
      bytesMax: fc.integer({ min: 1, max: 200 }),
    }),
  },
);

/** Reads table 1 on its own, and judges each answer by what was acknowledged. */
class Follower {
  readonly #world: FollowWorld;
  #after: LogPosition;
  /** How many of the acknowledged batches are behind it, shown or told to be gone. */
  #passed = 0;
  /** Earlier places, with what had passed there. */
  readonly #seen: [LogPosition, number][] = [];

  constructor(world: FollowWorld) {
    this.#world = world;
    this.#after = world.buffer.followers.start(SHARD, 1, 0).position;
    this.#seen.push([this.#after, 0]);
  }

  resume(pick: number): void {
    [this.#after, this.#passed] = this.#seen[pick % this.#seen.length]!;
  }

  /** Returns what is wrong with the answer, and whether there is more. */
  async read(bytesMax: number): Promise<{ faults: string[]; isCut: boolean }> {
    const held = this.#world.held(1);
    const found = await this.#world.follow({ after: this.#after, bytesMax });
    const rest = this.#world.acked[1]!.slice(this.#passed);
    const shown = received(found);
    const missing =
      found.gap === null
        ? []
        : rest.slice(0, shown.length === 0 ? rest.length : rest.indexOf(shown[0]!));
    const expected = rest.slice(missing.length, missing.length + shown.length);
    const isAll = missing.length + shown.length === rest.length;
    const faults = [
      ...(String(shown) === String(expected) ? [] : [`shown ${shown}, expected ${expected}`]),
      ...(found.gap === null || missing.length > 0 ? [] : ["a gap where nothing is missing"]),
      ...missing.filter((batch) => held.has(batch)).map((batch) => `${batch} is there`),
      ...(found.isCut || isAll ? [] : [`nothing of ${rest} behind ${shown}`]),
    ];
    this.#passed += missing.length + shown.length;
    this.#after = found.position;
    this.#seen.push([found.position, this.#passed]);
    return { faults, isCut: found.isCut };
  }

  async readAll(): Promise<string[]> {
    for (;;) {
      const { faults, isCut } = await this.read(100);
      if (faults.length > 0 || !isCut) return faults;
    }
  }
}

test(
  "a follower gets each batch once and in order, or is told of a gap that there really is",
  { timeout: PROPERTY_TIMEOUT_MS },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new FollowWorld();
        const followers = [0, 1, 2].map(() => new Follower(world));
        for (const one of steps) expect(await take(world, followers, one)).toEqual([]);
        for (const follower of followers) expect(await follower.readAll()).toEqual([]);
      }),
      propertyRuns(200),
    );
  },
);

/** Returns what is wrong. */
async function take(
  world: FollowWorld,
  followers: readonly Follower[],
  one: Step,
): Promise<string[]> {
  switch (one.kind) {
    case "append":
      await world.append(one.tables, one.byteLength);
      return [];
    case "release":
    case "quarantine": {
      const sealed = world.sealed();
      const segmentId = sealed[one.pick % sealed.length];
      if (segmentId === undefined) return [];
      if (one.kind === "release") world.buffer.segments.release(segmentId);
      else world.quarantine(segmentId);
      return [];
    }
    case "age":
      world.clock.advance(60_001);
      await world.buffer.onAlarm();
      return [];
    case "restart":
      world.restart();
      return [];
    case "read":
      return (await followers[one.follower]!.read(one.bytesMax)).faults;
    case "resume":
      followers[one.follower]!.resume(one.bytesMax);
      return [];
  }
}
