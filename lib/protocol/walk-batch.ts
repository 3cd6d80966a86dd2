// The frame of a batch: `{"m": text, "columns": {name: [values...]}, "time_unit"?: text}`.
//
// Keys come in any order, other keys are skipped. Scan and decoder walk a batch by the same code
// and differ only in what they do with the cells of a column.
//
// Refuses frames that are no batch, column names that are empty, too long, doubled or hold control
// characters, columns of unequal length, and bytes after the end. Batches of earlier versions lie
// in the buffer when a new one starts: what is refused here must never grow.

import type { ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { KIND_OF_TAG, nameOfTag } from "./msgpack-tags.ts";
import { TIME_UNITS, type TimeUnit } from "./time-column.ts";

export interface BatchFrame {
  readonly measurement: string;
  readonly rowCount: number;
  /** null: not declared. */
  readonly timeUnit: TimeUnit | null;
  /** All keys of the map, also those that were skipped. */
  readonly keys: ReadonlySet<string>;
}

/** Reads exactly `rowCount` cells and leaves the reader behind them. */
export type ReadColumn = (name: string, rowCount: number) => void;

const MEASUREMENT = /^[A-Za-z][A-Za-z0-9_-]*$/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const KEY_BYTES_MAX = 128;

export function walkBatch(reader: MessagePackReader, readColumn: ReadColumn): BatchFrame {
  if (reader.bytes.length === 0) throw reader.refuse("body_empty", "the body is empty");
  let measurement: string | null = null;
  let timeUnit: TimeUnit | null = null;
  let rowCount: number | null = null;
  const keys = new Set<string>();
  for (let left = topLevelLength(reader); left > 0; left--) {
    const key = readKey(reader, keys);
    if (key === "m") measurement = readMeasurement(reader);
    else if (key === "time_unit") timeUnit = readTimeUnit(reader);
    else if (key === "columns") rowCount = walkColumns(reader, readColumn);
    else reader.skip(1);
  }
  const trailing = reader.bytes.length - reader.position;
  if (trailing > 0) throw reader.refuse("msgpack_invalid", `${trailing} bytes follow the batch`);
  if (rowCount === null) {
    throw reader.refuse("batch_shape_invalid", 'the batch has no "columns"');
  }
  if (measurement === null) {
    throw reader.refuse("batch_shape_invalid", 'the measurement\'s name, "m", is missing');
  }
  return { measurement, rowCount, timeUnit, keys };
}

function topLevelLength(reader: MessagePackReader): number {
  const tag = reader.tag();
  if (KIND_OF_TAG[tag] === KIND.nested) return reader.mapLength();
  const reason = `the body is ${nameOfTag(tag)}; a batch is a map {"m", "columns"}`;
  throw reader.refuse("batch_shape_invalid", reason);
}

export function readKey(reader: MessagePackReader, seen: Set<string>): string {
  const key = readShortText(reader, "batch_shape_invalid", "a key of the batch", KEY_BYTES_MAX);
  if (seen.has(key)) {
    throw reader.refuse("batch_shape_invalid", `the key ${JSON.stringify(key)} is there twice`);
  }
  seen.add(key);
  return key;
}

/** Text that is made a string: bounded, or a hostile body has us make a string of 100 MB. */
export function readShortText(
  reader: MessagePackReader,
  code: ErrorCode,
  what: string,
  bytesMax: number,
): string {
  const tag = reader.tag();
  if (KIND_OF_TAG[tag] !== KIND.text) {
    throw reader.refuse(code, `${what} is ${nameOfTag(tag)}, not text`);
  }
  const start = reader.textStart();
  const byteLength = reader.position - start;
  if (byteLength > bytesMax) {
    const reason = `${what} has ${byteLength} bytes, more than ${bytesMax}`;
    throw reader.refuse(code, reason, { limit: bytesMax });
  }
  return reader.decodeSince(start);
}

export function readMeasurement(reader: MessagePackReader): string {
  const what = 'the measurement\'s name, "m",';
  const charsMax = LIMITS.measurementNameCharsMax; // those of a name are one byte each
  const measurement = readShortText(reader, "name_invalid", what, charsMax);
  const fault = measurementNameFault(measurement);
  if (fault === null) return measurement;
  throw reader.refuse("name_invalid", fault, { measurement });
}

/** Why no measurement can have this name; null: it can. */
export function measurementNameFault(name: string): string | null {
  if (name.length <= LIMITS.measurementNameCharsMax && MEASUREMENT.test(name)) return null;
  const rule = `a name begins with a letter and goes on with letters, digits, "_" and "-"`;
  return `measurement ${JSON.stringify(name)}: ${rule}`;
}

export function readTimeUnit(reader: MessagePackReader): TimeUnit {
  const declared = readShortText(reader, "batch_shape_invalid", '"time_unit"', KEY_BYTES_MAX);
  const unit = TIME_UNITS.find((known) => known === declared);
  if (unit !== undefined) return unit;
  const reason = `"time_unit" is ${JSON.stringify(declared)}, not one of ${TIME_UNITS.join(", ")}`;
  throw reader.refuse("batch_shape_invalid", reason);
}

function walkColumns(reader: MessagePackReader, readColumn: ReadColumn): number {
  const columnCount = reader.mapLength();
  if (columnCount === 0) throw reader.refuse("batch_shape_invalid", '"columns" is empty');
  if (columnCount > LIMITS.columnsPerBatchMax) {
    const reason = `${columnCount} columns, more than ${LIMITS.columnsPerBatchMax}`;
    throw reader.refuse("batch_too_large", reason, { limit: LIMITS.columnsPerBatchMax });
  }
  const names = new Set<string>();
  let rowCount: number | null = null;
  let firstName = "";
  for (let left = columnCount; left > 0; left--) {
    const name = readColumnName(reader, names);
    reader.column = name;
    reader.row = null;
    const length = readColumnLength(reader);
    if (rowCount === null) {
      rowCount = checkRowCount(reader, length);
      firstName = name;
    } else if (length !== rowCount) {
      const reason = `${length} values, but ${JSON.stringify(firstName)} has ${rowCount}`;
      const detail = { expected: rowCount, found: length };
      throw reader.refuse("column_length_mismatch", reason, detail);
    }
    readColumn(name, rowCount);
    reader.column = null;
    reader.row = null;
  }
  return rowCount!;
}

function readColumnName(reader: MessagePackReader, seen: Set<string>): string {
  const what = "a column's name";
  const name = readShortText(reader, "column_name_invalid", what, LIMITS.columnNameBytesMax);
  const fault = columnNameFault(name);
  if (fault !== null) throw reader.refuse("column_name_invalid", fault, { column: name });
  if (seen.has(name)) {
    const reason = `column ${JSON.stringify(name)} is there twice`;
    throw reader.refuse("column_name_invalid", reason, { column: name });
  }
  seen.add(name);
  return name;
}

/** Why no column can have this name; null: it can. */
export function columnNameFault(name: string): string | null {
  if (name === "") return "a column's name is empty";
  if (!CONTROL_CHARACTER.test(name)) return null;
  return `column ${JSON.stringify(name)}: the name holds a control character`;
}

function readColumnLength(reader: MessagePackReader): number {
  const tag = reader.tag();
  if (KIND_OF_TAG[tag] === KIND.nested) return reader.arrayLength();
  throw reader.refuse("batch_shape_invalid", `${nameOfTag(tag)}, not an array of values`);
}

function checkRowCount(reader: MessagePackReader, rowCount: number): number {
  if (rowCount === 0) throw reader.refuse("batch_shape_invalid", "the batch has no rows");
  if (rowCount <= LIMITS.rowsPerBatchMax) return rowCount;
  const reason = `${rowCount} rows, more than ${LIMITS.rowsPerBatchMax}`;
  throw reader.refuse("batch_too_large", reason, { limit: LIMITS.rowsPerBatchMax });
}
