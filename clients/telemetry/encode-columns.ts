// Rows to bytes, as a client does it: the columnar MessagePack form of a write request.
//
//   { "m": measurement, "columns": { name: [value, ...], ... } }
//
// Each part is encoded by @msgpack/msgpack and the parts are joined, because the choice between
// integer and float is one per column and not one per message: JavaScript cannot tell 20 from 20.0,
// and an amount must not travel as an integer only because a batch has no cents in it.

import { Encoder } from "@msgpack/msgpack";

import type { Columns, ColumnValues } from "./columns.ts";

const plain = new Encoder();
const floats = new Encoder({ forceIntegerToFloat: true });
/** For bigints alone: with this option a plain number beyond 32 bits would become a float. */
const bigints = new Encoder({ useBigInt64: true });

/** The body of `POST /api/v1/write/msgpack`, not compressed. Columns must be of equal length. */
export function encodeColumns(measurement: string, columns: Columns): Uint8Array {
  const entries = Object.entries(columns);
  return joinBytes([
    mapHeader(2),
    plain.encode("m"),
    plain.encode(measurement),
    plain.encode("columns"),
    mapHeader(entries.length),
    ...entries.flatMap(([name, values]) => [plain.encode(name), encodeValues(values)]),
  ]);
}

function encodeValues(values: ColumnValues): Uint8Array {
  if (values instanceof Float64Array) return floats.encode(Array.from(values));
  if (values instanceof BigInt64Array) return bigints.encode(Array.from(values));
  return plain.encode(values);
}

/** fixmap up to 15 entries, else map 16; https://github.com/msgpack/msgpack/blob/master/spec.md */
function mapHeader(entryCount: number): Uint8Array {
  if (entryCount < 16) return Uint8Array.of(0x80 | entryCount);
  return Uint8Array.of(0xde, entryCount >> 8, entryCount & 0xff);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
