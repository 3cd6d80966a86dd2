// The states of a label set, against what they must never do whatever a clock says.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elapsedBetween, step } from "#lib/alerts/instance.ts";
import { isDue, nextRunMs } from "#lib/alerts/schedule.ts";
import type { Instance } from "#lib/alerts/types.ts";
import { propertyRuns } from "../../helpers/property.ts";

const EVERY = 60_000;

/** States after runs that saw the condition hold or not, a minute apart. */
function statesOf(seen: readonly (boolean | null)[], forMs: number): (string | null)[] {
  let instance: Instance | null = null;
  return seen.map((isMet, at) => {
    const observation = { labels: {}, value: 1, expected: null, isMet };
    const stepped = step(instance, observation, { forMs }, at === 0 ? 0 : EVERY, at * EVERY);
    instance = stepped.instance;
    return stepped.change;
  });
}

describe("a label set", () => {
  test("fires at once without a `for`, and is resolved when it ends", () => {
    const changes = statesOf([false, true, true, false, false, true], 0);
    expect(changes).toEqual([null, "firing", null, "resolved", null, "firing"]);
  });

  test("is pending until the condition has held for as long as it must", () => {
    const changes = statesOf([true, true, true, false, true, false], 2 * EVERY);
    expect(changes).toEqual(["pending", null, "firing", "resolved", "pending", "ok"]);
  });

  test("begins to count anew when the condition breaks off", () => {
    const changes = statesOf([true, true, false, true, true, true], 2 * EVERY);
    expect(changes).toEqual(["pending", null, "ok", "pending", null, "firing"]);
  });

  test("stays as it is while nothing can be said", () => {
    expect(statesOf([true, null, null, true], EVERY)).toEqual(["pending", null, null, "firing"]);
  });
});

describe("time", () => {
  test("that ran backwards, or stood still for a day, adds up to two intervals at most", () => {
    expect(elapsedBetween(null, 5, EVERY)).toBe(0);
    expect(elapsedBetween(1_000, 500, EVERY)).toBe(0);
    expect(elapsedBetween(0, EVERY, EVERY)).toBe(EVERY);
    expect(elapsedBetween(0, 86_400_000, EVERY)).toBe(2 * EVERY);
  });

  test("never makes an alert fire for what fewer runs saw than its `for` takes", () => {
    const runs = fc.array(
      fc.record({ isMet: fc.boolean(), jumpMs: fc.integer({ min: -1e9, max: 1e9 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(runs, fc.integer({ min: 0, max: 10 }), (list, intervals) => {
        let nowMs = 1e12;
        let lastMs: number | null = null;
        let instance: Instance | null = null;
        let metInRow = 0;
        for (const { isMet, jumpMs } of list) {
          nowMs += jumpMs;
          const observation = { labels: {}, value: 1, expected: null, isMet };
          const rule = { forMs: intervals * EVERY };
          const elapsedMs = elapsedBetween(lastMs, nowMs, EVERY);
          const stepped = step(instance, observation, rule, elapsedMs, nowMs);
          instance = stepped.instance;
          lastMs = nowMs;
          metInRow = isMet ? metInRow + 1 : 0;
          const isEarly = stepped.change === "firing" && 2 * (metInRow - 1) < intervals;
          const isStale = !isMet && ["pending", "firing"].includes(instance.state);
          expect([isEarly, isStale]).toEqual([false, false]);
        }
      }),
      propertyRuns(300),
    );
  });

  test("that passes brings one run for all that were missed, on the rule's own grid", () => {
    expect(nextRunMs(1_000, EVERY, 1_000)).toBe(1_000 + EVERY);
    expect(nextRunMs(1_000, EVERY, 1_000 + 90.5 * EVERY)).toBe(1_000 + 91 * EVERY);
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.integer({ min: 1e4, max: 1e8 }),
        fc.nat(1e12),
        (at, every, now) => {
          const next = nextRunMs(at % 1e13, every, now);
          expect(next).toBeGreaterThan(now);
          expect(next).toBeLessThanOrEqual(now + every);
        },
      ),
      propertyRuns(300),
    );
  });

  test("that was set back does not put a rule to sleep", () => {
    expect(isDue(10 * EVERY, EVERY, 9.5 * EVERY)).toBe(false);
    expect(isDue(10 * EVERY, EVERY, 10 * EVERY)).toBe(true);
    expect(isDue(10 * EVERY, EVERY, 0)).toBe(true);
  });
});
