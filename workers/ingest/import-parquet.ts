// A Parquet file to the rows of a measurement.
//
// Nothing is stored before every value was looked at; then batch after batch, each under a key made
// of the file, the parameters and its number: an import that failed in the middle is sent again.
//
// Next: write-batches.ts.

import { LIMITS } from "#lib/base/limits.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { json } from "#lib/http/respond.ts";
import { compressBatch } from "#lib/protocol/compression.ts";
import { parquetBatches, type ParquetOptions, scanParquet } from "#lib/protocol/parquet-import.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { isoTime, parseTimeFormat } from "#lib/protocol/text-times.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { importKey, measurementOf, readFile } from "./import-file.ts";
import { databaseFor, fitSchemas, storeBatches } from "./write-batches.ts";
import { checkSize } from "./write-gathered.ts";

export async function importParquet(arrival: AdmittedArrival): Promise<Response> {
  const startMs = Date.now();
  const options = parquetOptions(new URL(arrival.request.url).searchParams);
  const file = await readFile(arrival.request, LIMITS.bodyBytesMax);
  const content = scanParquet(file, options);
  const database = await databaseFor(arrival.database ?? DEFAULT_DATABASE, arrival.env);
  const { measurement } = options;
  const [schema] = await fitSchemas(database, [{ measurement, ...content }], arrival.env);
  const key = importKey(arrival.request, file);
  let part = 0;
  for (const plain of parquetBatches(file, options, content)) {
    const scan = scanBatch(plain);
    const batch = { tableId: schema!.tableId, scan, bytes: compressBatch(plain) };
    checkSize([batch]);
    // The key holds the hash of the file; to hash the file again for each part would say no more.
    const body = { idempotencyKey: `${key}-${part++}`, bytes: batch.bytes };
    await storeBatches(arrival, database, [batch], body);
  }
  const result = {
    database: database.name,
    measurement,
    rows_imported: content.rowCount,
    partitions_created: content.dayCount,
    time_range_min: isoTime(content.timeMinUs),
    time_range_max: isoTime(content.timeMaxUs),
    columns: content.columns.map(({ name }) => name),
    duration_ms: Date.now() - startMs,
  };
  return json({ status: "ok", result });
}

function parquetOptions(parameters: URLSearchParams): ParquetOptions {
  const format = parameters.get("time_format") || null;
  return {
    measurement: measurementOf(parameters),
    timeColumn: parameters.get("time_column") || "time",
    timeFormat: format === null ? null : parseTimeFormat(format),
  };
}
