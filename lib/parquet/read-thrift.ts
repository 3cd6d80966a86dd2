// Thrift's compact protocol, the other way round: bytes to structs.
//
// A struct becomes a map from field number to value, so that one reader serves the footer and all
// page headers, and who asks for a field says what it must be. Damage ends in `file_corrupt`: no
// length is believed beyond the bytes that are there.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

import { ByteReader } from "./byte-reader.ts";
import { fileCorrupt } from "./file-corrupt.ts";
import { STOP, TYPE } from "./thrift-compact.ts";

type Value = boolean | number | Uint8Array | readonly Value[] | ThriftStruct;

/** Parquet's own structs are five deep at most. */
const DEPTH_MAX = 16;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One struct from where the reader stands. */
export function readThrift(reader: ByteReader): ThriftStruct {
  return readStruct(reader, 0);
}

/** The fields of one struct; each asking names the field's number in parquet.thrift. */
export class ThriftStruct {
  readonly #fields: ReadonlyMap<number, Value>;

  constructor(fields: ReadonlyMap<number, Value>) {
    this.#fields = fields;
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  integer(number: number): number {
    const value = this.#fields.get(number);
    if (typeof value !== "number") throw this.#unexpected(number);
    return value;
  }

  /** Of a length, an offset or a count. */
  size(number: number): number {
    const value = this.integer(number);
    if (value < 0) throw this.#unexpected(number);
    return value;
  }

  binary(number: number): Uint8Array {
    const value = this.#fields.get(number);
    if (!(value instanceof Uint8Array)) throw this.#unexpected(number);
    return value;
  }

  text(number: number): string {
    try {
      return utf8.decode(this.binary(number));
    } catch {
      throw this.#unexpected(number);
    }
  }

  struct(number: number): ThriftStruct {
    const value = this.#fields.get(number);
    if (!(value instanceof ThriftStruct)) throw this.#unexpected(number);
    return value;
  }

  structs(number: number): ThriftStruct[] {
    return this.#list(number).map((item) => {
      if (!(item instanceof ThriftStruct)) throw this.#unexpected(number);
      return item;
    });
  }

  texts(number: number): string[] {
    return this.#list(number).map((item) => new ThriftStruct(new Map([[0, item]])).text(0));
  }

  /** Refuses fields that our writer never sets: they are others that damage has renumbered. */
  assertOnly(...numbers: readonly number[]): void {
    for (const number of this.#fields.keys()) {
      if (!numbers.includes(number)) throw this.#unexpected(number);
    }
  }

  #list(number: number): readonly Value[] {
    const value = this.#fields.get(number);
    if (!Array.isArray(value)) throw this.#unexpected(number);
    return value;
  }

  #unexpected(number: number): Error {
    return fileCorrupt(`field ${number} of the metadata is not as it was written`);
  }
}

function readStruct(reader: ByteReader, depth: number): ThriftStruct {
  if (depth > DEPTH_MAX) throw fileCorrupt("the metadata is nested too deep");
  const fields = new Map<number, Value>();
  let number = 0;
  for (;;) {
    const header = reader.byte();
    if (header === STOP) return new ThriftStruct(fields);
    const distance = header >>> 4;
    number = distance === 0 ? reader.zigzag() : number + distance;
    if (fields.has(number)) throw fileCorrupt(`field ${number} of the metadata comes twice`);
    fields.set(number, readValue(reader, header & 0x0f, depth));
  }
}

function readValue(reader: ByteReader, type: number, depth: number): Value {
  switch (type) {
    case TYPE.true:
      return true;
    case TYPE.false:
      return false;
    case TYPE.i16:
    case TYPE.i32:
    case TYPE.i64:
      return reader.zigzag();
    case TYPE.binary:
      return reader.take(reader.varint());
    case TYPE.list:
      return readList(reader, depth);
    case TYPE.struct:
      return readStruct(reader, depth + 1);
    default:
      throw fileCorrupt(`the metadata holds a value of the unknown type ${type}`);
  }
}

function readList(reader: ByteReader, depth: number): Value[] {
  const header = reader.byte();
  const elementType = header & 0x0f;
  const count = header >>> 4 === 15 ? reader.varint() : header >>> 4;
  // Every element takes a byte at least.
  if (count > reader.end - reader.at) throw fileCorrupt("a list of the metadata is cut short");
  const isBooleans = elementType === TYPE.true || elementType === TYPE.false;
  return Array.from({ length: count }, () =>
    isBooleans ? reader.byte() === TYPE.true : readValue(reader, elementType, depth),
  );
}
