// What is drawn of a metric: its course in steps of time, its distribution, its percentiles.
//
// Every point counts, none is sampled: a step has the mean of its points and the least and greatest
// of them, so that a single outlier among millions is still on the page.

import { countByBucket, momentsOf, percentilesOf } from "./aggregate.ts";
import { indexFrom } from "./points.ts";

export interface Plot {
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: number | null;
  readonly steps: readonly PlotStep[];
  readonly histogram: readonly HistogramBar[];
  readonly percentiles: readonly (readonly [number, number | null])[];
}

/** Steps without a point are left out. Times are milliseconds. */
export interface PlotStep {
  readonly time: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

export interface HistogramBar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const STEPS = 240;
const BARS = 30;
const PERCENTILES = [1, 10, 25, 50, 75, 90, 95, 99, 99.9];

/** Times must be sorted. */
export function plotOf([times, values]: readonly [Float64Array, Float64Array]): Plot {
  const { count, sum, min, max } = momentsOf(values);
  const ofSome = (value: number) => (count === 0 ? null : value);
  return {
    count,
    min: ofSome(min),
    max: ofSome(max),
    mean: ofSome(sum / count),
    last: values.at(-1) ?? null,
    steps: count === 0 ? [] : stepsOf(times, values),
    histogram: count === 0 ? [] : barsOf(values, min, max),
    percentiles: percentilesOf(values.slice(), PERCENTILES).map((value, at) => [
      PERCENTILES[at]!,
      value,
    ]),
  };
}

function stepsOf(times: Float64Array, values: Float64Array): PlotStep[] {
  const [first, last] = [times[0]!, times.at(-1)!];
  const stepMs = (last - first) / STEPS || 1;
  const steps: PlotStep[] = [];
  for (let step = 0, from = 0; from < times.length; step++) {
    const end = step >= STEPS - 1 ? Infinity : first + (step + 1) * stepMs;
    const to = indexFrom(times, end);
    if (to === from) continue;
    const { count, sum, min, max } = momentsOf(values.subarray(from, to));
    steps.push({ time: first + (step + 0.5) * stepMs, min, mean: sum / count, max });
    from = to;
  }
  return steps;
}

function barsOf(values: Float64Array, min: number, max: number): HistogramBar[] {
  if (min === max) return [{ from: min, to: max, count: values.length }];
  const edges = Array.from({ length: BARS - 1 }, (_, i) => min + ((i + 1) / BARS) * (max - min));
  const counts = countByBucket(values, edges);
  return counts.map((count, at) => {
    return { from: edges[at - 1] ?? min, to: edges[at] ?? max, count };
  });
}
