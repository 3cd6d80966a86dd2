// The object store, as every part of the system calls it.

import { counter, histogram, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const operations = counter(
  "sluice_lake_operations_total",
  "Calls of the object store, by operation and outcome: ok, missing, conflict, error.",
  ["operation", "outcome"],
);
export const seconds = histogram(
  "sluice_lake_seconds",
  "Time of a call of the object store.",
  SECONDS_BUCKETS,
  ["operation"],
);
export const bytesRead = counter("sluice_lake_read_bytes_total", "Bytes read from objects.");
export const bytesWritten = counter("sluice_lake_written_bytes_total", "Bytes put into objects.");
