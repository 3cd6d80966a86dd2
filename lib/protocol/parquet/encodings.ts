// Levels and values of a page, by hyparquet's decoders, with what those trust looked at first.
//
// A run says how often its value is repeated: five bytes can say two billion times. A prefix can
// repeat a long text for every value. Both are counted before memory is spent on them.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import type { SchemaElement } from "hyparquet";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit, readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { readVarInt } from "hyparquet/src/thrift.js";
import { LIMITS } from "#lib/base/limits.ts";
import { damaged } from "./parquet-file.ts";

export interface Reader {
  readonly view: DataView;
  offset: number;
}

/** As hyparquet has them: numbers, bigints, booleans or bytes, not converted. */
export type Values = ArrayLike<unknown>;

export function readLevels(
  reader: Reader,
  levelMax: number,
  count: number,
  byteLength: number,
): number[] {
  return readHybrid(reader, 32 - Math.clz32(levelMax), count, byteLength);
}

/** Exactly `count` values, which reach to the end; numbers where there is a dictionary. */
export function readValues(
  reader: Reader,
  encoding: string | undefined,
  count: number,
  { type, type_length: typeLength }: SchemaElement,
): Values {
  const bytesLeft = () => reader.view.byteLength - reader.offset;
  checkEncoding(encoding, type!);
  if (count === 0) return [];
  switch (encoding) {
    case "PLAIN":
      return readPlain(reader, type!, count, typeLength);
    case "PLAIN_DICTIONARY":
    case "RLE_DICTIONARY": {
      const width = reader.view.getUint8(reader.offset++);
      return width === 0 ? new Uint8Array(count) : readHybrid(reader, width, count, bytesLeft());
    }
    case "RLE": {
      const byteLength = reader.view.getUint32(reader.offset, true);
      reader.offset += 4;
      return readHybrid(reader, 1, count, byteLength).map((bit) => bit === 1);
    }
    case "BYTE_STREAM_SPLIT":
      if (count * (typeLength ?? 1) > bytesLeft()) throw damaged("a page ends too soon");
      return byteStreamSplit(reader, count, type!, typeLength);
    case "DELTA_BINARY_PACKED":
      return readDeltas(reader, count, type === "INT32");
    case "DELTA_LENGTH_BYTE_ARRAY": {
      const texts = room<Uint8Array>(count);
      deltaLengthByteArray(reader, count, texts);
      return texts;
    }
    case "DELTA_BYTE_ARRAY": {
      checkPrefixes({ ...reader }, count);
      const texts = room<Uint8Array>(count);
      deltaByteArray(reader, count, texts);
      return texts;
    }
  }
  throw damaged(`encoding ${encoding} is not read`);
}

/** Where it is not for all; of another type the values would come out as something else. */
const TYPES_OF_ENCODING: Readonly<Record<string, readonly string[]>> = {
  RLE: ["BOOLEAN"],
  DELTA_BINARY_PACKED: ["INT32", "INT64"],
  DELTA_LENGTH_BYTE_ARRAY: ["BYTE_ARRAY"],
  DELTA_BYTE_ARRAY: ["BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"],
};

function checkEncoding(encoding: string | undefined, type: string): asserts encoding is string {
  if (encoding === undefined) throw damaged("a page has an unknown encoding");
  const types = TYPES_OF_ENCODING[encoding];
  if (types !== undefined && !types.includes(type)) {
    throw damaged(`a column of ${type} is encoded as ${encoding}`);
  }
}

/** Leaves the reader behind `byteLength` bytes. */
function readHybrid(reader: Reader, width: number, count: number, byteLength: number): number[] {
  checkRuns({ ...reader }, width, count);
  const values = room<number>(count);
  readRleBitPackedHybrid(reader, width, values, byteLength);
  return values;
}

/** The decoders fill as many places as there are. */
function room<T>(count: number): T[] {
  return Array.from<T>({ length: count });
}

/** Bits beyond the last value fill a group of eight; some writers fill a longer run of groups. */
const PADDING_MAX = 512;
const WIDTH_MAX = 32;

function checkRuns(reader: Reader, width: number, count: number): void {
  if (width > WIDTH_MAX) throw damaged(`a page has numbers of ${width} bits`);
  for (let seen = 0; seen < count;) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const groups = header >>> 1;
    const length = isPacked ? groups * 8 : groups;
    if (length > count - seen + (isPacked ? PADDING_MAX : 0)) {
      throw damaged(`a page has a run of ${length} where ${count - seen} values are left`);
    }
    reader.offset += isPacked ? groups * width : (width + 7) >> 3;
    seen += length;
  }
}

const MINIBLOCKS_MAX = 4_096;

function readDeltas(reader: Reader, count: number, isInt32: boolean): Int32Array | BigInt64Array {
  const head = { ...reader };
  readVarInt(head);
  const miniblocks = readVarInt(head);
  if (!(miniblocks > 0 && miniblocks <= MINIBLOCKS_MAX)) {
    throw damaged(`a page has blocks of ${miniblocks} parts`);
  }
  const values = isInt32 ? new Int32Array(count) : new BigInt64Array(count);
  deltaBinaryUnpack(reader, count, values);
  return values;
}

function checkPrefixes(reader: Reader, count: number): void {
  const lengths = new Int32Array(count);
  deltaBinaryUnpack(reader, count, lengths);
  let byteLength = 0;
  for (const length of lengths) byteLength += length;
  if (byteLength <= LIMITS.importPageBytesMax) return;
  throw damaged(`the texts of a page begin with ${byteLength} bytes of the ones before them`);
}
