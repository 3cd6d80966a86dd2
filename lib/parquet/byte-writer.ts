// Bytes appended one after another to a buffer that grows.
//
// The hot loops reserve room once and then store into `bytes` at `length` themselves.

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacityBytes = 1024) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /**
   * Makes room for `count` more bytes. What is in the room is undefined: it is used again and
   * again.
   */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.written());
    this.bytes = grown;
  }

  /** A view of what was written, valid until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 24;
  }

  /** Fills in what was written as a placeholder. */
  patchUint32(at: number, value: number): void {
    new DataView(this.bytes.buffer).setUint32(at, value, true);
  }

  /** Unsigned LEB128 of a whole number up to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** Signed whole number up to ±2^52. */
  zigzag(value: number): void {
    this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  /** Any int64, given as its two words. */
  zigzag64(low: number, high: number): void {
    const sign = high >> 31;
    let restLow = ((low << 1) ^ sign) >>> 0;
    let restHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    this.reserve(10);
    while (restHigh > 0 || restLow >= 0x80) {
      this.bytes[this.length++] = (restLow & 0x7f) | 0x80;
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    this.bytes[this.length++] = restLow;
  }
}
