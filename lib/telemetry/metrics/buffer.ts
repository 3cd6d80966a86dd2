// The buffers: what is stored and acknowledged, and waits to become Parquet.

import { counter, gauge, histogram, ROWS_BUCKETS, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const rowsStored = counter(
  "sluice_buffer_rows_stored_total",
  "Rows committed to the log; what the buffer itself counted, whoever wrote.",
  ["database", "measurement"],
);
export const bytesStored = counter(
  "sluice_buffer_bytes_stored_total",
  "Bytes of batches committed to the log.",
  ["database"],
);
export const commits = counter(
  "sluice_buffer_commits_total",
  "Commits of the log; requests that wait together share one.",
);
export const commitSeconds = histogram(
  "sluice_buffer_commit_seconds",
  "Time of one commit, until it is durable.",
  SECONDS_BUCKETS,
);
export const commitRequests = histogram(
  "sluice_buffer_commit_requests",
  "Requests that shared one commit.",
  [1, 2, 4, 8, 16, 32, 64, 128],
);
export const duplicates = counter(
  "sluice_buffer_duplicates_total",
  "Requests that were answered from a known idempotency key.",
);
export const refusals = counter(
  "sluice_buffer_refusals_total",
  "Requests that the buffer refused, by code.",
  ["code"],
);
export const segmentsSealed = counter(
  "sluice_buffer_segments_sealed_total",
  "Segments that were frozen to be written.",
);
export const segmentsReleased = counter(
  "sluice_buffer_segments_released_total",
  "Segments that were written, committed and removed from the log.",
);
export const segmentsQuarantined = counter(
  "sluice_buffer_segments_quarantined_total",
  "Segments put aside because writing them keeps failing.",
);
export const segmentRows = histogram(
  "sluice_buffer_segment_rows",
  "Rows of a sealed segment.",
  ROWS_BUCKETS,
);
export const hintsSent = counter(
  "sluice_buffer_hints_sent_total",
  "Queue messages that a segment waits: the first of each segment.",
);
export const hintsRepeated = counter(
  "sluice_buffer_hints_repeated_total",
  "Hints sent again because the segment still waited: the first was lost, or is late.",
);
export const hintsFailed = counter(
  "sluice_buffer_hints_failed_total",
  "Hints that the queue did not take.",
);
export const inlineFlushes = counter(
  "sluice_buffer_inline_flushes_total",
  "Segments that a buffer wrote itself because its hints led nowhere.",
);
export const flushFailures = counter(
  "sluice_buffer_flush_failures_total",
  "Failed tries to write a segment, by code.",
  ["code"],
);
export const alarmFailures = counter(
  "sluice_buffer_alarm_failures_total",
  "Runs of a buffer's alarm that failed; it is set again.",
);
export const appendFailures = counter(
  "sluice_buffer_append_failures_total",
  "Commits that failed: nothing of them was stored or acknowledged.",
);
export const tailReads = counter("sluice_buffer_tail_reads_total", "Reads of the log by queries.");
export const tailBytes = counter(
  "sluice_buffer_tail_read_bytes_total",
  "Bytes of the log that queries were given.",
);

export const bytes = gauge("sluice_buffer_bytes", "Bytes in the log that are not released.", [
  "database",
]);
export const rows = gauge("sluice_buffer_rows", "Rows in the log that are not released.", [
  "database",
]);
export const bytesLimit = gauge(
  "sluice_buffer_limit_bytes",
  "Bytes of a buffer from which on writes are refused with 503.",
);
export const segments = gauge(
  "sluice_buffer_segments",
  "Segments in the log by state: open, sealed, quarantined.",
  ["database", "state"],
);
export const oldestSeconds = gauge(
  "sluice_buffer_oldest_unflushed_seconds",
  "Age of the oldest segment that is not in Parquet; 0 when all is.",
  ["database"],
  "max",
);
