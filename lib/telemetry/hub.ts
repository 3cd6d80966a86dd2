// Where the counts of all isolates meet. Shell: durable-objects/telemetry-hub.ts.
//
// A report is added and its number noted in one transaction, so one that comes twice counts once.
// Totals are shown only when they are stored: after a crash no counter is lower than it was ever
// shown, and Prometheus sees neither a reset nor a jump.
//
// Totals are kept as one text per component of the system, because Cloudflare bills rows written:
// a report touches a few rows, however many series it tells of.

import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import { MetricHistory, type MetricSample } from "./history.ts";
import { joinFamilies } from "./join-families.ts";
import type { Metric } from "./metric.ts";
import type { MetricReport } from "./meter.ts";
import { METRICS, type MetricGroup } from "./metrics.ts";
import * as runtime from "./metrics/runtime.ts";
import { type SeriesValue, SeriesTable } from "./series.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS metric_group (
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  series TEXT NOT NULL,
  PRIMARY KEY (name, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metric_source (
  source TEXT PRIMARY KEY,
  component TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  heard_ms INTEGER NOT NULL
) WITHOUT ROWID;
`;

/** A row of a Durable Object holds 2 MB; a character takes up to three bytes. */
const PART_LENGTH = 500_000;
/** Gauges of a source that is silent for longer are those of an isolate that is no more. */
const SOURCE_IS_GONE_MS = 120_000;
/** A source that repeats a report after this long would be counted twice. None waits so long. */
const FORGET_SOURCE_MS = 24 * 3_600_000;
const FORGET_EVERY_MS = 600_000;

export interface FamilyValues {
  readonly metric: Metric;
  readonly series: readonly SeriesValue[];
}

interface Source {
  readonly component: string;
  readonly heardMs: number;
  readonly gauges: Readonly<Record<string, readonly SeriesValue[]>>;
}

export class TelemetryHubCore {
  readonly #store: SqlStore;
  readonly #clock: Clock;
  readonly #groups = new Map<string, SeriesTable>();
  readonly #sources = new Map<string, Source>();
  readonly #history: MetricHistory;
  readonly #startMs: number;
  #forgottenMs = 0;
  #reportedMs: number;

  constructor({ store, clock }: { readonly store: SqlStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    store.exec(SCHEMA);
    this.#history = new MetricHistory(store);
    this.#startMs = clock.nowMs();
    const sql = "SELECT max(heard_ms) AS heardMs FROM metric_source";
    this.#reportedMs = store.exec<{ heardMs: number | null }>(sql)[0]!.heardMs ?? this.#startMs;
    this.#restore();
  }

  /** Adds what is new in the report, once. */
  report(report: MetricReport): void {
    const { source, component, sequence, gauges } = report;
    const nowMs = this.#clock.nowMs();
    this.#sources.set(source, { component, heardMs: nowMs, gauges });
    const last = this.#lastSequence(source);
    if (sequence <= last) return;
    try {
      this.#store.transact(() => {
        this.#forgetSources(nowMs);
        if (this.#history.isDue(nowMs)) {
          this.#history.keep(this.families(), this.#reportedMs, nowMs);
        }
        const sql = "INSERT OR REPLACE INTO metric_source VALUES (?, ?, ?, ?)";
        this.#store.exec(sql, source, component, sequence, nowMs);
        const counted = { ...report, differences: withOwnCounts(report, last === 0) };
        for (const group of METRICS) this.#addTo(group, counted);
      });
      this.#reportedMs = nowMs;
    } catch (error) {
      // What is in memory must not be ahead of what is stored: the report will come again.
      this.#restore();
      throw error;
    }
  }

  /** Every metric that is counted here, also those without a series yet. */
  families(): FamilyValues[] {
    const nowMs = this.#clock.nowMs();
    const live = [...this.#sources.values()].filter((one) => isLive(one, nowMs));
    live.push(this.#ownGauges(live, nowMs));
    return METRICS.flatMap(({ name, metrics }) =>
      metrics.map((metric) => {
        const isGauge = metric.kind === "gauge";
        const counted = this.#groups.get(name)!;
        const series = isGauge ? mergeGauges(metric, live) : counted.seriesOf(metric);
        return { metric, series: series.length === 0 ? zeroOf(metric) : series };
      }),
    );
  }

  /** What the counts were, from a moment on; an hour is kept. */
  samples(sinceMs: number): MetricSample[] {
    return this.#history.since(sinceMs);
  }

  #ownGauges(live: readonly Source[], nowMs: number): Source {
    const byComponent = Map.groupBy(live, ({ component }) => component);
    const isolates = [...byComponent].map(([component, { length: value }]) => {
      return { labels: [component], value };
    });
    const uptime = [{ labels: [], value: (nowMs - this.#startMs) / 1_000 }];
    const gauges = { [runtime.isolates.name]: isolates, [runtime.uptimeSeconds.name]: uptime };
    return { component: "hub", heardMs: nowMs, gauges };
  }

  #addTo({ name, metrics }: MetricGroup, { differences }: MetricReport): void {
    const told = metrics.filter((metric) => differences[metric.name] !== undefined);
    if (told.length === 0) return;
    const group = this.#groups.get(name)!;
    for (const metric of told) {
      for (const series of differences[metric.name]!) group.merge(metric, series);
    }
    const text = JSON.stringify(group.snapshot());
    this.#store.exec("DELETE FROM metric_group WHERE name = ?", name);
    for (let at = 0; at < text.length; at += PART_LENGTH) {
      const part = text.slice(at, at + PART_LENGTH);
      this.#store.exec("INSERT INTO metric_group VALUES (?, ?, ?)", name, at, part);
    }
  }

  #restore(): void {
    for (const { name, metrics } of METRICS) {
      const kept = this.#storedSeries(name);
      const table = new SeriesTable(LIMITS.metricSeriesMax);
      for (const metric of metrics) {
        // A metric whose labels changed with a release begins anew.
        const isFitting = ({ labels }: SeriesValue) => labels.length === metric.labels.length;
        const series = (kept[metric.name] ?? []).filter(isFitting);
        for (const one of series) table.merge(metric, one);
      }
      this.#groups.set(name, table);
    }
  }

  #storedSeries(name: string): Record<string, SeriesValue[]> {
    const sql = "SELECT series FROM metric_group WHERE name = ? ORDER BY part";
    const parts = this.#store.exec<{ series: string }>(sql, name);
    return parts.length === 0 ? {} : JSON.parse(parts.map(({ series }) => series).join(""));
  }

  #lastSequence(source: string): number {
    const sql = "SELECT sequence FROM metric_source WHERE source = ?";
    return this.#store.exec<{ sequence: number }>(sql, source)[0]?.sequence ?? 0;
  }

  #forgetSources(nowMs: number): void {
    if (nowMs - this.#forgottenMs < FORGET_EVERY_MS) return;
    this.#forgottenMs = nowMs;
    this.#store.exec("DELETE FROM metric_source WHERE heard_ms < ?", nowMs - FORGET_SOURCE_MS);
    for (const [source, one] of this.#sources) {
      if (!isLive(one, nowMs)) this.#sources.delete(source);
    }
  }
}

function withOwnCounts(
  { component, differences }: MetricReport,
  isFirst: boolean,
): MetricReport["differences"] {
  const reports = { [runtime.reports.name]: [{ labels: [], value: 1 }] };
  const starts = { [runtime.isolateStarts.name]: [{ labels: [component], value: 1 }] };
  return { ...differences, ...reports, ...(isFirst ? starts : {}) };
}

/** A counter is there before it counts: else its first step is none to Prometheus. */
function zeroOf({ kind, labels }: Metric): SeriesValue[] {
  return kind === "counter" && labels.length === 0 ? [{ labels: [], value: 0 }] : [];
}

function isLive({ heardMs }: Source, nowMs: number): boolean {
  return nowMs - heardMs < SOURCE_IS_GONE_MS;
}

function mergeGauges(metric: Metric, sources: readonly Source[]): SeriesValue[] {
  const told = sources.map(({ gauges }) => ({ metric, series: gauges[metric.name] ?? [] }));
  return joinFamilies(told)[0]?.series.slice() ?? [];
}
