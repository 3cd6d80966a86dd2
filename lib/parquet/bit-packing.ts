// Whole numbers of a fixed bit width, one after another, least significant bit first.

import type { ByteWriter } from "./byte-writer.ts";

/**
 * Appends `values[from .. to)`, each below 2^width, padded with zeros to a multiple of eight
 * values. `width` is 1 to 32.
 */
export function packBits(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  out: ByteWriter,
): void {
  const byteLength = Math.ceil((to - from) / 8) * width;
  out.reserve(byteLength + 4);
  const { bytes } = out;
  const end = out.length + byteLength;
  let at = out.length;

  // 32 bits are gathered, then stored: fewer and simpler steps than byte by byte.
  let word = 0;
  let bitCount = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    word |= value << bitCount;
    bitCount += width;
    if (bitCount >= 32) {
      bytes[at] = word;
      bytes[at + 1] = word >>> 8;
      bytes[at + 2] = word >>> 16;
      bytes[at + 3] = word >>> 24;
      at += 4;
      bitCount -= 32;
      word = bitCount === 0 ? 0 : value >>> (width - bitCount);
    }
  }
  for (; bitCount > 0; bitCount -= 8) {
    bytes[at++] = word;
    word >>>= 8;
  }
  if (at < end) bytes.fill(0, at, end);
  out.length = end;
}

/**
 * The other way round: `count` numbers from `bytes[at ..]` on into `target[targetAt ..]`. Bytes
 * behind the last are taken for zeros.
 */
export function unpackBits(
  bytes: Uint8Array,
  at: number,
  count: number,
  width: number,
  target: Int32Array | Uint8Array,
  targetAt: number,
): void {
  const mask = width === 32 ? -1 : (1 << width) - 1;
  let word = 0;
  let bitCount = 0;
  for (let i = 0; i < count; i++) {
    if (bitCount >= width) {
      target[targetAt + i] = word & mask;
      word >>>= width;
      bitCount -= width;
      continue;
    }
    const next = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    at += 4;
    target[targetAt + i] = (word | (next << bitCount)) & mask;
    const usedBits = width - bitCount;
    word = usedBits === 32 ? 0 : next >>> usedBits;
    bitCount = 32 - usedBits;
  }
}

/** Bits needed for numbers from 0 to `max`, read as unsigned. */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}
