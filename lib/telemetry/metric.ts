// What a metric is. Every one that there is stands in metrics/, one file per component, and
// docs/metrics.md is generated from there.
//
// Names follow Prometheus (https://prometheus.io/docs/practices/naming/): `sluice_<component>_…`,
// base units at the end, `_total` on counters. Labels come from sets that are bounded, by their
// nature or by the cap on series (meter.ts and hub.ts).

export type MetricKind = "counter" | "gauge" | "histogram";

export interface Metric<Label extends string = string> {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds, rising; the last bucket, up to infinity, is not listed. Histograms only. */
  readonly buckets: readonly number[];
  /** How a gauge that many isolates tell of becomes one number. */
  readonly merge: "sum" | "max";
}

/** Labels whose values users choose. Past the cap on series they are counted under `_other`. */
export const OPEN_LABELS: ReadonlySet<string> = new Set([
  "database",
  "measurement",
  "token",
  "rule",
  "series",
]);
export const OVERFLOW = "_other";

/** 100 µs to 60 s: from a cached answer to the deadline of a query. */
export const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** 1 kB to 1 GB. */
export const BYTES_BUCKETS = [1e3, 1e4, 1e5, 1e6, 4e6, 1.6e7, 6.4e7, 2.56e8, 1e9];
export const ROWS_BUCKETS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

export function counter<Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): Metric<Label> {
  return { name, kind: "counter", help, labels, buckets: [], merge: "sum" };
}

export function gauge<Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
  merge: "sum" | "max" = "sum",
): Metric<Label> {
  return { name, kind: "gauge", help, labels, buckets: [], merge };
}

export function histogram<Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): Metric<Label> {
  return { name, kind: "histogram", help, labels, buckets, merge: "sum" };
}
