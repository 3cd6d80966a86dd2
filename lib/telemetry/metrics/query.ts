// Queries, by kind: sql, table (rows of one measurement), match (deletes), system (our own).

import { BYTES_BUCKETS, counter, gauge, histogram } from "#lib/telemetry/metric.ts";
import { ROWS_BUCKETS, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const started = counter("sluice_query_started_total", "Queries begun.", ["kind"]);
export const finished = counter(
  "sluice_query_finished_total",
  "Queries ended, by outcome: done, abandoned, or the code of an error.",
  ["kind", "outcome"],
);
export const errors = counter(
  "sluice_query_errors_total",
  "Queries that failed, by code (docs/errors.md).",
  ["kind", "code"],
);
export const seconds = histogram(
  "sluice_query_seconds",
  "Time of a query, from its arrival in the query Worker to its last row.",
  SECONDS_BUCKETS,
  ["kind"],
);
export const stageSeconds = histogram(
  "sluice_query_stage_seconds",
  "Time of each stage of a query.",
  SECONDS_BUCKETS,
  ["stage"],
);
export const slow = counter("sluice_query_slow_total", "Queries that took longer than a second.", [
  "kind",
]);
export const rowsReturned = counter("sluice_query_rows_returned_total", "Rows answered.", ["kind"]);
export const resultRows = histogram(
  "sluice_query_result_rows",
  "Rows of one answer.",
  ROWS_BUCKETS,
);
export const bytesReturned = counter("sluice_query_returned_bytes_total", "Bytes answered.", [
  "format",
]);
export const bytesRead = counter(
  "sluice_query_read_bytes_total",
  "Bytes read for queries, by source: lake or cache.",
  ["source"],
);
export const readBytes = histogram(
  "sluice_query_scanned_bytes",
  "Bytes that one query read.",
  BYTES_BUCKETS,
);
export const filesConsidered = counter(
  "sluice_query_files_considered_total",
  "Live files of the tables asked for.",
);
export const filesRead = counter("sluice_query_files_read_total", "Files read.");
export const filesPruned = counter(
  "sluice_query_files_pruned_total",
  "Files left out without a look into them, by reason: time or statistics.",
  ["reason"],
);
export const rowGroupsRead = counter("sluice_query_row_groups_read_total", "Row groups read.");
export const rowGroupsPruned = counter(
  "sluice_query_row_groups_pruned_total",
  "Row groups of read files that were left out.",
);
export const tailRows = counter(
  "sluice_query_tail_rows_total",
  "Rows that came from the log and not from Parquet.",
);
export const cacheHits = counter("sluice_query_cache_hits_total", "Ranges found in the cache.");
export const cacheMisses = counter(
  "sluice_query_cache_misses_total",
  "Ranges that had to be read from the lake.",
);
export const engineStarts = counter(
  "sluice_query_engine_starts_total",
  "Engines started, the first of an isolate included.",
);
export const engineWaitSeconds = histogram(
  "sluice_query_engine_wait_seconds",
  "Time until an engine of the isolate was free.",
  SECONDS_BUCKETS,
);
export const cancelled = counter("sluice_query_cancelled_total", "Queries ended by request.");
export const timedOut = counter("sluice_query_timeouts_total", "Queries ended by their deadline.");

export const running = gauge("sluice_query_running", "Queries that run or wait for an engine.");
export const engineMemoryBytes = gauge(
  "sluice_query_engine_memory_bytes",
  "Memory of the engines.",
);
export const cacheBytes = gauge("sluice_query_cache_bytes", "Bytes in the isolates' range caches.");
