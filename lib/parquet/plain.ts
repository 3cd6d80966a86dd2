// Parquet's PLAIN encoding, both ways: of numbers, of booleans, and of the texts in a dictionary
// page.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import type { TextHeap } from "#lib/columnar/types.ts";

import { packBits, unpackBits } from "./bit-packing.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { fileCorrupt } from "./file-corrupt.ts";

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

/** Takes `count` numbers of eight bytes into `target`, from number `targetAt` on. */
export function readPlainNumbers(
  reader: ByteReader,
  count: number,
  target: Int32Array | Float64Array,
  targetAt: number,
): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  bytes.set(reader.take(8 * count), 8 * targetAt);
}

export function readPlainBools(
  reader: ByteReader,
  count: number,
  target: Uint8Array,
  targetAt: number,
): void {
  const start = reader.skip(Math.ceil(count / 8));
  unpackBits(reader.bytes, start, count, 1, target, targetAt);
}

/** Takes `count` texts as a heap. */
export function readPlainTexts(reader: ByteReader, count: number): TextHeap {
  // Each text has its length before it: no more texts than that are believed.
  reader.skip(4 * count);
  reader.at -= 4 * count;
  const offsets = new Int32Array(count + 1);
  const bytes = new Uint8Array(reader.end - reader.at - 4 * count);
  for (let entry = 0; entry < count; entry++) {
    const length = reader.uint32();
    const start = reader.skip(length);
    let at = offsets[entry];
    if (length > bytes.length - at) throw fileCorrupt("a text is longer than its page");
    for (let i = start; i < start + length; i++) bytes[at++] = reader.bytes[i];
    offsets[entry + 1] = at;
  }
  return { entryCount: count, offsets, bytes, isDistinct: true };
}
