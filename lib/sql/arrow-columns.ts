// Arrow columns made here and not by the engine.

import { ARROW, type ArrowColumn, type ArrowField } from "./arrow-stream.ts";

const UTF8 = new TextEncoder();
const DOUBLE = 2;

/** null is NULL. */
export function textColumn(name: string, cells: readonly (string | null)[]): ArrowColumn {
  const encoded = cells.map((cell) => UTF8.encode(cell ?? ""));
  const offsets = new Int32Array(cells.length + 1);
  for (const [row, bytes] of encoded.entries()) offsets[row + 1] = offsets[row]! + bytes.byteLength;
  const bytes = new Uint8Array(offsets[cells.length]!);
  for (const [row, part] of encoded.entries()) bytes.set(part, offsets[row]);
  const validity = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [row, cell] of cells.entries()) {
    if (cell !== null) validity[row >> 3]! |= 1 << (row & 7);
  }
  const field = { ...plain(name), type: ARROW.utf8 };
  return columnOf(field, validity, [offsets, bytes], cells.length);
}

export function int64Column(name: string, values: readonly number[]): ArrowColumn {
  const field = { ...plain(name), type: ARROW.int, bitWidth: 64, isSigned: true };
  return columnOf(field, null, [BigInt64Array.from(values, BigInt)], values.length);
}

export function float64Column(name: string, values: readonly number[]): ArrowColumn {
  const field = { ...plain(name), type: ARROW.float, unit: DOUBLE };
  return columnOf(field, null, [Float64Array.from(values)], values.length);
}

function columnOf(
  field: ArrowField,
  validity: Uint8Array | null,
  values: readonly (Int32Array | Uint8Array | BigInt64Array | Float64Array)[],
  length: number,
): ArrowColumn {
  const buffers = values.map((array) => new DataView(array.buffer));
  return { field, length, validity, buffers, children: [] };
}

function plain(name: string): Omit<ArrowField, "type"> {
  const none = { bitWidth: 0, isSigned: false, unit: 0, timeZone: null, scale: 0, children: [] };
  return { name, isNullable: true, ...none };
}
