// A place in a MessagePack body, and the small reads that need no speed: headers, keys, skipping.
//
// Nothing is allocated by what a header declares: a length that the rest of the body cannot hold is
// refused before anyone uses it. The loops over cells are in read-cells.ts.
//
// Every refusal names the column and row in whose reading it happened.

import { type ErrorCode, type ErrorDetail, SluiceError } from "#lib/base/errors.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import { isMapTag, KIND_OF_TAG, LENGTH_OF_TAG, LENGTH_WIDTH_OF_TAG } from "./msgpack-tags.ts";
import { nameOfTag, SIZE_OF_TAG, TAG, TIMESTAMP_EXTENSION } from "./msgpack-tags.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class MessagePackReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  position = 0;
  /** Where we are, for refusals. */
  column: string | null = null;
  row: number | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  refuse(code: ErrorCode, reason: string, more: ErrorDetail = {}): SluiceError {
    const detail: ErrorDetail = {};
    let place = "";
    if (this.column !== null) {
      detail["column"] = this.column;
      place = `column ${JSON.stringify(this.column)}: `;
      if (this.row !== null) {
        detail["row"] = this.row;
        place = `column ${JSON.stringify(this.column)}, row ${this.row}: `;
      }
    }
    return new SluiceError(code, place + reason, { ...detail, ...more });
  }

  truncated(): SluiceError {
    return this.refuse("msgpack_invalid", "the body ends in the middle of a value");
  }

  /** The first byte of the next value. */
  tag(): number {
    if (this.position >= this.bytes.length) throw this.truncated();
    return this.bytes[this.position];
  }

  /** Moves past `byteLength` bytes that must be there; returns where they begin. */
  take(byteLength: number): number {
    const start = this.position;
    if (byteLength > this.bytes.length - start) throw this.truncated();
    this.position = start + byteLength;
    return start;
  }

  /** Moves past the header of an array; returns how many elements follow. */
  arrayLength(): number {
    const tag = this.tag();
    if (KIND_OF_TAG[tag] === KIND.nested && !isMapTag(tag)) return this.#fitting(this.#length(), 1);
    throw this.refuse("batch_shape_invalid", `${nameOfTag(tag)} stands where an array belongs`);
  }

  /** Moves past the header of a map; returns how many pairs follow. */
  mapLength(): number {
    const tag = this.tag();
    if (isMapTag(tag)) return this.#fitting(this.#length(), 2);
    throw this.refuse("batch_shape_invalid", `${nameOfTag(tag)} stands where a map belongs`);
  }

  /** Moves past a text, which ends at `position` then; returns where it begins. */
  textStart(): number {
    const tag = this.tag();
    if (KIND_OF_TAG[tag] === KIND.text) return this.take(this.#length());
    throw this.refuse("batch_shape_invalid", `${nameOfTag(tag)} stands where text belongs`);
  }

  /** Moves past the header of a timestamp; returns how many bytes of content follow. */
  timestampLength(): number {
    const byteLength = this.#length();
    const type = this.view.getInt8(this.take(1));
    if (type === TIMESTAMP_EXTENSION) return byteLength;
    throw this.refuse("column_type_unsupported", `extension type ${type} is not supported`);
  }

  /** `bytes[start .. position)` as a string. */
  decodeSince(start: number): string {
    try {
      return UTF8.decode(this.bytes.subarray(start, this.position));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw this.refuse("text_invalid", "text is not valid UTF-8");
    }
  }

  /** Moves past `count` whole values of any kind, however deeply nested, without recursion. */
  skip(count: number): void {
    const { bytes } = this;
    let position = this.position;
    for (let left = count; left > 0; left--) {
      const size = position < bytes.length ? SIZE_OF_TAG[bytes[position]] : 0;
      if (size > 0) {
        position += size;
      } else {
        this.position = position;
        left += this.#skipHeader();
        position = this.position;
      }
    }
    this.position = position;
    if (position > bytes.length) throw this.truncated();
  }

  /** Moves past a header and, where it declares bytes, those; returns how many values follow. */
  #skipHeader(): number {
    const tag = this.tag();
    if (isMapTag(tag)) return 2 * this.mapLength();
    const kind = KIND_OF_TAG[tag];
    if (kind === KIND.nested) return this.arrayLength();
    if (tag === TAG.never) throw this.refuse("msgpack_invalid", `there is ${nameOfTag(tag)}`);
    const typeBytes = kind === KIND.timestamp ? 1 : 0;
    this.take(this.#length() + typeBytes);
    return 0;
  }

  /** Moves past a tag with its length field, if it has one; returns the length. */
  #length(): number {
    const tag = this.tag();
    const width = LENGTH_WIDTH_OF_TAG[tag];
    const at = this.take(1 + width) + 1;
    if (width === 0) return LENGTH_OF_TAG[tag];
    if (width === 1) return this.view.getUint8(at);
    return width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  #fitting(count: number, bytesEach: number): number {
    const left = this.bytes.length - this.position;
    if (count * bytesEach <= left) return count;
    const reason = `${count} elements are declared, but only ${left} bytes follow`;
    throw this.refuse("msgpack_invalid", reason);
  }
}
