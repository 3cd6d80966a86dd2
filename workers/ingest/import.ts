// Files of CSV and line protocol, as Arc imports them: as the multipart field `file` or as the body
// itself, plain, gzip or zstd.
//
// A file that is small enough to be held is stored whole or not at all, unless something fails in
// the middle. Of a larger one each part is. An import that is repeated stores nothing twice, so
// one that failed, or was refused and is corrected, is simply sent again.
//
// Next: write-batches.ts.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { releaseBytes } from "#lib/base/release-bytes.ts";
import type { BatchColumns } from "#lib/catalog/catalog.ts";
import { isUtf8 } from "#lib/columnar/utf8.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { AppendReceipt } from "#lib/buffer/types.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { compressBatch } from "#lib/protocol/compression.ts";
import { CsvFile, type CsvOptions, type CsvPart } from "#lib/protocol/csv-import.ts";
import type { FilePart } from "#lib/protocol/cut-parts.ts";
import type { Gathered } from "#lib/protocol/gather.ts";
import { gatherLineParts } from "#lib/protocol/gather-lines.ts";
import { parsePrecision } from "#lib/protocol/line-values.ts";
import { CsvRecordEnds, LineRecordEnds } from "#lib/protocol/record-ends.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { isoTime, parseTimeFormat } from "#lib/protocol/text-times.ts";
import type { BatchToStore } from "#platform/append-batches.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { measurementOf } from "./import-file.ts";
import { afterRows, type PartGroup, readPartGroups } from "./import-parts.ts";
import { databaseFor, fitSchemas, storeBatches } from "./write-batches.ts";
import { checkSize, fitGathered } from "./write-gathered.ts";

export async function importCsv(arrival: AdmittedArrival): Promise<Response> {
  const startMs = Date.now();
  const { request, env } = arrival;
  const options = csvOptions(new URL(request.url).searchParams);
  const csv = new CsvFile(options);
  const databaseName = arrival.database ?? DEFAULT_DATABASE;
  let rowsStored = 0;
  try {
    for await (const group of readPartGroups(request, new CsvRecordEnds(options.skipLines))) {
      for (const part of group) csv.scan(csvPart(part));
      if (csv.content.rowCount === 0) continue;
      const database = await databaseFor(databaseName, env);
      for await (const { rowCount } of storeCsv(arrival, database, csv, group)) {
        rowsStored += rowCount;
      }
    }
  } catch (error) {
    throw afterRows(error, rowsStored);
  }
  const content = csv.content;
  if (content.rowCount === 0) throw new SluiceError("csv_invalid", "the file has no rows");
  const result = {
    database: databaseName,
    measurement: options.measurement,
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
  const gather: Gather = (parts) => {
    const options = { noun: "line", isPartial: false, rejected: new Map() } as const;
    return gatherLineParts(parts, unit, startMs * 1_000, options);
  };
  const databaseName = arrival.database ?? DEFAULT_DATABASE;
  const measurements = new Set<string>();
  let rowsStored = 0;
  try {
    for await (const group of readPartGroups(arrival.request, new LineRecordEnds())) {
      for await (const stored of storeLines(arrival, databaseName, group, gather)) {
        rowsStored += stored.rowCount;
        for (const measurement of stored.measurements) measurements.add(measurement);
      }
    }
  } catch (error) {
    throw afterRows(error, rowsStored);
  }
  if (rowsStored === 0) throw new SluiceError("body_empty", "the file holds no lines");
  const result = {
    database: databaseName,
    measurements: [...measurements],
    rows_imported: rowsStored,
    precision,
    duration_ms: Date.now() - startMs,
  };
  return json({ status: "ok", result });
}

/** Part after part, after all of them. */
async function* storeCsv(
  arrival: AdmittedArrival,
  database: Database,
  csv: CsvFile,
  group: PartGroup,
): AsyncGenerator<AppendReceipt> {
  const { columns } = csv.content;
  const tableId = await fitCsv(database, { measurement: csv.measurement, columns }, arrival.env);
  for (const part of group) {
    const batches = [...csv.batches(csvPart(part))].map((plain) => {
      return { tableId, scan: scanBatch(plain), bytes: compressBatch(plain) };
    });
    if (batches.length === 0) continue;
    checkSize(batches);
    yield await storeBatches(arrival, database, batches, part);
    release(part, batches);
  }
}

/** Returns the id of the table. A conflict names the line of the file. */
async function fitCsv(database: Database, scan: BatchColumns, env: IngestEnv): Promise<number> {
  try {
    const [schema] = await fitSchemas(database, [scan], env);
    return schema!.tableId;
  } catch (error) {
    if (!isSluiceError(error) || error.code !== "column_type_conflict") throw error;
    const { row: line = null, ...detail } = error.detail;
    const place = `line ${line}: column ${JSON.stringify(detail["column"])}`;
    const message = `${place} is ${detail["expected"]} in this table, not ${detail["found"]}`;
    throw new SluiceError(error.code, message, { ...detail, line });
  }
}

type Gather = (parts: PartGroup) => Gathered;

interface StoredLines {
  readonly rowCount: number;
  readonly measurements: readonly string[];
}

/** Part after part; of a file that is held whole only after all of it was looked at. */
async function* storeLines(
  arrival: AdmittedArrival,
  databaseName: string,
  group: PartGroup,
  gather: Gather,
): AsyncGenerator<StoredLines> {
  const byteLength = group.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (group.length > 1 && byteLength <= LIMITS.rowFormBytesMax) {
    const whole = gather(group);
    const database = await databaseFor(databaseName, arrival.env);
    await fitGathered(database, whole, "line", null, arrival.env);
  }
  for (const part of group) {
    const gathered = gather([part]);
    if (gathered.batches.length === 0) continue;
    const database = await databaseFor(databaseName, arrival.env);
    const { batches } = await fitGathered(database, gathered, "line", null, arrival.env);
    const { rowCount } = await storeBatches(arrival, database, batches, part);
    yield { rowCount, measurements: batches.map(({ scan }) => scan.measurement) };
    release(part, batches);
  }
}

/** A file of a hundred parts would fill the isolate before the collector saw a need to look. */
function release(part: FilePart, batches: readonly BatchToStore[]): void {
  releaseBytes(part.bytes);
  for (const { bytes } of batches) releaseBytes(bytes);
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

/** A byte order mark is left to the reader, who knows where the file begins. */
function csvPart({ bytes, firstLine }: FilePart): CsvPart {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, firstLine };
  } catch (cause) {
    const line = firstLine + invalidLine(bytes);
    const message = `line ${line}: the file is not valid UTF-8`;
    throw new SluiceError("text_invalid", message, { line }, { cause });
  }
}

/** From 0: the first that is not UTF-8. */
function invalidLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || !isUtf8(bytes, start, end)) return line;
    start = end + 1;
  }
}
