// The counts now and a while ago, as one thing to ask: totals, rates, and quantiles of what
// happened in between. What statistics and health are made from.

import type { MetricSample } from "./history.ts";
import type { FamilyValues } from "./hub.ts";
import type { Metric } from "./metric.ts";
import type { Distribution, SeriesValue } from "./series.ts";

/** Values that labels must have. */
export type Where = Readonly<Record<string, string>>;

export class MetricView {
  /** What rates are over; null: nothing older is known yet. */
  readonly windowSeconds: number | null;
  readonly #now: ReadonlyMap<string, readonly SeriesValue[]>;
  readonly #before: MetricSample | null;

  /** `samples`: oldest first, as MetricHistory.since gives them. */
  constructor(
    families: readonly FamilyValues[],
    samples: readonly MetricSample[],
    nowMs: number,
    windowMs: number,
  ) {
    this.#now = new Map(families.map(({ metric, series }) => [metric.name, series]));
    const sinceMs = nowMs - windowMs;
    const before = samples.findLast(({ fromMs }) => fromMs <= sinceMs) ?? samples[0] ?? null;
    this.#before = before;
    // The sample held for a while; of that, the moment that is nearest to what was asked for.
    const heldMs =
      before === null ? nowMs : Math.min(Math.max(sinceMs, before.fromMs), before.atMs);
    this.windowSeconds = heldMs < nowMs ? (nowMs - heldMs) / 1_000 : null;
  }

  series(metric: Metric): readonly SeriesValue[] {
    return this.#now.get(metric.name) ?? [];
  }

  /** Of a counter or gauge, over all series that fit. */
  total(metric: Metric, where: Where = {}): number {
    return sumOf(metric, this.series(metric), where);
  }

  /** The largest of the series that fit; 0 when there is none. */
  max(metric: Metric, where: Where = {}): number {
    const fitting = this.series(metric).filter(fits(metric, where));
    return Math.max(0, ...fitting.map(({ value }) => Number(value)));
  }

  /** By how much it has grown within the window. */
  growth(metric: Metric, where: Where = {}): number {
    if (this.windowSeconds === null) return 0;
    const before = sumOf(metric, this.#before!.series[metric.name] ?? [], where);
    return Math.max(0, this.total(metric, where) - before);
  }

  perSecond(metric: Metric, where: Where = {}): number | null {
    return this.windowSeconds === null ? null : this.growth(metric, where) / this.windowSeconds;
  }

  /** Of what was observed within the window; null: nothing was. Exact to the width of a bucket. */
  quantile(metric: Metric, quantile: number, where: Where = {}): number | null {
    const now = countsOf(metric, this.series(metric), where);
    const before = countsOf(metric, this.#before?.series[metric.name] ?? [], where);
    return quantileOf(
      metric.buckets,
      now.map((count, at) => count - before[at]!),
      quantile,
    );
  }
}

export function sumOf(metric: Metric, series: readonly SeriesValue[], where: Where): number {
  const fitting = series.filter(fits(metric, where));
  return fitting.reduce((sum, { value }) => sum + (typeof value === "number" ? value : 0), 0);
}

function countsOf(metric: Metric, series: readonly SeriesValue[], where: Where): number[] {
  const counts = Array.from({ length: metric.buckets.length + 1 }, () => 0);
  for (const { value } of series.filter(fits(metric, where))) {
    for (const [at, count] of (value as Distribution).counts.entries()) counts[at]! += count;
  }
  return counts;
}

function fits(metric: Metric, where: Where) {
  const wanted = Object.entries(where).map(
    ([label, value]) => [metric.labels.indexOf(label), value] as const,
  );
  return ({ labels }: SeriesValue) => wanted.every(([at, value]) => labels[at] === value);
}

/** As Prometheus' histogram_quantile: evenly within a bucket; past the last bound, that bound. */
function quantileOf(
  bounds: readonly number[],
  counts: readonly number[],
  quantile: number,
): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    if (below + count >= quantile * total && count > 0) {
      if (at === bounds.length) return bounds.at(-1)!;
      const lower = at === 0 ? 0 : bounds[at - 1]!;
      return lower + (bounds[at]! - lower) * ((quantile * total - below) / count);
    }
    below += count;
  }
  return bounds.at(-1)!;
}
