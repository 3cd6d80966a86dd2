// The first byte of every MessagePack value: its kind, and its length where the byte alone tells.
//
// Scan, decoder and skip share these tables, so that what ingest accepts the consumer can decode.
// Format: the MessagePack specification, "Formats", https://github.com/msgpack/msgpack

import { KIND } from "#lib/columnar/kinds.ts";

export const TAG = {
  fixmap: 0x80,
  fixarray: 0x90,
  fixstr: 0xa0,
  nil: 0xc0,
  never: 0xc1,
  false: 0xc2,
  true: 0xc3,
  bin8: 0xc4,
  bin16: 0xc5,
  bin32: 0xc6,
  ext8: 0xc7,
  ext16: 0xc8,
  ext32: 0xc9,
  float32: 0xca,
  float64: 0xcb,
  uint8: 0xcc,
  uint16: 0xcd,
  uint32: 0xce,
  uint64: 0xcf,
  int8: 0xd0,
  int16: 0xd1,
  int32: 0xd2,
  int64: 0xd3,
  fixext1: 0xd4,
  fixext2: 0xd5,
  fixext4: 0xd6,
  fixext8: 0xd7,
  fixext16: 0xd8,
  str8: 0xd9,
  str16: 0xda,
  str32: 0xdb,
  array16: 0xdc,
  array32: 0xdd,
  map16: 0xde,
  map32: 0xdf,
  negativeFixint: 0xe0,
} as const;

/** The extension type of timestamps. */
export const TIMESTAMP_EXTENSION = -1;

/** Per tag a bit of KIND; 0 for nil, binary and the tag that is never used. */
export const KIND_OF_TAG = new Uint8Array(256);
/** Per tag the bytes of the whole value; 0 where a length field, or content, follows. */
export const SIZE_OF_TAG = new Uint8Array(256);
/** Per tag the width in bytes of the length field that follows it; 0 where none does. */
export const LENGTH_WIDTH_OF_TAG = new Uint8Array(256);
/** Per tag without a length field, the length that the tag itself says: elements or bytes. */
export const LENGTH_OF_TAG = new Uint8Array(256);
/** SIZE_OF_TAG for integers, 0 for everything else. */
export const SIZE_OF_INTEGER = new Uint8Array(256);
/** SIZE_OF_TAG for integers and floats, 0 for everything else. */
export const SIZE_OF_NUMBER = new Uint8Array(256);
/** SIZE_OF_TAG for nil, booleans, integers and floats, 0 for everything else. */
export const SIZE_OF_SCALAR = new Uint8Array(256);

fillTables();

function fillTables(): void {
  defineScalars();
  for (let length = 0; length < 16; length++) {
    KIND_OF_TAG[TAG.fixmap + length] = KIND_OF_TAG[TAG.fixarray + length] = KIND.nested;
    LENGTH_OF_TAG[TAG.fixmap + length] = LENGTH_OF_TAG[TAG.fixarray + length] = length;
  }
  for (let length = 0; length < 32; length++) {
    KIND_OF_TAG[TAG.fixstr + length] = KIND.text;
    LENGTH_OF_TAG[TAG.fixstr + length] = length;
    SIZE_OF_TAG[TAG.fixstr + length] = 1 + length;
  }
  for (let power = 0; power < 5; power++) {
    KIND_OF_TAG[TAG.fixext1 + power] = KIND.timestamp;
    LENGTH_OF_TAG[TAG.fixext1 + power] = 1 << power;
    SIZE_OF_TAG[TAG.fixext1 + power] = 2 + (1 << power);
  }
  defineLengthFields(KIND.nested, 2, [TAG.array16, TAG.array32]);
  defineLengthFields(KIND.nested, 2, [TAG.map16, TAG.map32]);
  defineLengthFields(KIND.text, 1, [TAG.str8, TAG.str16, TAG.str32]);
  defineLengthFields(KIND.timestamp, 1, [TAG.ext8, TAG.ext16, TAG.ext32]);
  defineLengthFields(0, 1, [TAG.bin8, TAG.bin16, TAG.bin32]);
}

function defineScalars(): void {
  for (let tag = 0; tag < 256; tag++) {
    if (tag < TAG.fixmap || tag >= TAG.negativeFixint) defineScalar(tag, KIND.int, 1);
  }
  for (let power = 0; power < 4; power++) {
    defineScalar(TAG.uint8 + power, KIND.int, 1 + (1 << power));
    defineScalar(TAG.int8 + power, KIND.int, 1 + (1 << power));
  }
  defineScalar(TAG.float32, KIND.float, 5);
  defineScalar(TAG.float64, KIND.float, 9);
  defineScalar(TAG.false, KIND.bool, 1);
  defineScalar(TAG.true, KIND.bool, 1);
  defineScalar(TAG.nil, 0, 1);
}

function defineScalar(tag: number, kind: number, size: number): void {
  KIND_OF_TAG[tag] = kind;
  SIZE_OF_TAG[tag] = SIZE_OF_SCALAR[tag] = size;
  if (kind === KIND.int) SIZE_OF_INTEGER[tag] = size;
  if (kind === KIND.int || kind === KIND.float) SIZE_OF_NUMBER[tag] = size;
}

function defineLengthFields(kind: number, width: number, tags: readonly number[]): void {
  for (const [doublings, tag] of tags.entries()) {
    KIND_OF_TAG[tag] = kind;
    LENGTH_WIDTH_OF_TAG[tag] = width << doublings;
  }
}

/** What to call a value that begins with `tag`, in the message of a refusal. */
export function nameOfTag(tag: number): string {
  if (tag === TAG.nil) return "nil";
  if (tag === TAG.false || tag === TAG.true) return "a boolean";
  if (tag >= TAG.bin8 && tag <= TAG.bin32) return "binary";
  if (tag === TAG.float32 || tag === TAG.float64) return "a float";
  if (isMapTag(tag)) return "a map";
  switch (KIND_OF_TAG[tag]) {
    case KIND.int:
      return "an integer";
    case KIND.text:
      return "text";
    case KIND.timestamp:
      return "an extension";
    case KIND.nested:
      return "an array";
    default:
      return "the byte 0xc1, which MessagePack never uses";
  }
}

export function isMapTag(tag: number): boolean {
  return (tag & 0xf0) === TAG.fixmap || tag === TAG.map16 || tag === TAG.map32;
}
