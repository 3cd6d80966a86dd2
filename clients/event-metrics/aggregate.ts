// Numbers out of values: moments, counts by bucket, percentiles. All of the values, no sample.

import { selectAscending } from "./select.ts";

export const AGGREGATIONS = ["last", "min", "max", "mean", "count", "sum"] as const;

export type Aggregation = (typeof AGGREGATIONS)[number];

/** What sums up values so that it can be added to what sums up others. */
export interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export const NO_MOMENTS: Moments = { count: 0, sum: 0, min: Infinity, max: -Infinity };

export function momentsOf(values: Float64Array): Moments {
  let [sum, min, max] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { count: values.length, sum, min, max };
}

export function addMoments(a: Moments, b: Moments): Moments {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** Of no values count and sum are 0, and the others null. */
export function scalarOf(
  aggregation: Aggregation,
  moments: Moments,
  last: number | null,
): number | null {
  if (aggregation === "count" || aggregation === "sum") return moments[aggregation];
  if (moments.count === 0) return null;
  if (aggregation === "last") return last;
  return aggregation === "mean" ? moments.sum / moments.count : moments[aggregation];
}

/** How many values are at most each edge, and above the one before; the last are above all. */
export function countByBucket(values: Float64Array, edges: readonly number[]): number[] {
  const counts: number[] = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of values) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value > edges[middle]!) low = middle + 1;
      else high = middle;
    }
    counts[low]!++;
  }
  return counts;
}

/**
 * As `numpy.percentile` has them by default, linear between the two nearest values, to the last
 * bit: https://numpy.org/doc/stable/reference/generated/numpy.percentile.html. Puts the values into
 * another order. Of no values they are null.
 */
export function percentilesOf(
  values: Float64Array,
  percentiles: readonly number[],
): (number | null)[] {
  if (values.length === 0) return percentiles.map(() => null);
  const places = percentiles.map((percentile) => (values.length - 1) * (percentile / 100));
  const lower = places.map(Math.floor);
  const upper = places.map((place) => Math.min(Math.floor(place) + 1, values.length - 1));
  selectAscending(
    values,
    [...new Set([...lower, ...upper])].toSorted((a, b) => a - b),
  );
  return places.map((place, i) =>
    interpolate(values[lower[i]!]!, values[upper[i]!]!, place - lower[i]!),
  );
}

/** From the nearer end, which is how numpy rounds. */
function interpolate(low: number, high: number, share: number): number {
  const distance = high - low;
  return share >= 0.5 ? high - distance * (1 - share) : low + distance * share;
}
