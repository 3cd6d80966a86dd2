// The loops over cells: one per form of column, straight from the body into typed arrays.
//
// Each reads from `row` on, stops at the first cell that is not of its kind, and returns that row
// (or `rowCount`), so that a column of mixed kinds is read as a few runs and nothing is decided per
// cell. Positions and arrays are kept in local variables: a load from a field per cell is what
// these loops would pay for. A header or number that the rest of the body cannot hold is refused.

import type { TextSlices } from "#lib/columnar/utf8.ts";
import { NULL_SLICE } from "#lib/columnar/utf8.ts";
import type { Validity } from "#lib/columnar/validity.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { SIZE_OF_INTEGER, SIZE_OF_NUMBER, TAG } from "./msgpack-tags.ts";

export const WORD = 2 ** 32;

/**
 * Integers into pairs of words, low word first; row r goes to pair `base + r`.
 * nil is noted in `validity`, or ends the run where that is null.
 * Refuses (`value_out_of_range`) what does not fit int64.
 */
export function readIntegers(
  reader: MessagePackReader,
  words: Int32Array,
  validity: Validity | null,
  base: number,
  firstRow: number,
  rowCount: number,
): number {
  const { bytes, view } = reader;
  let position = reader.position;
  let row = firstRow;
  for (let at = 2 * (base + row); row < rowCount; row++, at += 2) {
    const tag = position < bytes.length ? bytes[position] : TAG.never;
    let low = 0;
    let high = 0;
    if (tag < 0x80) {
      low = tag;
      position += 1;
    } else {
      const size = SIZE_OF_INTEGER[tag];
      if (size === 0) {
        if (tag !== TAG.nil || validity === null) break;
        validity.markNull(base + row);
        position += 1;
        continue;
      }
      if (position + size > bytes.length) break;
      switch (tag) {
        case TAG.uint8:
          low = bytes[position + 1];
          break;
        case TAG.uint16:
          low = view.getUint16(position + 1);
          break;
        case TAG.uint32:
          low = view.getInt32(position + 1);
          break;
        case TAG.int8:
          low = view.getInt8(position + 1);
          high = low >> 31;
          break;
        case TAG.int16:
          low = view.getInt16(position + 1);
          high = low >> 31;
          break;
        case TAG.int32:
          low = view.getInt32(position + 1);
          high = low >> 31;
          break;
        case TAG.uint64:
        case TAG.int64:
          high = view.getInt32(position + 1);
          low = view.getInt32(position + 5);
          if (tag === TAG.uint64 && high < 0) throw beyondInt64(reader, row);
          break;
        default: // a negative fixint
          low = tag - 256;
          high = -1;
      }
      position += size;
    }
    words[at] = low;
    words[at + 1] = high;
  }
  reader.position = position;
  return row;
}

export function beyondInt64(reader: MessagePackReader, row: number): Error {
  reader.row = row;
  return reader.refuse("value_out_of_range", "the integer is above 9223372036854775807");
}

/** Integers and floats as doubles; row r goes to `values[base + r]`. nil as in readIntegers. */
export function readNumbers(
  reader: MessagePackReader,
  values: Float64Array,
  validity: Validity | null,
  base: number,
  firstRow: number,
  rowCount: number,
): number {
  const { bytes, view } = reader;
  let position = reader.position;
  let row = firstRow;
  for (; row < rowCount; row++) {
    const tag = position < bytes.length ? bytes[position] : TAG.never;
    const size = SIZE_OF_NUMBER[tag];
    if (size === 0) {
      if (tag !== TAG.nil || validity === null) break;
      validity.markNull(base + row);
      position += 1;
      continue;
    }
    if (position + size > bytes.length) break;
    values[base + row] =
      tag === TAG.float64 ? view.getFloat64(position + 1) : otherNumber(view, position, tag);
    position += size;
  }
  reader.position = position;
  return row;
}

function otherNumber(view: DataView, position: number, tag: number): number {
  switch (tag) {
    case TAG.float32:
      return view.getFloat32(position + 1);
    case TAG.uint8:
      return view.getUint8(position + 1);
    case TAG.uint16:
      return view.getUint16(position + 1);
    case TAG.uint32:
      return view.getUint32(position + 1);
    case TAG.uint64:
      return view.getUint32(position + 1) * WORD + view.getUint32(position + 5);
    case TAG.int8:
      return view.getInt8(position + 1);
    case TAG.int16:
      return view.getInt16(position + 1);
    case TAG.int32:
      return view.getInt32(position + 1);
    case TAG.int64:
      return view.getInt32(position + 1) * WORD + view.getUint32(position + 5);
    default: // a fixint, positive or negative
      return view.getInt8(position);
  }
}

/** Booleans as bytes 0 and 1; row r goes to `values[base + r]`. */
export function readBooleans(
  reader: MessagePackReader,
  values: Uint8Array,
  validity: Validity,
  base: number,
  rowCount: number,
): number {
  const { bytes } = reader;
  const start = reader.position;
  const rowsThere = Math.min(rowCount, bytes.length - start);
  let row = 0;
  for (; row < rowsThere; row++) {
    const tag = bytes[start + row];
    if (tag === TAG.true) values[base + row] = 1;
    else if (tag === TAG.false) values[base + row] = 0;
    else if (tag === TAG.nil) validity.markNull(base + row);
    else break;
  }
  reader.position = start + row;
  return row;
}

/** Where texts lie in the body, without looking into them; `slices` is filled from 0 on. */
export function readTexts(
  reader: MessagePackReader,
  slices: TextSlices,
  firstRow: number,
  rowCount: number,
): number {
  const { bytes, view } = reader;
  const { starts, ends } = slices;
  const stopRow = Math.min(rowCount, firstRow + starts.length);
  let position = reader.position;
  let row = firstRow;
  for (let at = 0; row < stopRow; row++, at++) {
    const tag = position < bytes.length ? bytes[position] : TAG.never;
    let start: number;
    let end: number;
    if ((tag & 0xe0) === TAG.fixstr) {
      start = position + 1;
      end = start + (tag & 0x1f);
    } else if (tag === TAG.nil) {
      ends[at] = NULL_SLICE;
      position += 1;
      continue;
    } else if (tag === TAG.str8 && position + 2 <= bytes.length) {
      start = position + 2;
      end = start + bytes[position + 1];
    } else if (tag === TAG.str16 && position + 3 <= bytes.length) {
      start = position + 3;
      end = start + view.getUint16(position + 1);
    } else if (tag === TAG.str32 && position + 5 <= bytes.length) {
      start = position + 5;
      end = start + view.getUint32(position + 1);
    } else {
      break;
    }
    if (end > bytes.length) break;
    starts[at] = start;
    ends[at] = end;
    position = end;
  }
  reader.position = position;
  return row;
}
