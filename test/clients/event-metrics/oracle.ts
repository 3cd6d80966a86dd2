// Metrics as they are defined, in the plainest way: a list of points that every question goes
// through from one end to the other.

import type { Labels, SeriesKind } from "../../../clients/event-metrics/series.ts";

export interface RecordedPoint {
  readonly kind: SeriesKind;
  readonly name: string;
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

export interface OraclePoint {
  readonly timeMs: number;
  readonly value: number;
}

/** What a question about the name and labels sees, from a time on. */
export function oraclePoints(
  recorded: readonly RecordedPoint[],
  name: string,
  labels: Labels,
  fromMs: number,
): OraclePoint[] {
  const matching = recorded.filter(
    (point) =>
      point.name === name &&
      Object.entries(labels).every(([key, value]) => String(point.labels[key]) === String(value)),
  );
  const ordered = matching.toSorted(
    (a, b) =>
      a.timeMs - b.timeMs ||
      compareText(a.kind, b.kind) ||
      compareText(canonical(a.labels), canonical(b.labels)),
  );
  let total = 0;
  return ordered
    .map(({ kind, timeMs, value }) => {
      return { timeMs, value: kind === "increment" ? (total += value) : value };
    })
    .filter(({ timeMs }) => timeMs >= fromMs);
}

export function oracleScalar(points: readonly OraclePoint[], agg: string): number | null {
  const values = points.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  if (agg === "count") return values.length;
  if (agg === "sum") return sum;
  if (values.length === 0) return null;
  if (agg === "last") return values.at(-1)!;
  if (agg === "mean") return sum / values.length;
  return agg === "min" ? Math.min(...values) : Math.max(...values);
}

export function oracleSeries(recorded: readonly RecordedPoint[]): Set<string> {
  return new Set(
    recorded.map(({ kind, name, labels }) => JSON.stringify([kind, name, canonical(labels)])),
  );
}

/** By the book: sort, and go the part of the way to the next. */
export function oraclePercentile(
  points: readonly OraclePoint[],
  percentile: number,
): number | null {
  const sorted = points.map(({ value }) => value).toSorted((a, b) => a - b);
  if (sorted.length === 0) return null;
  const place = (sorted.length - 1) * (percentile / 100);
  const low = sorted[Math.floor(place)]!;
  const high = sorted[Math.ceil(place)]!;
  return low + (high - low) * (place - Math.floor(place));
}

export function oracleBuckets(points: readonly OraclePoint[], edges: readonly number[]): number[] {
  return [...edges, Infinity].map(
    (edge, at) =>
      points.filter(({ value }) => value <= edge && (at === 0 || value > edges[at - 1]!)).length,
  );
}

function canonical(labels: Labels): string {
  const keys = Object.keys(labels).toSorted();
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, String(labels[key])])));
}

function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
