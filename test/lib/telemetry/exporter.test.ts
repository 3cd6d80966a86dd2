// The queue before a collector: bounded and never in the way, whatever the collector does.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { type DropReason, Exporter } from "#lib/telemetry/exporter.ts";
import type { SendOutcome } from "#lib/telemetry/otlp-answer.ts";

const TAKEN: SendOutcome = { kind: "taken", rejectedCount: 0 };
const LATER: SendOutcome = { kind: "later", waitMs: null };

/** A collector and a clock that a test drives. */
class World {
  nowMs = 0;
  answer: () => SendOutcome = () => TAKEN;
  readonly sent: { readonly items: readonly number[]; readonly key: string; atMs: number }[] = [];
  readonly taken: number[] = [];
  readonly dropped: Partial<Record<DropReason, number>> = {};
  #keys = 0;
  readonly exporter = new Exporter<number>({
    clock: { nowMs: () => this.nowMs },
    sleep: async (ms) => {
      await Promise.resolve();
      this.nowMs += ms;
    },
    random: () => 1,
    newKey: () => `key-${++this.#keys}`,
    send: async (items, key) => {
      const outcome = this.answer();
      this.sent.push({ items, key, atMs: this.nowMs });
      if (outcome.kind === "taken") this.taken.push(...items);
      return outcome;
    },
    sent: () => {},
    dropped: (count, reason) => {
      this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
    },
  });
}

let world: World;
beforeEach(() => {
  world = new World();
});

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe("an exporter", () => {
  test("sends what came within a second as one batch", async () => {
    const first = world.exporter.offer([1, 2]);
    await world.exporter.offer([3]);
    await first;
    expect(world.sent.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    expect(world.sent[0]!.atMs).toBe(LIMITS.exportAfterMs);
  });

  test("sends a full batch at once", async () => {
    await world.exporter.offer(numbers(LIMITS.exportBatchMax));
    expect(world.sent[0]!.atMs).toBe(0);
    expect(world.taken).toHaveLength(LIMITS.exportBatchMax);
  });

  test("tries again with growing pauses, under the same key, until it is taken", async () => {
    const outcomes = [LATER, LATER, { kind: "later", waitMs: 20_000 } as const, TAKEN];
    world.answer = () => outcomes.shift()!;
    await world.exporter.offer([1]);
    expect(new Set(world.sent.map(({ key }) => key))).toEqual(new Set(["key-1"]));
    const times = world.sent.map(({ atMs }) => atMs - LIMITS.exportAfterMs);
    expect(times).toEqual([0, 1_000, 3_000, 23_000]);
    expect(world.taken).toEqual([1]);
  });

  test("lets a batch go that nobody takes for minutes, and goes on with the next", async () => {
    world.answer = () => (world.nowMs < LIMITS.exportRetryForMs ? LATER : TAKEN);
    const down = world.exporter.offer([1]);
    await down;
    expect(world.dropped).toEqual({ unreachable: 1 });
    world.nowMs = LIMITS.exportRetryForMs;
    await world.exporter.offer([2]);
    expect(world.taken).toEqual([2]);
  });

  test("lets go what is refused, and counts what was taken in part", async () => {
    world.answer = () => ({ kind: "refused" });
    await world.exporter.offer([1, 2]);
    world.answer = () => ({ kind: "taken", rejectedCount: 3 });
    await world.exporter.offer([3, 4, 5, 6]);
    expect(world.dropped).toEqual({ refused: 5 });
    expect(world.sent).toHaveLength(2);
  });

  test("holds so much and no more while the collector is down", async () => {
    const hanging = Promise.withResolvers<SendOutcome>();
    const exporter = new Exporter<number>({
      clock: { nowMs: () => 0 },
      sleep: async () => {},
      random: () => 1,
      newKey: () => "key",
      send: () => hanging.promise,
      sent: () => {},
      dropped: (count, reason) => {
        world.dropped[reason] = (world.dropped[reason] ?? 0) + count;
      },
    });
    const offers = numbers(100).map(() => exporter.offer(numbers(1_000)));
    await Promise.resolve();
    expect(exporter.waitingCount).toBe(LIMITS.exportQueueMax);
    expect(world.dropped.full).toBeGreaterThanOrEqual(100_000 - LIMITS.exportQueueMax - 1_000);
    hanging.resolve(TAKEN);
    await Promise.all(offers);
    expect(exporter.waitingCount).toBe(0);
  });

  test("each item is taken once, or counted as dropped, whatever the collector does", async () => {
    const outcome = fc.constantFrom<SendOutcome>(TAKEN, LATER, { kind: "refused" });
    const offers = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 12 });
    const runs = Number(process.env["FC_RUNS"] ?? 300);
    await fc.assert(
      fc.asyncProperty(offers, fc.array(outcome, { maxLength: 30 }), async (counts, outcomes) => {
        const one = new World();
        one.answer = () => outcomes.shift() ?? TAKEN;
        let offered = 0;
        const all = counts.map((count) => {
          offered += count;
          return one.exporter.offer(numbers(count, offered - count));
        });
        await Promise.all(all);
        const dropped = Object.values(one.dropped).reduce((sum, count) => sum + count, 0);
        expect(one.taken.length + dropped).toBe(offered);
        expect(new Set(one.taken).size).toBe(one.taken.length);
        expect(one.taken).toEqual(one.taken.toSorted((a, b) => a - b));
      }),
      { numRuns: runs },
    );
  });
});
