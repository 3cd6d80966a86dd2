import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { type DayRange, splitByDay } from "#lib/columnar/split-by-day.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableOf, times } from "../../helpers/random-table.ts";

const DAY_US = 86_400_000_000n;

function split(values: readonly bigint[]): DayRange[] {
  return splitByDay(tableOf([{ name: "time", type: "timestamp", values }]));
}

const dayOf = (us: bigint) =>
  new Date(Number(us / 1000n - (us % 1000n < 0n ? 1n : 0n))).toISOString().slice(0, 10);

describe("rows split by day", () => {
  test("change the range where the UTC day changes, also before 1970", () => {
    const values = [-DAY_US - 1n, -DAY_US, -1n, 0n, DAY_US - 1n, DAY_US];
    expect(split(values)).toEqual([
      { day: "1969-12-30", from: 0, to: 1 },
      { day: "1969-12-31", from: 1, to: 3 },
      { day: "1970-01-01", from: 3, to: 5 },
      { day: "1970-01-02", from: 5, to: 6 },
    ]);
  });

  test("name the first and the last day that are allowed with four digits", () => {
    expect(split([LIMITS.timeUsMin, LIMITS.timeUsMax]).map(({ day }) => day)).toEqual([
      "0001-01-01",
      "9999-12-31",
    ]);
  });

  test("are covered without gaps, each day whole, each range named by its first row", () => {
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 80 }), (unsorted) => {
        const values = unsorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const ranges = split(values);
        expect(ranges.length).toBeLessThanOrEqual(LIMITS.partitionsPerSegmentMax);
        expect(ranges.map(({ from }) => from)).toEqual(
          [0, ...ranges.map(({ to }) => to)].slice(0, -1),
        );
        expect(ranges.at(-1)!.to).toBe(values.length);
        for (const { day, from, to } of ranges) {
          expect(to).toBeGreaterThan(from);
          expect(day).toBe(dayOf(values[from]!));
          const isDayEnd = to === values.length || dayOf(values[to]!) !== dayOf(values[to - 1]!);
          expect(isDayEnd).toBe(true);
        }
        const dayCount = new Set(values.map(dayOf)).size;
        expect(dayCount > LIMITS.partitionsPerSegmentMax || ranges.length === dayCount).toBe(true);
      }),
      propertyRuns(300),
    );
  });

  test("make a range per day up to the limit, and share ranges evenly beyond it", () => {
    const days = (count: number) => Array.from({ length: count }, (_, day) => BigInt(day) * DAY_US);
    const limit = LIMITS.partitionsPerSegmentMax;
    expect(split(days(limit))).toHaveLength(limit);
    const shared = split(days(limit + 1));
    expect(shared.length).toBeLessThanOrEqual(limit);
    expect(shared.every(({ from, to }) => to - from <= 2)).toBe(true);
    expect(split(days(100 * limit)).map(({ from, to }) => to - from)).toEqual(
      Array(limit).fill(100),
    );
  });

  test("must be in order", () => {
    expect(() => split([2n, 1n])).toThrow("sorted by time");
  });
});
