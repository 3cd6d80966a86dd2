// Parquet's PLAIN encoding: of numbers, of booleans, and of the texts in a dictionary page.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import type { TextHeap } from "#lib/columnar/types.ts";

import { packBits } from "./bit-packing.ts";
import type { ByteWriter } from "./byte-writer.ts";

// Numbers are little-endian, as the memory of every machine that we run on.

/** `words` has two words a number, low word first. */
export function writePlainInt64s(
  words: Int32Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  out.append(new Uint8Array(words.buffer, words.byteOffset + 8 * from, 8 * (to - from)));
}

export function writePlainDoubles(
  values: Float64Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  out.append(new Uint8Array(values.buffer, values.byteOffset + 8 * from, 8 * (to - from)));
}

/** One bit each. */
export function writePlainBools(
  values: Uint8Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  packBits(values, from, to, 1, out);
}

/** Each heap entry in `entries` as its length in four bytes and its text. */
export function writePlainTexts(
  { offsets, bytes: source }: TextHeap,
  entries: Int32Array,
  out: ByteWriter,
): void {
  for (let i = 0; i < entries.length; i++) {
    const start = offsets[entries[i]];
    const end = offsets[entries[i] + 1];
    out.uint32(end - start);
    out.reserve(end - start);
    for (let j = start; j < end; j++) out.bytes[out.length++] = source[j];
  }
}
