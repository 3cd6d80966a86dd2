// Bytes taken one after another; taking more than there are is `file_corrupt`.
//
// The hot loops take a stretch once and then read it at an offset themselves.

import { fileCorrupt } from "./file-corrupt.ts";

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  /** Behind the last byte. */
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  byte(): number {
    return this.bytes[this.skip(1)];
  }

  /** Moves over `count` bytes; the answer is where they begin. */
  skip(count: number): number {
    const start = this.at;
    if (!(count >= 0 && count <= this.end - start)) throw fileCorrupt("bytes are missing");
    this.at = start + count;
    return start;
  }

  /** A view. */
  take(count: number): Uint8Array {
    const start = this.skip(count);
    return this.bytes.subarray(start, start + count);
  }

  uint32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    return (low | (bytes[at + 3] << 24)) >>> 0;
  }

  /** Unsigned LEB128 of a whole number up to 2^53. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw fileCorrupt("a number is too large");
      if (byte < 0x80) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw fileCorrupt("a number is too long");
    }
  }

  /** Signed whole number up to ±2^52. */
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Any int64, into its two words. */
  zigzag64(words: Int32Array, wordsAt: number): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 63) throw fileCorrupt("a number is too long");
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) break;
    }
    const sign = -(low & 1);
    words[wordsAt] = ((low >>> 1) | (high << 31)) ^ sign;
    words[wordsAt + 1] = (high >>> 1) ^ sign;
  }
}
