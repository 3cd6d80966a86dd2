// Columns to bytes: the columnar MessagePack form of a write request.
//
//   { "m": measurement, "columns": { name: [value, ...], ... }, "time_unit": unit }
//
// Written by hand and not by a MessagePack library for two reasons. The choice between integer and
// float is one per column and not one per value: JavaScript cannot tell 20 from 20.0, and an amount
// must not travel as an integer only because a batch has no cents in it. And the client is to have
// no dependency. Only what the columns can hold is known here:
// https://github.com/msgpack/msgpack/blob/master/spec.md

import { ByteWriter } from "./byte-writer.ts";
import type { CellValue, ColumnValues, EncodableColumns, SparseFloats } from "./columns.ts";

export type TimeUnit = "s" | "ms" | "us" | "ns";

const NIL = 0xc0;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * The body of `POST /api/v1/write/msgpack`, not compressed. Columns must be of equal length,
 * bigints fit into 64 bits. Without a unit the server finds that of `time` by the magnitude.
 */
export function encodeColumns(
  measurement: string,
  columns: EncodableColumns,
  timeUnit?: TimeUnit,
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(columns);
  const writer = new ByteWriter();
  writeMapHeader(writer, timeUnit === undefined ? 2 : 3);
  writer.text("m");
  writer.text(measurement);
  writer.text("columns");
  writeMapHeader(writer, entries.length);
  for (const [name, values] of entries) {
    writer.text(name);
    writeValues(writer, values);
  }
  if (timeUnit !== undefined) {
    writer.text("time_unit");
    writer.text(timeUnit);
  }
  return writer.bytes();
}

function writeValues(writer: ByteWriter, values: ColumnValues | SparseFloats): void {
  writeListHeader(writer, values.length);
  if (values instanceof Float64Array) {
    for (const value of values) writeFloat(writer, value);
  } else if (values instanceof BigInt64Array) {
    for (const value of values) writeBigint(writer, value);
  } else if ("floats" in values) {
    for (const value of values.floats) {
      if (value === null) writer.uint8(NIL);
      else writeFloat(writer, value);
    }
  } else {
    for (const value of values) writeCell(writer, value);
  }
}

function writeCell(writer: ByteWriter, value: CellValue): void {
  if (value === null) writer.uint8(NIL);
  else if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "string") writer.text(value);
  else if (typeof value === "boolean") writer.uint8(value ? 0xc3 : 0xc2);
  else if (typeof value === "bigint") writeBigint(writer, value);
  else writeTimestamp(writer, value);
}

/** Whole numbers that a double has exactly are integers, -0 is not one of them. */
function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return writeFloat(writer, value);
  if (value >= 0 && value < 0x80) return writer.uint8(value);
  if (value < 0 && value >= -0x20) return writer.uint8(value & 0xff);
  if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
    writer.uint8(0xd2);
    return writer.int32(value);
  }
  writer.uint8(0xd3);
  writer.int32(Math.floor(value / 0x1_0000_0000));
  // The lower 32 bits, which is what `|` makes of a whole number.
  writer.int32(value | 0);
}

function writeFloat(writer: ByteWriter, value: number): void {
  writer.uint8(0xcb);
  writer.float64(value);
}

function writeBigint(writer: ByteWriter, value: bigint): void {
  if (value < INT64_MIN || value > INT64_MAX) {
    throw new RangeError(`${value} does not fit into an integer of 64 bits`);
  }
  writer.uint8(0xd3);
  writer.int64(value);
}

/** Extension -1 of 96 bits: nanoseconds, then signed seconds. */
function writeTimestamp(writer: ByteWriter, value: Date): void {
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new RangeError("an invalid Date has no time");
  const seconds = Math.floor(ms / 1_000);
  writer.uint8(0xc7);
  writer.uint8(12);
  writer.uint8(0xff);
  writer.int32((ms - seconds * 1_000) * 1_000_000);
  writer.int64(BigInt(seconds));
}

/** fixmap up to 15 entries, else map 16: a batch has at most 1,024 columns. */
function writeMapHeader(writer: ByteWriter, entryCount: number): void {
  if (entryCount < 16) return writer.uint8(0x80 | entryCount);
  writer.uint8(0xde);
  writer.uint16(entryCount);
}

function writeListHeader(writer: ByteWriter, length: number): void {
  writer.uint8(0xdd);
  writer.int32(length);
}
