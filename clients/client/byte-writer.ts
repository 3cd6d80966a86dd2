// A buffer that grows, with the few big-endian numbers and the text that MessagePack is made of.

const BYTES_START = 1_024;
/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;

const encoder = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(BYTES_START);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#length, value);
    this.#length += 4;
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value);
    this.#length += 8;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** A MessagePack str with its header. Halves of surrogate pairs become U+FFFD. */
  text(value: string): void {
    const bytesMax = value.length * BYTES_PER_UNIT_MAX;
    this.#reserve(bytesMax + 5);
    // The header's size goes by the longest possible text, so that nothing has to be moved.
    const headerBytes = bytesMax < 32 ? 1 : bytesMax < 0x1_0000 ? 3 : 5;
    const start = this.#length + headerBytes;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start));
    if (headerBytes === 1) this.#bytes[this.#length] = 0xa0 | written;
    else if (headerBytes === 3) {
      this.#bytes[this.#length] = 0xda;
      this.#view.setUint16(this.#length + 1, written);
    } else {
      this.#bytes[this.#length] = 0xdb;
      this.#view.setUint32(this.#length + 1, written);
    }
    this.#length = start + written;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
