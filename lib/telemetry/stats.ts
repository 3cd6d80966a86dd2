// The four dashboards as data: overview, queries, streams (measurements), resources. Made of the
// same counts that /metrics shows; rates are over the window that the view was made for.
//
// Numbers that cannot be known yet, or here, are null: rates before there is a sample to compare
// with, and what only a local server can measure. Shapes: docs/operations.md.

import type { MetricSample } from "./history.ts";
import type { Metric } from "./metric.ts";
import { type MetricView, sumOf } from "./metric-view.ts";
import * as buffer from "./metrics/buffer.ts";
import * as catalog from "./metrics/catalog.ts";
import * as events from "./metrics/events.ts";
import * as http from "./metrics/http.ts";
import * as ingest from "./metrics/ingest.ts";
import * as lake from "./metrics/lake.ts";
import * as query from "./metrics/query.ts";
import * as runtime from "./metrics/runtime.ts";

export type Stats = Readonly<Record<string, unknown>>;

export function overviewStats(view: MetricView): Stats {
  return {
    uptime_sec: Math.floor(view.total(runtime.uptimeSeconds)),
    databases: view.total(catalog.databases),
    measurements: view.total(catalog.tables),
    rows_total: view.total(ingest.rowsAccepted),
    rows_per_sec: view.perSecond(ingest.rowsAccepted),
    requests_total: view.total(http.requests),
    requests_per_sec: view.perSecond(http.requests),
    requests_active: view.total(http.active),
    errors_total: view.total(http.errors),
    errors_per_sec: view.perSecond(http.errors),
    queries_running: view.total(query.running),
    queries_total: view.total(query.started),
    queries_per_sec: view.perSecond(query.started),
    ack_sec: quantiles(view, ingest.ackSeconds),
    cpu_cores: local(view, runtime.processCpuSeconds, () =>
      view.perSecond(runtime.processCpuSeconds),
    ),
    memory_bytes: local(view, runtime.processMemoryBytes, () =>
      view.total(runtime.processMemoryBytes),
    ),
  };
}

export function queryStats(view: MetricView): Stats {
  const hits = view.growth(query.cacheHits);
  const reads = hits + view.growth(query.cacheMisses);
  return {
    running: view.total(query.running),
    slow_total: view.total(query.slow),
    cancelled_total: view.total(query.cancelled),
    timeouts_total: view.total(query.timedOut),
    cache_hit_ratio: reads === 0 ? null : hits / reads,
    engine_memory_bytes: view.total(query.engineMemoryBytes),
    files_pruned_total: view.total(query.filesPruned),
    files_read_total: view.total(query.filesRead),
    read_bytes_per_sec: view.perSecond(query.bytesRead),
    kinds: labelValues(view, query.started, 0).map((kind) => ({
      kind,
      started_total: view.total(query.started, { kind }),
      started_per_sec: view.perSecond(query.started, { kind }),
      rows_total: view.total(query.rowsReturned, { kind }),
      rows_per_sec: view.perSecond(query.rowsReturned, { kind }),
      errors_total: view.total(query.errors, { kind }),
      errors_per_sec: view.perSecond(query.errors, { kind }),
      latency_sec: quantiles(view, query.seconds, { kind }),
    })),
    errors: view.series(query.errors).map(({ labels: [kind, code], value }) => {
      return { kind, code, total: value };
    }),
  };
}

/** Of the databases that `isShown` lets through. */
export function streamStats(view: MetricView, isShown: (database: string) => boolean): Stats {
  const measurements = view
    .series(ingest.rowsAccepted)
    .map(({ labels: [database = "", measurement = ""] }) => ({ database, measurement }))
    .filter(({ database }) => isShown(database));
  const databases = labelValues(view, buffer.bytes, 0).filter(isShown);
  return {
    measurements: measurements.map((where) => ({
      ...where,
      rows_total: view.total(ingest.rowsAccepted, where),
      rows_per_sec: view.perSecond(ingest.rowsAccepted, where),
      rows_duplicate_total: view.total(ingest.rowsDuplicate, where),
      rows_rejected_total: view.total(ingest.rowsRejected, where),
      rows_rejected_per_sec: view.perSecond(ingest.rowsRejected, where),
    })),
    buffers: databases.map((database) => ({
      database,
      bytes: view.total(buffer.bytes, { database }),
      limit_bytes: view.total(buffer.bytesLimit),
      rows: view.total(buffer.rows, { database }),
      oldest_unflushed_sec: view.max(buffer.oldestSeconds, { database }),
      segments: Object.fromEntries(
        ["open", "sealed", "quarantined"].map((state) => {
          return [state, view.total(buffer.segments, { database, state })];
        }),
      ),
      backpressure_total: view.total(ingest.backPressure, { database }),
      backpressure_per_sec: view.perSecond(ingest.backPressure, { database }),
    })),
    subscribers: view.total(events.readers),
  };
}

