// Result columns as the columns of a Parquet file: the five types that lib/parquet writes.
//
// The type follows from the query alone, as in lib/sql/plain-columns.ts. Integers are widened to
// int64, and refused beyond it; dates and timestamps of every unit become timestamps in µs UTC;
// lists, structs and maps are JSON text, blobs base64, intervals and times of day text. A column of
// which the engine knows no type is text with no value.

import {
  type ColumnBuilder,
  type Int64Builder,
  newColumnBuilder,
} from "#lib/columnar/column-builder.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { newTextSlices, NULL_SLICE } from "#lib/columnar/utf8.ts";
import type { Utf8Builder } from "#lib/columnar/utf8-builder.ts";
import { ARROW, type ArrowColumn, type ArrowField } from "#lib/sql/arrow-stream.ts";
import { signedReader, unsignedReader } from "#lib/sql/cell-text.ts";
import { beyondInt64, isValid, plainColumn, plainField } from "#lib/sql/plain-columns.ts";
import { plainText } from "#lib/sql/plain-columns.ts";

/** Under which the values of a column of this field are written. */
export function parquetType(field: ArrowField): ColumnType {
  switch (plainField(field).type) {
    case ARROW.int:
      return "int64";
    case ARROW.float:
      return "float64";
    case ARROW.bool:
      return "bool";
    case ARROW.date:
    case ARROW.timestamp:
      return "timestamp";
    default:
      return "utf8";
  }
}

export function newResultBuilder(field: ArrowField, name: string): ColumnBuilder {
  return newColumnBuilder({ name, type: parquetType(field) }, 0);
}

/** Appends rows `[from, to)`. Refuses (`query_failed`) what the type cannot hold. */
export function appendCells(
  builder: ColumnBuilder,
  original: ArrowColumn,
  from: number,
  to: number,
): void {
  if (builder.type === "utf8") return appendTexts(builder, original, from, to);
  const column = plainColumn(original);
  builder.reserve(to - from);
  for (let row = from, at = builder.rowCount; row < to; row++, at++) {
    if (!isValid(column, row)) builder.validity.markNull(at);
  }
  appendValues(builder, column, from, to);
  builder.rowCount += to - from;
}

type FixedBuilder = Exclude<ColumnBuilder, Utf8Builder>;

/** Behind the rows that are there, without counting them; slots of NULLs hold anything. */
function appendValues(builder: FixedBuilder, column: ArrowColumn, from: number, to: number): void {
  const values = column.buffers[0]!;
  const base = builder.rowCount - from;
  switch (builder.type) {
    case "float64": {
      const isSingle = column.field.unit === 1;
      for (let row = from; row < to; row++) {
        builder.values[base + row] = isSingle
          ? values.getFloat32(row * 4, true)
          : values.getFloat64(row * 8, true);
      }
      return;
    }
    case "bool":
      for (let row = from; row < to; row++) {
        builder.values[base + row] = (values.getUint8(row >> 3) >> (row & 7)) & 1;
      }
      return;
    case "int64":
    case "timestamp":
      return appendIntegers(builder, column, from, to);
  }
}

const MICROSECOND = 2;

function appendIntegers(
  { words, rowCount }: Int64Builder,
  column: ArrowColumn,
  from: number,
  to: number,
): void {
  const { field, buffers } = column;
  const values = buffers[0]!;
  const isAsStored =
    field.type === ARROW.timestamp
      ? field.unit === MICROSECOND
      : field.type === ARROW.int && field.bitWidth === 64 && field.isSigned;
  if (isAsStored) {
    for (let row = from, at = 2 * rowCount; row < to; row++, at += 2) {
      words[at] = values.getInt32(row * 8, true);
      words[at + 1] = values.getInt32(row * 8 + 4, true);
    }
    return;
  }
  const target = new BigInt64Array(words.buffer);
  const read = integerReader(field, values);
  for (let row = from, at = rowCount; row < to; row++, at++) {
    if (!isValid(column, row)) continue;
    const value = read(row);
    if (BigInt.asIntN(64, value) !== value) throw beyondInt64(field.name);
    target[at] = value;
  }
}

/** DuckDB's 'infinity' as µs, and as a number of days. Minus infinity is its negative. */
const INFINITY = 2n ** 63n - 1n;
const INFINITE_DAYS = 2n ** 31n - 1n;
const US_PER_DAY = 86_400_000_000n;
const US_PER_UNIT = [1_000_000n, 1_000n] as const;

function integerReader(field: ArrowField, values: DataView): (row: number) => bigint {
  const { type, bitWidth, isSigned, unit } = field;
  if (type === ARROW.int) {
    const read = isSigned ? signedReader(values, bitWidth) : unsignedReader(values, bitWidth);
    return (row) => BigInt(read(row));
  }
  if (type === ARROW.date && unit === 0) {
    return (row) => scaled(BigInt(values.getInt32(row * 4, true)), US_PER_DAY, INFINITE_DAYS);
  }
  const usPerUnit = type === ARROW.date ? US_PER_UNIT[1] : US_PER_UNIT[unit];
  if (usPerUnit !== undefined) {
    return (row) => scaled(values.getBigInt64(row * 8, true), usPerUnit, INFINITY);
  }
  return (row) => {
    const ns = values.getBigInt64(row * 8, true);
    if (ns === INFINITY || ns === -INFINITY) return ns;
    return (ns - (((ns % 1_000n) + 1_000n) % 1_000n)) / 1_000n;
  };
}

function scaled(value: bigint, by: bigint, infinity: bigint): bigint {
  if (value === infinity) return INFINITY;
  return value === -infinity ? -INFINITY : value * by;
}

function appendTexts(builder: Utf8Builder, column: ArrowColumn, from: number, to: number): void {
  if (column.field.type === ARROW.utf8) return appendSlices(builder, column, from, to);
  const text = plainText(column);
  for (let row = from; row < to; row++) {
    const cell = isValid(column, row) ? text(row) : null;
    if (cell !== null) {
      builder.appendText(cell);
    } else {
      builder.reserve(1);
      builder.validity.markNull(builder.rowCount++);
    }
  }
}

function appendSlices(builder: Utf8Builder, column: ArrowColumn, from: number, to: number): void {
  const [offsets, content] = column.buffers as [DataView, DataView];
  const slices = newTextSlices(to - from);
  for (let row = from; row < to; row++) {
    slices.starts[row - from] = offsets.getInt32(row * 4, true);
    slices.ends[row - from] = isValid(column, row)
      ? offsets.getInt32(row * 4 + 4, true)
      : NULL_SLICE;
  }
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  builder.appendSlices(bytes, content, slices, to - from);
}
