// A CSV file to batches: read once to find the type of every column, once more to write them.
//
// A column is what all its fields are: integers, numbers, booleans, else text; an empty field is
// NULL. So nothing is lost by guessing: what has leading zeros, or does not fit int64, stays as it
// was written. A large file becomes several batches, all of which fit the table once the first
// reading fits it.
//
// Refuses, naming the line: records of another length than the header, and times that are none.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { ByteBudget } from "./cell-writer.ts";
import { CsvReader } from "./csv-reader.ts";
import { BatchBuilder } from "./encode-batch.ts";
import { NameCache } from "./name-cache.ts";
import { floorDivide } from "./time-column.ts";
import { parseTime, type TimeFormat } from "./text-times.ts";

export interface CsvOptions {
  readonly measurement: string;
  readonly timeColumn: string;
  /** null: RFC 3339, or an integer whose unit its magnitude tells. */
  readonly timeFormat: TimeFormat | null;
  readonly delimiter: string;
  /** Lines before the header. */
  readonly skipLines: number;
}

export interface CsvContent {
  readonly rowCount: number;
  /** `time` among them. */
  readonly columns: readonly ScannedColumn[];
  readonly timeMinUs: bigint;
  readonly timeMaxUs: bigint;
  /** UTC days with a row. */
  readonly dayCount: number;
}

const TEXT = KIND.text;
const NUMBERS = KIND.int | KIND.float;
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/;
const FLOAT = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOLEAN = /^(?:true|false)$/i;
/** Of one batch; cells that are numbers take up to four times as much as columns. */
const BATCH_CHARS = 4_000_000;
const DAY_US = 86_400_000_000n;

/** First reading: what is in the file? */
export function scanCsv(text: string, options: CsvOptions): CsvContent {
  const csv = openCsv(text, options);
  const columns = csv.names.map((name) => ({ name, kinds: 0, nullCount: 0 }));
  const days = new Set<bigint>();
  let timeMinUs: bigint = LIMITS.timeUsMax;
  let timeMaxUs: bigint = LIMITS.timeUsMin;
  let rowCount = 0;
  for (const fields of records(csv)) {
    const timeUs = timeOf(csv, fields, options);
    if (timeUs < timeMinUs) timeMinUs = timeUs;
    if (timeUs > timeMaxUs) timeMaxUs = timeUs;
    days.add(floorDivide(timeUs, DAY_US));
    for (const [i, column] of columns.entries()) {
      const field = fields[i]!;
      if (field === "") column.nullCount += 1;
      else if (column.kinds !== TEXT) column.kinds = joinKinds(column.kinds, kindOf(field));
    }
    rowCount += 1;
  }
  if (rowCount === 0) throw new SluiceError("csv_invalid", "the file has no rows");
  const scanned = columns.map(({ name, kinds, nullCount }, i): ScannedColumn => {
    if (i === csv.timeIndex) {
      return { name: TIME_COLUMN, nullCount: 0, kinds: KIND.int, firstRows: { int: 0 } };
    }
    return { name, nullCount, kinds, firstRows: firstRowsOf(kinds) };
  });
  return { rowCount, columns: scanned, timeMinUs, timeMaxUs, dayCount: days.size };
}

/** Second reading: batches in columnar form, not compressed. `content`: what scanCsv found. */
export function* csvBatches(
  text: string,
  options: CsvOptions,
  content: CsvContent,
): Generator<Uint8Array> {
  const csv = openCsv(text, options);
  const newBuilder = () =>
    new BatchBuilder(options.measurement, new ByteBudget(LIMITS.gatheredBytesMax));
  let builder = newBuilder();
  let start = csv.reader.position;
  for (const fields of records(csv)) {
    builder.time.writeInteger(timeOf(csv, fields, options));
    for (const [i, { name, kinds }] of content.columns.entries()) {
      if (i !== csv.timeIndex) writeField(builder, name, kinds, fields[i]!);
    }
    builder.endRows(csv.reader.recordLine);
    if (csv.reader.position - start < BATCH_CHARS) continue;
    yield builder.finish();
    builder = newBuilder();
    start = csv.reader.position;
  }
  if (builder.rowCount > 0) yield builder.finish();
}

