// Counts as Arc's clients read them (its VS Code extension and Launchpad): the same numbers that
// /metrics shows, under Arc's names. What only a Go process has is left out.
//
//   GET /api/v1/metrics[/memory|/endpoints|/query-pool|/timeseries/:type?duration_minutes=30]

import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { json } from "#lib/http/respond.ts";
import type { Metric } from "#lib/telemetry/metric.ts";
import type { MetricView } from "#lib/telemetry/metric-view.ts";
import * as buffer from "#lib/telemetry/metrics/buffer.ts";
import * as catalog from "#lib/telemetry/metrics/catalog.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import * as lake from "#lib/telemetry/metrics/lake.ts";
import * as query from "#lib/telemetry/metrics/query.ts";
import * as runtime from "#lib/telemetry/metrics/runtime.ts";
import * as upkeep from "#lib/telemetry/metrics/upkeep.ts";
import type { Distribution } from "#lib/telemetry/series.ts";
import { timelineOf } from "#lib/telemetry/stats.ts";
import type { Arrival } from "./arrival.ts";
import { demandMetricsAccess } from "./metrics.ts";
import { viewOf } from "./stats.ts";

const WINDOW_S = 60;
const DURATION_DEFAULT_MIN = 30;
const DURATION_MAX_MIN = LIMITS.metricHistoryMs / 60_000;

export async function snapshot(arrival: Arrival): Promise<Response> {
  return await answer(arrival, (view) => ({
    uptime_seconds: Math.floor(view.total(runtime.uptimeSeconds)),
    memory_alloc_bytes: view.total(runtime.processMemoryBytes),
    ...Object.fromEntries(
      Object.entries(groupsOf(view)).flatMap(([group, values]) =>
        FLAT_GROUPS.has(group) ? Object.entries(values) : [],
      ),
    ),
  }));
}

export async function memory(arrival: Arrival): Promise<Response> {
  return await answer(arrival, (view) => ({
    alloc_bytes: view.total(runtime.processMemoryBytes),
    engine_bytes: view.total(query.engineMemoryBytes),
    cache_bytes: view.total(query.cacheBytes),
    buffer_bytes: view.total(buffer.bytes),
  }));
}

export async function endpoints(arrival: Arrival): Promise<Response> {
  return await answer(arrival, groupsOf);
}

/** Engines are the connections of Arc's pool. */
export async function queryPool(arrival: Arrival): Promise<Response> {
  return await answer(arrival, (view) => ({
    in_use: view.total(query.running),
    engine_starts_total: view.total(query.engineStarts),
    memory_bytes: view.total(query.engineMemoryBytes),
  }));
}

/** Of one of three kinds, which differ in which values the points have. */
const TIMESERIES: Readonly<Record<string, readonly string[]>> = {
  system: ["cpu_cores", "memory_bytes", "threads", "connections"],
  application: ["rows_per_sec", "queries_per_sec", "queries_running", "lake_operations_per_sec"],
  api: ["requests_per_sec", "errors_per_sec", "received_bytes_per_sec"],
};

export async function timeseries(arrival: Arrival): Promise<Response> {
  await demandMetricsAccess(arrival);
  const { pathname, searchParams } = new URL(arrival.request.url);
  const type = pathname.split("/")[5] ?? "";
  const names = Object.hasOwn(TIMESERIES, type) ? TIMESERIES[type]! : null;
  if (names === null) throw wrongParameter("type", "system, application or api");
  const minutes = Number(searchParams.get("duration_minutes") || DURATION_DEFAULT_MIN);
  if (!(minutes > 0)) throw wrongParameter("duration_minutes", "a number of minutes");
  const duration = Math.min(minutes, DURATION_MAX_MIN);
  const { samples, nowMs } = await viewOf(arrival, WINDOW_S, duration * 60);
  const data = timelineOf(samples).map(({ timestamp, values }) => {
    return { timestamp, values: Object.fromEntries(names.map((name) => [name, values[name]])) };
  });
  return json({
    timestamp: new Date(nowMs).toISOString(),
    type,
    duration_minutes: duration,
    points_count: data.length,
    data,
  });
}

/** Those whose names say what they are of. */
const FLAT_GROUPS = new Set(["http", "ingestion", "query"]);

function groupsOf(view: MetricView): Record<string, Record<string, number>> {
  const protocol = (name: string) => ({
    requests_total: view.total(ingest.batchesOffered, { protocol: name }),
    bytes_total: view.total(ingest.bodyBytes, { protocol: name }),
    errors_total: view.total(ingest.batchesRejected, { protocol: name }),
  });
  return {
    http: httpGroup(view),
    ingestion: {
      ingest_records_total: view.total(ingest.rowsAccepted),
      ingest_bytes_total: view.total(ingest.bodyBytes),
      ingest_batches_total: view.total(ingest.batchesOffered),
      ingest_errors_total: view.total(ingest.batchesRejected),
    },
    msgpack: protocol("msgpack"),
    lineprotocol: protocol("line-protocol"),
    query: queryGroup(view),
    buffer: {
      records: view.total(buffer.rows),
      bytes: view.total(buffer.bytes),
      flushes_total: view.total(buffer.segmentsReleased),
      errors_total: view.total(buffer.flushFailures),
    },
    storage: {
      reads_total: view.total(lake.operations, { operation: "get" }),
      writes_total: view.total(lake.operations, { operation: "put" }),
      errors_total: view.total(lake.operations, { outcome: "error" }),
      read_bytes_total: view.total(lake.bytesRead),
      write_bytes_total: view.total(lake.bytesWritten),
      files: view.total(catalog.files),
    },
    compaction: {
      jobs_total: view.total(upkeep.jobsFinished, { kind: "compaction" }),
      success_total: view.total(upkeep.jobsFinished, { kind: "compaction", outcome: "done" }),
      failed_total: view.total(upkeep.jobsFinished, { kind: "compaction", outcome: "failed" }),
    },
    auth: { failures_total: view.total(http.authFailures) },
  };
}

function httpGroup(view: MetricView) {
  const total = view.total(http.requests);
  const failed = view.total(http.errors);
  return {
    http_requests_total: total,
    http_requests_success: total - failed,
    http_requests_error: failed,
    ...latency(view, "http", http.requestSeconds),
  };
}

function queryGroup(view: MetricView) {
  return {
    query_requests_total: view.total(query.started),
    query_success_total: view.total(query.finished, { outcome: "done" }),
    query_errors_total: view.total(query.errors),
    query_rows_total: view.total(query.rowsReturned),
    ...latency(view, "query", query.seconds),
  };
}

function latency(view: MetricView, prefix: string, metric: Metric): Record<string, number> {
  const distributions = view.series(metric).map(({ value }) => value as Distribution);
  const counts = distributions.flatMap((one) => one.counts);
  const seconds = distributions.reduce((sum, one) => sum + one.sum, 0);
  return {
    [`${prefix}_latency_sum_us`]: Math.round(seconds * 1e6),
    [`${prefix}_latency_count`]: counts.reduce((sum, count) => sum + count, 0),
  };
}

async function answer(
  arrival: Arrival,
  values: (view: MetricView) => Record<string, unknown>,
): Promise<Response> {
  await demandMetricsAccess(arrival);
  const { view, nowMs } = await viewOf(arrival, WINDOW_S);
  return json({ timestamp: new Date(nowMs).toISOString(), ...values(view) });
}
