// Writes: offered = accepted + duplicate + rejected, in batches (requests) and in rows.

import {
  BYTES_BUCKETS,
  counter,
  histogram,
  ROWS_BUCKETS,
  SECONDS_BUCKETS,
} from "#lib/telemetry/metric.ts";

const OF = ["database", "measurement"] as const;

export const batchesOffered = counter(
  "sluice_ingest_batches_offered_total",
  "Write requests that were answered, whatever the answer.",
  ["protocol"],
);
export const batchesAccepted = counter(
  "sluice_ingest_batches_accepted_total",
  "Write requests whose rows were stored, all or, where the protocol has it, in part.",
  ["protocol"],
);
export const batchesDuplicate = counter(
  "sluice_ingest_batches_duplicate_total",
  "Write requests that were stored before under the same idempotency key.",
  ["protocol"],
);
export const batchesRejected = counter(
  "sluice_ingest_batches_rejected_total",
  "Write requests of which nothing was stored, by code (docs/errors.md).",
  ["protocol", "code"],
);
export const rowsOffered = counter(
  "sluice_ingest_rows_offered_total",
  "Rows in write requests that could be read.",
  OF,
);
export const rowsAccepted = counter(
  "sluice_ingest_rows_accepted_total",
  "Rows stored durably and acknowledged.",
  OF,
);
export const rowsDuplicate = counter(
  "sluice_ingest_rows_duplicate_total",
  "Rows that were stored before under the same idempotency key.",
  OF,
);
export const rowsRejected = counter(
  "sluice_ingest_rows_rejected_total",
  "Rows not stored, by code, of requests that could be read.",
  ["database", "measurement", "code"],
);
export const bodyBytes = counter(
  "sluice_ingest_body_bytes_total",
  "Bytes of write requests as received.",
  ["protocol"],
);
export const decodedBytes = counter(
  "sluice_ingest_decoded_bytes_total",
  "The same after decompression.",
  ["protocol"],
);
export const ackSeconds = histogram(
  "sluice_ingest_ack_seconds",
  "Time from a write's arrival to its acknowledgement.",
  SECONDS_BUCKETS,
  ["protocol"],
);
export const stageSeconds = histogram(
  "sluice_ingest_stage_seconds",
  "Time of each stage of a write: read, decompress, scan, schema, append.",
  SECONDS_BUCKETS,
  ["stage"],
);
export const batchRows = histogram("sluice_ingest_batch_rows", "Rows of one write.", ROWS_BUCKETS);
export const batchBytes = histogram(
  "sluice_ingest_batch_bytes",
  "Bytes of one write as received.",
  BYTES_BUCKETS,
);
export const backPressure = counter(
  "sluice_ingest_backpressure_total",
  "Writes refused because too much waits to be flushed.",
  ["database"],
);
