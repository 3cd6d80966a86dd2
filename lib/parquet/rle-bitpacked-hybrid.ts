// Parquet's RLE encoding: small numbers as runs of one repeated value or as bit-packed stretches.
// Definition levels (is there a value?) and dictionary indices are stored so.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import { packBits, unpackBits } from "./bit-packing.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { fileCorrupt } from "./file-corrupt.ts";

/** A run pays only if it saves more than the headers it adds and the stretch that it breaks. */
const RUN_LENGTH_MIN = 64;

/** Appends `values[from .. to)`, each below 2^width. `width` is 1 to 32. */
export function writeHybrid(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  out: ByteWriter,
): void {
  let packedFrom = from;
  let at = from;
  while (at < to) {
    const runTo = runEnd(values, at, to);
    if (runTo - at >= RUN_LENGTH_MIN) {
      writePacked(values, packedFrom, at, width, out);
      writeRun(values[at], runTo - at, width, out);
      packedFrom = at = runTo;
    } else {
      // A stretch before a run must be whole groups of eight, as its header counts in eights.
      at += 8;
    }
  }
  writePacked(values, packedFrom, to, width, out);
}

function runEnd(values: Int32Array | Uint8Array, from: number, to: number): number {
  const value = values[from];
  let end = from + 1;
  while (end < to && values[end] === value) end++;
  return end;
}

function writePacked(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  out: ByteWriter,
): void {
  if (to === from) return;
  out.varint((Math.ceil((to - from) / 8) << 1) | 1);
  packBits(values, from, to, width, out);
}

/** Appends `value` as one run of `length`. */
export function writeRun(value: number, length: number, width: number, out: ByteWriter): void {
  out.varint(length << 1);
  for (let bits = 0; bits < width; bits += 8) out.byte(value >>> bits);
}

/** Takes `count` numbers of `width` bits into `target[targetAt ..]`. `width` is 1 to 32. */
export function readHybrid(
  reader: ByteReader,
  count: number,
  width: number,
  target: Int32Array | Uint8Array,
  targetAt: number,
): void {
  let done = 0;
  while (done < count) {
    const header = reader.varint();
    const isPacked = header % 2 === 1;
    const length = Math.floor(header / 2) * (isPacked ? 8 : 1);
    // The last packed stretch is padded to a whole group of eight.
    if (length === 0 || done + length >= count + (isPacked ? 8 : 1)) {
      throw fileCorrupt("a run of numbers is longer than the page");
    }
    const used = Math.min(length, count - done);
    if (isPacked) {
      const start = reader.skip((length / 8) * width);
      unpackBits(reader.bytes, start, used, width, target, targetAt + done);
    } else {
      let value = 0;
      for (let bits = 0; bits < width; bits += 8) value |= reader.byte() << bits;
      target.fill(value, targetAt + done, targetAt + done + used);
    }
    done += used;
  }
}
