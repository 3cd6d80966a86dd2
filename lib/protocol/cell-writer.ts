// One column on its way to MessagePack: cells are written, or copied as they stand in a body.
//
// Nothing is decoded for the sake of a row form: a cell that was MessagePack stays the same bytes.
// Rows that lack the column cost one byte of nil each, which a hostile body could have us write by
// the billion: all writers of a request share one budget of bytes. Format: the MessagePack
// specification, "Formats".

import { SluiceError } from "#lib/base/errors.ts";
import { growBuffer } from "#lib/columnar/growth.ts";
import { TAG } from "./msgpack-tags.ts";

const UTF8 = new TextEncoder();
const INITIAL_BYTES = 64;

/** How many bytes may still be taken for cells; shared by all columns of a request. */
export class ByteBudget {
  readonly #limit: number;
  #left: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** Refuses (`batch_too_large`). */
  take(byteLength: number): void {
    this.#left -= byteLength;
    if (this.#left >= 0) return;
    const message = `gathered into columns the batch takes more than ${this.#limit} bytes`;
    throw new SluiceError("batch_too_large", message, { limit: this.#limit });
  }
}

export class CellWriter {
  readonly name: string;
  readonly #budget: ByteBudget;
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #byteLength = 0;
  #rowCount = 0;

  constructor(name: string, budget: ByteBudget) {
    this.name = name;
    this.#budget = budget;
    budget.take(INITIAL_BYTES);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** What was written; the array is the writer's own. */
  get cells(): Uint8Array {
    return this.#bytes.subarray(0, this.#byteLength);
  }

  /** NULLs until the column has `rowCount` rows. */
  padTo(rowCount: number): void {
    const count = rowCount - this.#rowCount;
    if (count <= 0) return;
    const at = this.#take(count, count);
    this.#bytes.fill(TAG.nil, at, at + count);
  }

  /** `bytes[start .. end)`: whole MessagePack values, one per row. */
  copyCells(bytes: Uint8Array, start: number, end: number, rowCount: number): void {
    const at = this.#take(end - start, rowCount);
    this.#bytes.set(bytes.subarray(start, end), at);
  }

  /** −2⁶³ to 2⁶³−1. */
  writeInteger(value: number | bigint): void {
    if (value >= 0 && value < 0x80) {
      const at = this.#take(1, 1);
      this.#bytes[at] = Number(value);
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      const at = this.#take(5, 1);
      this.#bytes[at] = TAG.int32;
      this.#view.setInt32(at + 1, Number(value));
    } else {
      const at = this.#take(9, 1);
      this.#bytes[at] = TAG.int64;
      this.#view.setBigInt64(at + 1, BigInt(value));
    }
  }

  writeFloat(value: number): void {
    const at = this.#take(9, 1);
    this.#bytes[at] = TAG.float64;
    this.#view.setFloat64(at + 1, value);
  }

  writeBoolean(value: boolean): void {
    const at = this.#take(1, 1);
    this.#bytes[at] = value ? TAG.true : TAG.false;
  }

  writeString(text: string): void {
    const bytes = UTF8.encode(text);
    this.writeText(bytes, 0, bytes.length);
  }

  /** `bytes[start .. end)`: UTF-8. */
  writeText(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const headerBytes = textHeaderBytes(length);
    const at = this.#take(headerBytes + length, 1);
    writeTextHeader(this.#view, at, length);
    if (length < 16) {
      const target = this.#bytes;
      for (let i = 0; i < length; i++) target[at + headerBytes + i] = bytes[start + i];
    } else {
      this.#bytes.set(bytes.subarray(start, end), at + headerBytes);
    }
  }

  /** Room for cells of so many bytes; returns where it begins. */
  #take(byteLength: number, rowCount: number): number {
    const at = this.#byteLength;
    const needed = at + byteLength;
    const { buffer } = this.#bytes;
    if (needed > buffer.byteLength) {
      this.#budget.take(Math.max(needed, 2 * buffer.byteLength) - buffer.byteLength);
      this.#bytes = new Uint8Array(growBuffer(buffer, needed));
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#byteLength = needed;
    this.#rowCount += rowCount;
    return at;
  }
}

export function textHeaderBytes(length: number): number {
  if (length < 32) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 5;
}

export function writeTextHeader(view: DataView, at: number, length: number): void {
  if (length < 32) {
    view.setUint8(at, TAG.fixstr | length);
  } else if (length < 0x100) {
    view.setUint8(at, TAG.str8);
    view.setUint8(at + 1, length);
  } else if (length < 0x1_0000) {
    view.setUint8(at, TAG.str16);
    view.setUint16(at + 1, length);
  } else {
    view.setUint8(at, TAG.str32);
    view.setUint32(at + 1, length);
  }
}
