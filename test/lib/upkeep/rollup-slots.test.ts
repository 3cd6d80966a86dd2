import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clip, coalesce, firstSlots, firstWholeSlot } from "#lib/upkeep/rollup-slots.ts";
import { slotMsOf, type TimeRange, widen, without } from "#lib/upkeep/rollup-slots.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { QueryWorld } from "../../helpers/query-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const anyTime = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 0, 1) });
const anyWidth = fc.constantFrom(1_000, 7 * MINUTE, 61 * MINUTE, HOUR, 5 * HOUR, DAY, 7 * DAY);
const anyRanges = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 9 }))
    .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length })),
);

describe("slots", () => {
  test("are of at least an hour and hold whole buckets", () => {
    expect([1_000, 7 * MINUTE, HOUR, 90 * MINUTE, DAY].map(slotMsOf)).toEqual([
      HOUR,
      63 * MINUTE,
      HOUR,
      90 * MINUTE,
      DAY,
    ]);
  });

  test("hold every bucket of the engine whole that begins in them", async () => {
    const world = new QueryWorld("default");
    await world.open(engineModules());
    const samples = fc.sample(fc.tuple(anyTime, anyWidth), { numRuns: 200, seed: 1 });
    const buckets = samples.map(([time, width]) => {
      const moment = new Date(time).toISOString().replace("Z", "");
      return `epoch_ms(time_bucket(INTERVAL ${width / 1_000} SECOND, TIMESTAMP '${moment}'))`;
    });
    const { data } = await world.query(`SELECT ${buckets.join(", ")}`);
    for (const [at, [time, width]] of samples.entries()) {
      const slot = widen({ timeMinMs: time, timeMaxMs: time }, slotMsOf(width));
      const bucket = data[0]![at] as number;
      expect(bucket).toBeGreaterThanOrEqual(slot.fromMs);
      expect(bucket + width).toBeLessThanOrEqual(slot.toMs);
    }
  }, 60_000);

  test("of a span begin and end where slots do, and have all of it", () => {
    fc.assert(
      fc.property(anyTime, fc.nat({ max: 40 * DAY }), anyWidth, (timeMinMs, length, width) => {
        const slotMs = slotMsOf(width);
        const timeMaxMs = timeMinMs + length;
        const { fromMs, toMs } = widen({ timeMinMs, timeMaxMs }, slotMs);
        expect(fromMs).toBeLessThanOrEqual(timeMinMs);
        expect(toMs).toBeGreaterThan(timeMaxMs);
        expect(toMs - fromMs).toBeLessThan(length + 2 * slotMs);
        expect(firstWholeSlot(fromMs, slotMs)).toBe(fromMs);
        expect(firstWholeSlot(fromMs + 1, slotMs)).toBe(fromMs + slotMs);
        expect(widen({ timeMinMs: fromMs, timeMaxMs: toMs - 1 }, slotMs)).toEqual({ fromMs, toMs });
      }),
      propertyRuns(300),
    );
  });

  test("that one query computes are those of a day, or one", () => {
    const midnight = Date.UTC(2026, 0, 5);
    const range = { fromMs: midnight + 20 * HOUR, toMs: midnight + 3 * DAY };
    expect(firstSlots(range, HOUR, 24).toMs).toBe(midnight + DAY);
    expect(firstSlots(range, HOUR, 3).toMs).toBe(midnight + 23 * HOUR);
    expect(firstSlots(range, 9 * HOUR, 24).toMs).toBe(midnight + 29 * HOUR);
    expect(firstSlots({ ...range, toMs: range.fromMs + HOUR }, HOUR, 24).toMs).toBe(
      midnight + 21 * HOUR,
    );
  });
});

describe("ranges", () => {
  const points = (ranges: readonly TimeRange[]) =>
    new Set(
      ranges.flatMap(({ fromMs, toMs }) =>
        Array.from({ length: toMs - fromMs }, (_, i) => fromMs + i),
      ),
    );

  test("joined, clipped and cut have the moments that they should", () => {
    fc.assert(
      fc.property(anyRanges, fc.nat({ max: 60 }), fc.nat({ max: 20 }), (ranges, fromMs, length) => {
        const bounds = { fromMs, toMs: fromMs + length };
        const joined = coalesce(ranges);
        const all = points(ranges);
        const inside = points([bounds]);
        expect(points(joined)).toEqual(all);
        expect(joined.every(({ toMs }, i) => toMs < (joined[i + 1]?.fromMs ?? Infinity))).toBe(
          true,
        );
        expect(points(clip(joined, bounds))).toEqual(
          new Set([...all].filter((point) => inside.has(point))),
        );
        expect(points(without(joined, bounds))).toEqual(
          new Set([...all].filter((point) => !inside.has(point))),
        );
      }),
      propertyRuns(300),
    );
  });
});
