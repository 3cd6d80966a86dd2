// What the hub counted at each ten seconds of the last hour, so that rates can be told without a
// Prometheus beside us. Stored, because the object that keeps it comes and goes: nothing is lost
// with it but the samples of the time when nobody reported, in which nothing changed.
//
// A sample is taken just before a report is added, and says since when it had been so: from the
// report before. So the counts at a moment in the past are known exactly, to the length of a step.

import { LIMITS } from "#lib/base/limits.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import type { FamilyValues } from "./hub.ts";
import type { Metric } from "./metric.ts";
import * as buffer from "./metrics/buffer.ts";
import * as catalog from "./metrics/catalog.ts";
import * as flush from "./metrics/flush.ts";
import * as http from "./metrics/http.ts";
import * as ingest from "./metrics/ingest.ts";
import * as lake from "./metrics/lake.ts";
import * as query from "./metrics/query.ts";
import * as runtime from "./metrics/runtime.ts";
import type { SeriesValue } from "./series.ts";

export interface MetricSample {
  /** The counts were these from here … */
  readonly fromMs: number;
  /** … to here. */
  readonly atMs: number;
  /** Metric's name to its series, the largest ones. */
  readonly series: Readonly<Record<string, readonly SeriesValue[]>>;
}

const SAMPLED: ReadonlySet<Metric> = new Set<Metric>([
  http.requests,
  http.errors,
  http.requestBytes,
  ingest.rowsAccepted,
  ingest.rowsDuplicate,
  ingest.rowsRejected,
  ingest.backPressure,
  ingest.ackSeconds,
  buffer.hintsFailed,
  buffer.hintsRepeated,
  catalog.gcRuns,
  catalog.gcFailures,
  flush.rows,
  lake.operations,
  lake.bytesRead,
  lake.bytesWritten,
  query.started,
  query.finished,
  query.errors,
  query.seconds,
  query.rowsReturned,
  query.bytesRead,
  query.bytesReturned,
  query.running,
  runtime.processCpuSeconds,
  runtime.processMemoryBytes,
  runtime.processThreads,
  runtime.connections,
]);

const SCHEMA = `
CREATE TABLE IF NOT EXISTS metric_sample (
  at_ms INTEGER PRIMARY KEY,
  from_ms INTEGER NOT NULL,
  series TEXT NOT NULL
);
`;

export class MetricHistory {
  readonly #store: SqlStore;
  #lastMs: number;

  constructor(store: SqlStore) {
    this.#store = store;
    store.exec(SCHEMA);
    const sql = "SELECT max(at_ms) AS lastMs FROM metric_sample";
    this.#lastMs = store.exec<{ lastMs: number | null }>(sql)[0]!.lastMs ?? 0;
  }

  isDue(nowMs: number): boolean {
    return nowMs - this.#lastMs >= LIMITS.metricSampleEveryMs;
  }

  /** As it was from `fromMs` until now. */
  keep(families: readonly FamilyValues[], fromMs: number, nowMs: number): void {
    const series = families
      .filter(({ metric }) => SAMPLED.has(metric))
      .map(({ metric, series: all }) => [metric.name, largest(all)]);
    const text = JSON.stringify(Object.fromEntries(series));
    const oldestMs = nowMs - LIMITS.metricHistoryMs;
    this.#store.exec("DELETE FROM metric_sample WHERE at_ms < ?", oldestMs);
    const sql = "INSERT OR REPLACE INTO metric_sample (at_ms, from_ms, series) VALUES (?, ?, ?)";
    this.#store.exec(sql, nowMs, fromMs, text);
    this.#lastMs = nowMs;
  }

  /** Oldest first; the first one holds at `sinceMs`, if there is one that old. */
  since(sinceMs: number): MetricSample[] {
    const rows = this.#store.exec<{ fromMs: number; atMs: number; series: string }>(
      `SELECT from_ms AS fromMs, at_ms AS atMs, series FROM metric_sample WHERE at_ms >= coalesce(
         (SELECT max(at_ms) FROM metric_sample WHERE from_ms <= ?), 0) ORDER BY at_ms`,
      sinceMs,
    );
    return rows.map(({ fromMs, atMs, series }) => ({ fromMs, atMs, series: JSON.parse(series) }));
  }
}

/** What is left out has no rate; its totals are told all the same. */
function largest(series: readonly SeriesValue[]): readonly SeriesValue[] {
  if (series.length <= LIMITS.metricSampleSeriesMax) return series;
  const size = ({ value }: SeriesValue) => (typeof value === "number" ? value : value.sum);
  return series.toSorted((a, b) => size(b) - size(a)).slice(0, LIMITS.metricSampleSeriesMax);
}