interface OpenCsv {
  readonly reader: CsvReader;
  readonly names: readonly string[];
  readonly timeIndex: number;
}

function openCsv(text: string, { timeColumn, delimiter, skipLines }: CsvOptions): OpenCsv {
  const reader = new CsvReader(text, delimiter);
  reader.skipLines(skipLines);
  const names = reader.next();
  if (names === null) throw new SluiceError("csv_invalid", "the file has no header");
  const timeIndex = names.indexOf(timeColumn);
  if (timeIndex === -1) {
    const message = `the header has no column ${JSON.stringify(timeColumn)} to take the time from`;
    throw new SluiceError("parameter_invalid", message, { field: "time_column" });
  }
  checkNames(names, timeColumn);
  return { reader, names, timeIndex };
}

/** Refuses (`column_name_invalid`) names that no table takes. */
export function checkNames(names: readonly string[], timeColumn: string): void {
  const cache = new NameCache();
  for (const [i, name] of names.entries()) {
    const bytes = new TextEncoder().encode(name);
    cache.name(bytes, 0, bytes.length);
    if (names.indexOf(name) < i) {
      const message = `column ${JSON.stringify(name)} is there twice`;
      throw new SluiceError("column_name_invalid", message, { column: name });
    }
    if (name === TIME_COLUMN && name !== timeColumn) {
      const message = `"${name}" is the column of the time, which is taken from "${timeColumn}"`;
      throw new SluiceError("column_name_invalid", message, { column: name });
    }
  }
}

function* records(csv: OpenCsv): Generator<string[]> {
  const { reader, names } = csv;
  for (;;) {
    const fields = reader.next();
    if (fields === null) return;
    if (fields.length !== names.length) {
      const message = `${fields.length} fields, but the header has ${names.length}`;
      throw atLine(csv, new SluiceError("csv_invalid", message));
    }
    yield fields;
  }
}

function timeOf(csv: OpenCsv, fields: readonly string[], { timeFormat }: CsvOptions): bigint {
  try {
    return parseTime(fields[csv.timeIndex]!, timeFormat);
  } catch (error) {
    throw error instanceof SluiceError ? atLine(csv, error) : error;
  }
}

function atLine({ reader }: OpenCsv, { code, message }: SluiceError): SluiceError {
  const { recordLine } = reader;
  return new SluiceError(code, `line ${recordLine}: ${message}`, { line: recordLine });
}

function kindOf(field: string): number {
  if (INTEGER.test(field)) {
    return BigInt.asIntN(64, BigInt(field)) === BigInt(field) ? KIND.int : TEXT;
  }
  if (FLOAT.test(field)) return Number.isFinite(Number(field)) ? KIND.float : TEXT;
  return BOOLEAN.test(field) ? KIND.bool : TEXT;
}

function joinKinds(one: number, other: number): number {
  if (one === other || one === 0) return other;
  return ((one | other) & ~NUMBERS) === 0 ? KIND.float : TEXT;
}

function firstRowsOf(kinds: number): ScannedColumn["firstRows"] {
  if (kinds === 0) return {};
  if (kinds === KIND.int) return { int: 0 };
  if (kinds === KIND.float) return { float: 0 };
  return kinds === KIND.bool ? { bool: 0 } : { text: 0 };
}

function writeField(builder: BatchBuilder, name: string, kinds: number, field: string): void {
  const column = builder.column(name);
  if (field === "") column.padTo(builder.rowCount + 1);
  else if (kinds === KIND.int) column.writeInteger(BigInt(field));
  else if (kinds === KIND.float) column.writeFloat(Number(field));
  else if (kinds === KIND.bool) column.writeBoolean(field.toLowerCase() === "true");
  else column.writeString(field);
}
