// A query's answer in the shape of Arc's MessagePack: one map, its data column by column.
//
// An array says its length first, so the columns grow side by side in memory until the last row is
// known; beyond `queryHeldBytesMax` the query is refused. Decimals are numbers and what has no type
// of its own is JSON text ("string_encoded"), as in Arc; timestamps and dates are MessagePack
// timestamps.
// Format: the MessagePack specification, https://github.com/msgpack/msgpack

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { TAG, TIMESTAMP_EXTENSION } from "#lib/protocol/msgpack-tags.ts";
import { ByteWriter } from "#lib/parquet/byte-writer.ts";
import {
  ARROW,
  type ArrowBatch,
  type ArrowColumn,
  type ArrowField,
} from "#lib/sql/arrow-stream.ts";
import { signedReader, slice, unsignedReader } from "#lib/sql/cell-text.ts";
import { isValid, plainBatch, plainField, plainText } from "#lib/sql/plain-columns.ts";
import { type AnswerEnd, costFields, NO_BYTES, rfc3339, type ResultWriter } from "./writer.ts";

export class MsgpackResult implements ResultWriter {
  readonly contentType = "application/msgpack";
  readonly #hasProfile: boolean;
  #fields: readonly ArrowField[] = [];
  #columns: MsgpackWriter[] = [];

  constructor(hasProfile: boolean) {
    this.#hasProfile = hasProfile;
  }

  begin(fields: readonly ArrowField[]): Uint8Array {
    this.#fields = fields.map(plainField);
    this.#columns = fields.map(() => new MsgpackWriter());
    return NO_BYTES;
  }

  rows(batch: ArrowBatch): Uint8Array {
    const { rowCount, columns } = plainBatch(batch);
    for (const [at, column] of columns.entries()) {
      const out = this.#columns[at]!;
      const write = cellWriter(column, out);
      for (let row = 0; row < rowCount; row++) {
        if (isValid(column, row)) write(row);
        else out.byte(TAG.nil);
      }
    }
    const heldBytes = this.#columns.reduce((sum, { length }) => sum + length, 0);
    if (heldBytes > LIMITS.queryHeldBytesMax) throw tooLarge();
    return NO_BYTES;
  }

  end({ rowCount, isTruncated, executionMs, nowMs, cost }: AnswerEnd): Uint8Array {
    const out = new MsgpackWriter();
    const profile = this.#hasProfile ? { profile: cost === null ? {} : costFields(cost) } : {};
    const rest = {
      row_count: rowCount,
      execution_time_ms: Math.round(executionMs),
      timestamp: rfc3339(nowMs),
      ...(isTruncated ? { truncated: true } : {}),
      ...profile,
    };
    out.lengthOf(TAG.fixmap, TAG.map16, 4 + Object.keys(rest).length);
    out.entries({
      success: true,
      columns: this.#fields.map(({ name }) => name),
      types: this.#fields.map(typeName),
    });
    out.text("data");
    out.lengthOf(TAG.fixarray, TAG.array16, this.#columns.length);
    for (const column of this.#columns) {
      out.lengthOf(TAG.fixarray, TAG.array16, rowCount);
      out.append(column.written());
    }
    out.entries(rest);
    return out.written();
  }
}

function tooLarge(): SluiceError {
  const limit = LIMITS.queryHeldBytesMax;
  const message =
    `the answer has more than ${limit} bytes, and MessagePack needs it whole: ` +
    "add a LIMIT, or ask for Arrow, NDJSON or CSV";
  return new SluiceError("query_too_large", message, { limit });
}

const UNIT_NAMES = ["s", "ms", "us", "ns"];

/** Arc's names of types. */
function typeName({ type, bitWidth, isSigned, unit }: ArrowField): string {
  switch (type) {
    case ARROW.null:
      return "null";
    case ARROW.int:
      return `${isSigned ? "" : "u"}int${bitWidth}`;
    case ARROW.float:
      return unit === 1 ? "float32" : "float64";
    case ARROW.bool:
      return "bool";
    case ARROW.utf8:
      return "utf8";
    case ARROW.binary:
      return "binary";
    case ARROW.date:
      return "date32";
    case ARROW.timestamp:
      return `timestamp[${UNIT_NAMES[unit]}]`;
    default:
      return "string_encoded";
  }
}

/** Writes the cell of a row that is not NULL. */
function cellWriter(column: ArrowColumn, out: MsgpackWriter): (row: number) => void {
  const { field, buffers } = column;
  const values = buffers[0]!;
  switch (field.type) {
    case ARROW.null:
      return () => out.byte(TAG.nil);
    case ARROW.int:
      return integerWriter(values, field, out);
    case ARROW.float:
      return field.unit === 1
        ? (row) => out.float32(values.getFloat32(row * 4, true))
        : (row) => out.float64(values.getFloat64(row * 8, true));
    case ARROW.bool:
      return (row) =>
        out.byte(((values.getUint8(row >> 3) >> (row & 7)) & 1) === 1 ? TAG.true : TAG.false);
    case ARROW.utf8:
      return (row) => out.utf8(slice(buffers, row));
    case ARROW.binary:
      return (row) => out.binary(slice(buffers, row));
    case ARROW.date:
      return field.unit === 0
        ? (row) => out.timestamp(BigInt(values.getInt32(row * 4, true)) * 86_400n, 0)
        : (row) => out.ticks(values.getBigInt64(row * 8, true), 1_000n);
    case ARROW.timestamp: {
      const perSecond = 1_000n ** BigInt(field.unit);
      return (row) => out.ticks(values.getBigInt64(row * 8, true), perSecond);
    }
    default: {
      const text = plainText(column);
      return (row) => out.text(text(row)!);
    }
  }
}

function integerWriter(
  values: DataView,
  { bitWidth, isSigned }: ArrowField,
  out: MsgpackWriter,
): (row: number) => void {
  if (bitWidth === 64) {
    const tag = isSigned ? TAG.int64 : TAG.uint64;
    return (row) => out.bits64(tag, values.getBigInt64(row * 8, true));
  }
  const read = isSigned ? signedReader(values, bitWidth) : unsignedReader(values, bitWidth);
  return (row) => out.integer(read(row) as number);
}

const UTF8 = new TextEncoder();

/** A tree of what JSON has. */
type Tree = string | number | boolean | readonly Tree[] | { readonly [key: string]: Tree };

class MsgpackWriter extends ByteWriter {
  /** `small` with a length below 16 in it, or `wide` and 16 bits, or the tag behind it and 32. */
  lengthOf(small: number, wide: number, length: number): void {
    if (length < 16) this.byte(small | length);
    else if (length < 65_536) this.#tagged(wide, 2).setUint16(0, length);
    else this.#tagged(wide + 1, 4).setUint32(0, length);
  }

