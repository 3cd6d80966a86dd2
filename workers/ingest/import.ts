// Whole files, as Arc imports them: CSV and line protocol, as the multipart field `file` or as the
// body itself, plain, gzip or zstd.
//
// An import that is repeated stores nothing twice: every part of it carries an idempotency key
// made of the file, the parameters and the part's number. So an import that failed in the middle is
// simply sent again.
//
// Next: write-batches.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { json } from "#lib/http/respond.ts";
import { compressBatch } from "#lib/protocol/compression.ts";
import { csvBatches, type CsvOptions, scanCsv } from "#lib/protocol/csv-import.ts";
import { gatherLines } from "#lib/protocol/gather-lines.ts";
import { parsePrecision } from "#lib/protocol/line-values.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { isoTime, parseTimeFormat } from "#lib/protocol/text-times.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { importKey, measurementOf, readFile } from "./import-file.ts";
import { databaseFor, fitSchemas, storeBatches } from "./write-batches.ts";
import { checkSize, fitGathered } from "./write-gathered.ts";

export async function importCsv(arrival: AdmittedArrival): Promise<Response> {
  const startMs = Date.now();
  const options = csvOptions(new URL(arrival.request.url).searchParams);
  const file = await readFile(arrival.request, LIMITS.rowFormBytesMax);
  const text = decodeText(file);
  const content = scanCsv(text, options);
  const database = await databaseFor(arrival.database ?? DEFAULT_DATABASE, arrival.env);
  const { measurement } = options;
  const [schema] = await fitSchemas(database, [{ measurement, ...content }], arrival.env);
  const key = importKey(arrival.request, file);
  let part = 0;
  for (const plain of csvBatches(text, options, content)) {
    const scan = scanBatch(plain);
    const batch = { tableId: schema!.tableId, scan, bytes: compressBatch(plain) };
    checkSize([batch]);
    const body = { idempotencyKey: `${key}-${part++}`, bytes: file };
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

export async function importLineProtocol(arrival: AdmittedArrival): Promise<Response> {
  const startMs = Date.now();
  const { searchParams } = new URL(arrival.request.url);
  // Arc's filter. To import everything where a part was meant would be worse than to refuse.
  if (searchParams.has("measurement")) {
    const message = '"measurement" cannot be chosen here: the whole file is imported';
    throw new SluiceError("parameter_invalid", message, { field: "measurement" });
  }
  const precision = searchParams.get("precision") || "ns";
  const unit = parsePrecision(precision);
  const file = await readFile(arrival.request, LIMITS.rowFormBytesMax);
  const database = await databaseFor(arrival.database ?? DEFAULT_DATABASE, arrival.env);
  const options = { noun: "line", isPartial: false, rejected: new Map() } as const;
  const first = gatherLines(file, unit, startMs * 1_000, options);
  const { batches } = await fitGathered(database, first, "line", null, arrival.env);
  const body = { idempotencyKey: importKey(arrival.request, file), bytes: file };
  const { rowCount } = await storeBatches(arrival, database, batches, body);
  const result = {
    database: database.name,
    measurements: batches.map(({ scan }) => scan.measurement),
    rows_imported: rowCount,
    precision,
    duration_ms: Date.now() - startMs,
  };
  return json({ status: "ok", result });
}

function csvOptions(parameters: URLSearchParams): CsvOptions {
  const measurement = measurementOf(parameters);
  const delimiter = parameters.get("delimiter") || ",";
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    const message = '"delimiter" must be one character, and neither a quote nor a line end';
    throw new SluiceError("parameter_invalid", message, { field: "delimiter" });
  }
  const skipRows = parameters.get("skip_rows") || "0";
  if (!/^\d{1,6}$/.test(skipRows)) {
    const message = '"skip_rows" must be a number of lines';
    throw new SluiceError("parameter_invalid", message, { field: "skip_rows" });
  }
  const format = parameters.get("time_format") || null;
  return {
    measurement,
    timeColumn: parameters.get("time_column") || "time",
    timeFormat: format === null ? null : parseTimeFormat(format),
    delimiter,
    skipLines: Number(skipRows),
  };
}

function decodeText(file: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(file);
  } catch (cause) {
    throw new SluiceError("text_invalid", "the file is not valid UTF-8", {}, { cause });
  }
}
