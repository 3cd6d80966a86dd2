// Thrift's compact protocol, as far as Parquet's metadata needs it: writing. The other way round:
// read-thrift.ts.
//
// A struct is a list of fields, each with a byte of (distance to the field number before, type).
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

import { ByteWriter } from "./byte-writer.ts";

export const TYPE = {
  true: 1,
  false: 2,
  i16: 4,
  i32: 5,
  i64: 6,
  binary: 8,
  list: 9,
  struct: 12,
} as const;
export const STOP = 0;

const utf8 = new TextEncoder();

/** One struct as bytes of its own. */
export function thriftBytes(write: (fields: ThriftFields) => void): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  writeThrift(out, write);
  return out.written();
}

/** Appends one struct. */
export function writeThrift(out: ByteWriter, write: (fields: ThriftFields) => void): void {
  write(new ThriftFields(out));
  out.byte(STOP);
}

/** The fields of one struct, written in ascending order of their numbers. */
export class ThriftFields {
  readonly #out: ByteWriter;
  #numberBefore = 0;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  bool(number: number, value: boolean): void {
    this.#header(number, value ? TYPE.true : TYPE.false);
  }

  i16(number: number, value: number): void {
    this.#header(number, TYPE.i16);
    this.#out.zigzag(value);
  }

  i32(number: number, value: number): void {
    this.#header(number, TYPE.i32);
    this.#out.zigzag(value);
  }

  i64(number: number, value: number): void {
    this.#header(number, TYPE.i64);
    this.#out.zigzag(value);
  }

  binary(number: number, value: Uint8Array): void {
    this.#header(number, TYPE.binary);
    this.#bytes(value);
  }

  text(number: number, value: string): void {
    this.binary(number, utf8.encode(value));
  }

  struct(number: number, write: (fields: ThriftFields) => void): void {
    this.#header(number, TYPE.struct);
    writeThrift(this.#out, write);
  }

  /** A struct without fields: how Thrift's unions name a case that carries nothing. */
  emptyStruct(number: number): void {
    this.struct(number, () => {});
  }

  boolList(number: number, values: readonly boolean[]): void {
    this.#listHeader(number, TYPE.true, values.length);
    for (const value of values) this.#out.byte(value ? TYPE.true : TYPE.false);
  }

  i32List(number: number, values: readonly number[]): void {
    this.#listHeader(number, TYPE.i32, values.length);
    for (const value of values) this.#out.zigzag(value);
  }

  i64List(number: number, values: readonly number[]): void {
    this.#listHeader(number, TYPE.i64, values.length);
    for (const value of values) this.#out.zigzag(value);
  }

  binaryList(number: number, values: readonly Uint8Array[]): void {
    this.#listHeader(number, TYPE.binary, values.length);
    for (const value of values) this.#bytes(value);
  }

  textList(number: number, values: readonly string[]): void {
    this.binaryList(
      number,
      values.map((value) => utf8.encode(value)),
    );
  }

  structList<Item>(
    number: number,
    items: readonly Item[],
    write: (fields: ThriftFields, item: Item) => void,
  ): void {
    this.#listHeader(number, TYPE.struct, items.length);
    for (const item of items) writeThrift(this.#out, (fields) => write(fields, item));
  }

  #header(number: number, type: number): void {
    const distance = number - this.#numberBefore;
    if (distance < 16) {
      this.#out.byte((distance << 4) | type);
    } else {
      this.#out.byte(type);
      this.#out.zigzag(number);
    }
    this.#numberBefore = number;
  }

  #listHeader(number: number, elementType: number, count: number): void {
    this.#header(number, TYPE.list);
    if (count < 15) {
      this.#out.byte((count << 4) | elementType);
    } else {
      this.#out.byte(0xf0 | elementType);
      this.#out.varint(count);
    }
  }

  #bytes(value: Uint8Array): void {
    this.#out.varint(value.length);
    this.#out.append(value);
  }
}
