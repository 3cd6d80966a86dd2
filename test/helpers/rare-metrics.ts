// Metrics that only a fault feeds, or the passing of hours, each with the smallest event that does,
// told to the code that turns it into the metric. What feeds all others: test/e2e/metrics.test.ts.

import { vi } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import type { BufferEvent } from "#lib/buffer/segments.ts";
import type { CommitRequest } from "#lib/catalog/types.ts";
import type { UpkeepEvent } from "#lib/upkeep/upkeep.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import type { Log } from "#platform/log.ts";
import { countJob } from "#platform/job-telemetry.ts";
import { createTracer, keepLog, reportNow } from "#platform/telemetry.ts";
import { tellOfBuffer } from "../../durable-objects/buffer-telemetry.ts";
import { countCommit, tellOfUpkeep } from "../../durable-objects/catalog-telemetry.ts";
import { RequestTelemetry } from "../../workers/ingest/request-telemetry.ts";
import { telemetryOf } from "../../workers/query/query-telemetry.ts";
import { newProgress } from "../../workers/query/run-query.ts";

const error = new SluiceError("store_unavailable", "the store is away");
const segmentId = "1-0-1";
const LOG: Log = { debug() {}, info() {}, warn() {}, error() {}, within: () => LOG };

export const RARE: Readonly<Record<string, () => void | Promise<void>>> = {
  sluice_buffer_hints_repeated_total: () =>
    buffer({ event: "hint_sent", segmentId, isRepeat: true }),
  sluice_buffer_hints_failed_total: () => buffer({ event: "hint_failed", segmentId, error }),
  sluice_buffer_inline_flushes_total: () => buffer({ event: "flushing_here", segmentId }),
  sluice_buffer_flush_failures_total: () => buffer({ event: "try_failed", segmentId, code: "bug" }),
  sluice_buffer_segments_quarantined_total: () =>
    buffer({ event: "segment_quarantined", segmentId, error: "bug" }),
  sluice_buffer_alarm_failures_total: () => buffer({ event: "alarm_failed", error }),
  sluice_buffer_append_failures_total: () => buffer({ event: "append_failed", error }),
  sluice_ingest_backpressure_total: () => {
    const request = new Request("http://sluice/api/v1/write/msgpack", { method: "POST" });
    const telemetry = new RequestTelemetry(request, "0");
    telemetry.routed("/api/v1/write/msgpack");
    telemetry.offer("default", [{ measurement: "cpu", rowCount: 1 }]);
    telemetry.finish(503, "buffer_full");
  },
  sluice_catalog_commits_repeated_total: () => countCommit(COMMIT, { version: 1, isRepeat: true }),
  sluice_catalog_commit_refusals_total: () =>
    countCommit(COMMIT, { refused: "files_changed", message: "", detail: {} }),
  sluice_gc_runs_total: () => upkeep(GARBAGE_GONE),
  sluice_gc_objects_deleted_total: () => upkeep(GARBAGE_GONE),
  sluice_gc_failures_total: () => upkeep({ event: "task_failed", task: "garbage", error }),
  sluice_upkeep_hints_failed_total: () => upkeep({ event: "hints_failed", error }),
  sluice_upkeep_jobs_given_way_total: async () => {
    await countJob({ kind: "compaction", databaseId: 1, jobId: 1 }, async () => "gave_way");
  },
  sluice_query_slow_total: () => query("done", 2_000),
  sluice_query_cancelled_total: () => query("query_cancelled", 0),
  sluice_query_timeouts_total: () => query("query_timeout", 0),
  sluice_telemetry_spans_dropped_total: async () => {
    createTracer("test", "1").start("lost", null).end();
    await reportNow("test", UNREACHABLE);
  },
  sluice_telemetry_logs_dropped_total: async () => {
    const traceId = null;
    const said = { timeMs: 0, target: "test", message: "lost", fields: {}, traceId, spanId: null };
    keepLog({ ...said, level: "error" });
    await reportNow("test", UNREACHABLE);
  },
};

const COMMIT: CommitRequest = { segmentId, files: [] };

const GARBAGE_GONE: UpkeepEvent = {
  event: "task_done",
  task: "garbage",
  result: { orphans: 1, replaced: 0 },
};

/** A hub that does not answer. */
const UNREACHABLE = {
  TELEMETRY_HUB: {
    getByName: () => ({ report: () => Promise.reject(new Error("the hub is away")) }),
  },
};

function buffer(event: BufferEvent): void {
  tellOfBuffer(event, "1-0", LOG);
}

function upkeep(event: UpkeepEvent): void {
  tellOfUpkeep(event, "1", LOG);
}

function query(outcome: string, tookMs: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    const telemetry = telemetryOf(QUERY);
    vi.setSystemTime(Date.now() + tookMs);
    telemetry.end(outcome, newProgress());
  } finally {
    vi.useRealTimers();
  }
}

const QUERY: QueryRequest = {
  databases: ["*"],
  database: null,
  question: { kind: "sql", sql: "SELECT 1", params: [], isEstimate: false },
  result: { format: "json" } as QueryRequest["result"],
  requestId: "test",
  queryId: "test",
  tokenId: null,
  traceparent: "",
  isSystem: false,
};