  entries(map: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(map)) {
      this.text(key);
      this.tree(value as Tree);
    }
  }

  tree(value: Tree): void {
    if (typeof value === "string") this.text(value);
    else if (typeof value === "boolean") this.byte(value ? TAG.true : TAG.false);
    else if (typeof value === "number") {
      if (Number.isInteger(value)) this.integer(value);
      else this.float64(value);
    } else if (Array.isArray(value)) {
      this.lengthOf(TAG.fixarray, TAG.array16, value.length);
      for (const item of value as readonly Tree[]) this.tree(item);
    } else {
      this.lengthOf(TAG.fixmap, TAG.map16, Object.keys(value).length);
      this.entries(value as Readonly<Record<string, unknown>>);
    }
  }

  text(text: string): void {
    this.utf8(UTF8.encode(text));
  }

  utf8(bytes: Uint8Array): void {
    const length = bytes.byteLength;
    if (length < 32) this.byte(TAG.fixstr | length);
    else this.#length8(TAG.str8, length);
    this.append(bytes);
  }

  binary(bytes: Uint8Array): void {
    this.#length8(TAG.bin8, bytes.byteLength);
    this.append(bytes);
  }

  /** In the shortest form. */
  integer(value: number): void {
    if (value >= 0 && value < 128) this.byte(value);
    else if (value < 0 && value >= -32) this.byte(value + 256);
    else if (value === (value | 0)) this.#tagged(TAG.int32, 4).setInt32(0, value);
    else this.bits64(TAG.int64, BigInt(value));
  }

  bits64(tag: number, value: bigint): void {
    this.#tagged(tag, 8).setBigInt64(0, value);
  }

  float32(value: number): void {
    this.#tagged(TAG.float32, 4).setFloat32(0, value);
  }

  float64(value: number): void {
    this.#tagged(TAG.float64, 8).setFloat64(0, value);
  }

  /** A moment as so many ticks since 1970. */
  ticks(count: bigint, perSecond: bigint): void {
    const rest = ((count % perSecond) + perSecond) % perSecond;
    this.timestamp((count - rest) / perSecond, Number((rest * 1_000_000_000n) / perSecond));
  }

  /** The timestamp extension: in 64 bits where it fits, else in 96. */
  timestamp(seconds: bigint, nanoseconds: number): void {
    const extension = TIMESTAMP_EXTENSION & 0xff;
    if (seconds >= 0n && seconds < 1n << 34n) {
      const view = this.#tagged(TAG.fixext8, 9);
      view.setUint8(0, extension);
      view.setBigUint64(1, (BigInt(nanoseconds) << 34n) | seconds);
    } else {
      const view = this.#tagged(TAG.ext8, 14);
      view.setUint8(0, 12);
      view.setUint8(1, extension);
      view.setUint32(2, nanoseconds);
      view.setBigInt64(6, seconds);
    }
  }

  /** `tag8` and a length of 8 bits, or the tags behind it and 16 or 32. */
  #length8(tag8: number, length: number): void {
    if (length < 256) this.#tagged(tag8, 1).setUint8(0, length);
    else if (length < 65_536) this.#tagged(tag8 + 1, 2).setUint16(0, length);
    else this.#tagged(tag8 + 2, 4).setUint32(0, length);
  }

  /** Writes the tag and lends the bytes behind it. */
  #tagged(tag: number, byteLength: number): DataView {
    this.reserve(1 + byteLength);
    this.bytes[this.length] = tag;
    const view = new DataView(this.bytes.buffer, this.length + 1, byteLength);
    this.length += 1 + byteLength;
    return view;
  }
}
