// Numbers out of values, beside those of numpy 2 (`numpy.percentile`, its default method).

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { countByBucket, percentilesOf } from "../../../clients/event-metrics/aggregate.ts";
import { type Points, sortByTime } from "../../../clients/event-metrics/points.ts";
import { selectAscending } from "../../../clients/event-metrics/select.ts";
import { compareTexts } from "../../../clients/event-metrics/series.ts";
import { propertyRuns } from "../../helpers/property.ts";

describe("percentiles", () => {
  test("are numpy's, to the last bit", () => {
    const asked = [0, 5, 50, 90, 99, 99.9, 100];
    for (const [values, expected] of NUMPY) {
      expect(percentilesOf(Float64Array.from(values), asked)).toEqual(expected);
    }
    const many = Float64Array.from({ length: 10_007 }, (_, i) => ((i * 7_919) % 10_007) / 7);
    expect(percentilesOf(many, [1, 33.3, 50, 66.6, 95, 99.99])).toEqual(NUMPY_MANY);
  });

  test("may be asked in any order, and twice", () => {
    const values = Float64Array.from({ length: 101 }, (_, i) => 100 - i);
    expect(percentilesOf(values, [99, 1, 50, 99])).toEqual([99, 1, 50, 99]);
  });
});

test("selecting gives what sorting gives, whatever the order of the values", () => {
  const value = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1, 2));
  const values = fc.oneof(
    fc.array(value, { minLength: 1, maxLength: 400 }),
    fc.array(value, { minLength: 1, maxLength: 400 }).map((list) => list.toSorted((a, b) => a - b)),
    fc.integer({ min: 100, max: 5_000 }).map(organPipe),
  );
  fc.assert(
    fc.property(values, fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), (list, picks) => {
      const sorted = Float64Array.from(list).sort();
      const found = Float64Array.from(list);
      const places = [...new Set(picks.map((pick) => pick % list.length))];
      selectAscending(
        found,
        places.toSorted((a, b) => a - b),
      );
      // 0 and -0 are equal, and nothing tells which comes first.
      for (const place of places) expect(found[place]! + 0).toBe(sorted[place]! + 0);
      expect(found.sort().map((one) => one + 0)).toEqual(sorted.map((one) => one + 0));
    }),
    propertyRuns(300),
  );
});

test("points are sorted by time, those of one time as they were", () => {
  const times = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 });
  fc.assert(
    fc.property(times, (list) => {
      const points: Points = {
        timesUs: Float64Array.from(list),
        values: Float64Array.from(list.keys()),
      };
      const expected = [...list.entries()].sort(([i, a], [j, b]) => a - b || i - j);
      const { timesUs, values } = sortByTime(points);
      expect([...timesUs]).toEqual(expected.map(([, time]) => time));
      expect([...values]).toEqual(expected.map(([at]) => at));
      expect([...points.timesUs]).toEqual(list);
    }),
    propertyRuns(300),
  );
});

test("a value on an edge is in the bucket below", () => {
  const values = Float64Array.of(-5, 1, 1.5, 5, 5.1, 10, 11);
  expect(countByBucket(values, [1, 5, 10])).toEqual([2, 2, 2, 1]);
  expect(countByBucket(values, [])).toEqual([7]);
});

test("texts are compared as SQL does", () => {
  const texts = ["", "a", "ab", "b", "é", "～", "🙂"];
  expect(texts.toReversed().toSorted(compareTexts)).toEqual(texts);
});

/** Up and down: hard for pivots from the ends and the middle. */
function organPipe(length: number): number[] {
  return Array.from({ length }, (_, i) => Math.min(i, length - i));
}

const NUMPY: readonly (readonly [number[], number[]])[] = [
  [
    [1.2, 2],
    [1.2, 1.24, 1.6, 1.92, 1.992, 1.9992, 2],
  ],
  [
    [15, 20, 35, 40, 50],
    [15, 16, 35, 46, 49.6, 49.96000000000001, 50],
  ],
  [
    [3.7, -1.1, 0.3, 12.9, 7.7, 7.7, -5.25],
    [-5.25, -4.005, 3.7, 9.780000000000001, 12.587999999999997, 12.868800000000004, 12.9],
  ],
];

const NUMPY_MANY = [
  14.294285714285715, 475.9997142857142, 714.7142857142857, 951.9994285714284, 1357.9571428571428,
  1429.2856285714283,
];
