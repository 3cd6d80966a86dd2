// From segment to Parquet, wherever it is done.

import { BYTES_BUCKETS, counter, histogram, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const segments = counter(
  "sluice_flush_segments_total",
  "Tries to write a segment by outcome: written, repeated (was committed before), gone, failed.",
  ["outcome"],
);
export const rows = counter("sluice_flush_rows_total", "Rows written to Parquet.");
export const files = counter("sluice_flush_files_total", "Parquet files written.");
export const bytesRead = counter(
  "sluice_flush_read_bytes_total",
  "Bytes of segments that were read to be written.",
);
export const bytesWritten = counter(
  "sluice_flush_written_bytes_total",
  "Bytes of the Parquet files written.",
);
export const seconds = histogram(
  "sluice_flush_seconds",
  "Time to write and commit one segment.",
  SECONDS_BUCKETS,
);
export const stageSeconds = histogram(
  "sluice_flush_stage_seconds",
  "Time of each stage of writing a segment: read, write, put, commit, release.",
  SECONDS_BUCKETS,
  ["stage"],
);
export const fileBytes = histogram(
  "sluice_flush_file_bytes",
  "Size of the files that segments become.",
  BYTES_BUCKETS,
);
export const freshnessSeconds = histogram(
  "sluice_flush_freshness_seconds",
  "From a segment's first row to its commit as Parquet.",
  [1, 5, 10, 30, 60, 90, 120, 300, 900, 3600],
);
export const queueMessages = counter(
  "sluice_queue_messages_total",
  "Messages that consumers took, by queue and what came of them.",
  ["queue", "outcome"],
);