export function resourceStats(view: MetricView): Stats {
  return {
    processes: labelValues(view, runtime.processMemoryBytes, 0).map((process) => ({
      process,
      cpu_seconds_total: view.total(runtime.processCpuSeconds, { process }),
      cpu_cores: view.perSecond(runtime.processCpuSeconds, { process }),
      memory_bytes: view.total(runtime.processMemoryBytes, { process }),
      threads: view.total(runtime.processThreads, { process }),
      open_files: view.total(runtime.processOpenFiles, { process }),
    })),
    connections: local(view, runtime.connections, () => view.total(runtime.connections)),
    disk: local(view, runtime.diskFreeBytes, () => ({
      free_bytes: view.total(runtime.diskFreeBytes),
      used_bytes: view.total(runtime.diskUsedBytes),
    })),
    isolates: view.series(runtime.isolates).map(({ labels: [component], value }) => {
      return { component, count: value };
    }),
    lake: {
      file_bytes: view.total(catalog.fileBytes),
      files: view.total(catalog.files),
      operations_per_sec: view.perSecond(lake.operations),
      read_bytes_per_sec: view.perSecond(lake.bytesRead),
      written_bytes_per_sec: view.perSecond(lake.bytesWritten),
    },
    network: {
      received_bytes_per_sec: view.perSecond(http.requestBytes),
      answered_bytes_per_sec: view.perSecond(query.bytesReturned),
    },
  };
}

/** What each point of the history tells, by its name. */
const TIMELINE: Readonly<Record<string, Metric>> = {
  rows_per_sec: ingest.rowsAccepted,
  requests_per_sec: http.requests,
  errors_per_sec: http.errors,
  queries_per_sec: query.started,
  backpressure_per_sec: ingest.backPressure,
  received_bytes_per_sec: http.requestBytes,
  lake_operations_per_sec: lake.operations,
  cpu_cores: runtime.processCpuSeconds,
};

const TIMELINE_GAUGES: Readonly<Record<string, Metric>> = {
  queries_running: query.running,
  memory_bytes: runtime.processMemoryBytes,
  threads: runtime.processThreads,
  connections: runtime.connections,
};

export interface TimelinePoint {
  readonly timestamp: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Rates between each sample and the next. */
export function timelineOf(samples: readonly MetricSample[]): TimelinePoint[] {
  return samples.slice(1).map((sample, at) => {
    const before = samples[at]!;
    const seconds = (sample.atMs - before.atMs) / 1_000;
    const total = (metric: Metric, { series }: MetricSample) =>
      sumOf(metric, series[metric.name] ?? [], {});
    const rates = Object.entries(TIMELINE).map(([name, metric]) => {
      return [name, Math.max(0, total(metric, sample) - total(metric, before)) / seconds] as const;
    });
    const gauges = Object.entries(TIMELINE_GAUGES).map(([name, metric]) => {
      return [name, total(metric, sample)] as const;
    });
    const values = Object.fromEntries([...rates, ...gauges]);
    return { timestamp: new Date(sample.atMs).toISOString(), values };
  });
}

function quantiles(view: MetricView, metric: Metric, where = {}) {
  return {
    p50: view.quantile(metric, 0.5, where),
    p95: view.quantile(metric, 0.95, where),
    p99: view.quantile(metric, 0.99, where),
  };
}

/** null where nobody measures it: on Cloudflare there are no processes. */
function local<T>(view: MetricView, metric: Metric, value: () => T): T | null {
  return view.series(metric).length === 0 ? null : value();
}

function labelValues(view: MetricView, metric: Metric, at: number): string[] {
  return [...new Set(view.series(metric).map(({ labels }) => labels[at]!))];
}
