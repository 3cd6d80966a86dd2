// From the rows of a query to what they say of each label set.
//
// The first column of numbers is the value, columns of text and booleans are labels. Rows with the
// same labels are one: the first that meets the condition, or else the first. An anomaly's rows
// also have a time, the first column of that type: all but the newest whole bucket are history.
//
// Refuses (`alert_result_invalid`) an answer without a column of numbers, or of times.

import { LIMITS } from "#lib/base/limits.ts";
import type { AlertRows, AnomalyTest, Cell, Observation, RuleTest, Sample } from "./types.ts";
import { invalid } from "./alert-rows.ts";
import { expectedAt, isUnusual, type SeriesPoint } from "./baseline.ts";

type Labels = Readonly<Record<string, string>>;
type Condition = Extract<RuleTest, { kind: "condition" }>;

/** Label sets without a value are not among them. Those that meet the condition come first. */
export function observe(test: Condition | AnomalyTest, rows: AlertRows, nowMs: number) {
  const found =
    test.kind === "condition" ? observeCondition(test, rows) : observeAnomaly(test, rows, nowMs);
  return found.toSorted((a, b) => Number(b.isMet) - Number(a.isMet));
}

/** The same text for the same labels, whatever their order. */
export function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every number of the rows, by its column and the row's labels; of equal ones the last. */
export function samplesOf(rows: AlertRows): Sample[] {
  demandKind(rows, "number", "a metric");
  const samples = new Map<string, Sample>();
  for (const row of rows.rows) {
    const labels = labelsOf(rows, row);
    for (const [at, { name, kind }] of rows.columns.entries()) {
      const value = row[at];
      if (kind !== "number" || typeof value !== "number") continue;
      samples.set(`${name} ${labelKey(labels)}`, { series: name, labels, value });
    }
  }
  return [...samples.values()];
}

function observeCondition(test: Condition, rows: AlertRows): Observation[] {
  const at = demandKind(rows, "number", "a condition");
  const seen = new Map<string, Observation>();
  for (const row of rows.rows) {
    const value = row[at];
    if (typeof value !== "number") continue;
    const labels = labelsOf(rows, row);
    const key = labelKey(labels);
    const isMet = holds(value, test);
    const before = seen.get(key);
    if (before !== undefined && (before.isMet === true || !isMet)) continue;
    seen.set(key, { labels, value, expected: null, isMet });
  }
  return [...seen.values()];
}

function holds(value: number, { operator, threshold }: Condition): boolean {
  switch (operator) {
    case ">":
      return value > threshold;
    case ">=":
      return value >= threshold;
    case "<":
      return value < threshold;
    case "<=":
      return value <= threshold;
    case "==":
      return value === threshold;
    case "!=":
      return value !== threshold;
  }
}

function observeAnomaly(test: AnomalyTest, rows: AlertRows, nowMs: number): Observation[] {
  const valueAt = demandKind(rows, "number", "an anomaly");
  const timeAt = demandKind(rows, "time", "an anomaly");
  const series = new Map<string, { labels: Labels; points: SeriesPoint[] }>();
  for (const row of rows.rows) {
    const [timeMs, value] = [row[timeAt], row[valueAt]];
    if (typeof timeMs !== "number" || typeof value !== "number") continue;
    // The bucket that is still being filled says nothing yet.
    if (timeMs + test.bucketMs > nowMs) continue;
    const labels = labelsOf(rows, row);
    const key = labelKey(labels);
    const one = series.get(key) ?? { labels, points: [] };
    one.points.push({ timeMs, value });
    series.set(key, one);
  }
  return [...series.values()].flatMap(({ labels, points }) => judge(test, labels, points, nowMs));
}

/** None where the newest bucket is old: the label set is then missing. */
function judge(
  test: AnomalyTest,
  labels: Labels,
  points: readonly SeriesPoint[],
  nowMs: number,
): Observation[] {
  const newest = points.reduce((a, b) => (b.timeMs > a.timeMs ? b : a));
  if (newest.timeMs + BUCKETS_LATE_MAX * test.bucketMs <= nowMs) return [];
  const history = points.filter(({ timeMs }) => timeMs < newest.timeMs);
  const expected = expectedAt(newest.timeMs, history, test);
  const { value } = newest;
  const isMet = expected === null ? null : isUnusual(value, expected, test.direction);
  return [{ labels, value, expected, isMet }];
}

/** Rows may come late: one whole bucket without any is not yet missing. */
const BUCKETS_LATE_MAX = 3;

function labelsOf({ columns }: AlertRows, row: readonly Cell[]): Labels {
  const labels: Record<string, string> = {};
  let count = 0;
  for (const [at, { name, kind }] of columns.entries()) {
    const cell = row[at] ?? null;
    if (kind !== "text" || cell === null || count++ >= LIMITS.alertLabelsMax) continue;
    labels[name] = String(cell).slice(0, LIMITS.alertLabelCharsMax);
  }
  return labels;
}

const IN_WORDS = { number: "a number", time: "a time" } as const;

function demandKind({ columns }: AlertRows, kind: "number" | "time", what: string): number {
  const at = columns.findIndex((column) => column.kind === kind);
  // A query that finds no row may find no column either.
  if (at !== -1 || columns.length === 0) return at;
  throw invalid(`the query of ${what} must answer with ${IN_WORDS[kind]}; it has no such column`);
}
