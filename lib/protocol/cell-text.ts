// Cells that are not text, as text: for maps and arrays, and for numbers among texts.
//
// Integers are exact decimal, floats JavaScript's shortest that reads back the same, timestamps
// ISO 8601 in UTC with six digits of fraction. Maps and arrays are compact JSON: integer keys
// become decimal text, NaN and the infinities null, since JSON has no word for them; a key that is
// there twice stays there twice.

import { LIMITS } from "#lib/base/limits.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import { isUtf8 } from "#lib/columnar/utf8.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { isMapTag, KIND_OF_TAG, nameOfTag, SIZE_OF_TAG, TAG } from "./msgpack-tags.ts";
import { readTimestamp, wordsToBigint } from "./timestamps.ts";

/** Reads one cell that is neither nil nor text. */
export function readCellAsText(reader: MessagePackReader): string {
  const tag = reader.tag();
  switch (KIND_OF_TAG[tag]) {
    case KIND.float:
      return String(readFloat(reader, tag));
    case KIND.timestamp:
      return readTimestampAsText(reader);
    default:
      return readJson(reader, 0);
  }
}

/** Reads one cell that is a map or an array with all that is in it, and makes nothing of it. */
export function checkNested(reader: MessagePackReader, depth = 1): void {
  checkDepth(reader, depth);
  const isMap = isMapTag(reader.tag());
  const count = isMap ? reader.mapLength() : reader.arrayLength();
  for (let left = count; left > 0; left--) {
    if (isMap) checkKey(reader);
    const tag = reader.tag();
    const kind = KIND_OF_TAG[tag];
    if (kind === KIND.nested) checkNested(reader, depth + 1);
    else if (kind === KIND.text) checkText(reader);
    else if (kind === KIND.timestamp) readTimestamp(reader, new Int32Array(2), 0);
    else if (kind !== 0 || tag === TAG.nil) reader.take(SIZE_OF_TAG[tag]);
    else throw unsupported(reader, tag);
  }
}

function checkDepth(reader: MessagePackReader, depth: number): void {
  if (depth <= LIMITS.cellDepthMax) return;
  const reason = `maps and arrays are nested more than ${LIMITS.cellDepthMax} deep`;
  throw reader.refuse("column_type_unsupported", reason, { limit: LIMITS.cellDepthMax });
}

function checkKey(reader: MessagePackReader): void {
  const tag = reader.tag();
  const kind = KIND_OF_TAG[tag];
  if (kind === KIND.text) return checkText(reader);
  if (kind !== KIND.int) {
    const reason = `a key of a map is ${nameOfTag(tag)}, neither text nor an integer`;
    throw reader.refuse("column_type_unsupported", reason);
  }
  reader.take(SIZE_OF_TAG[tag]);
}

function checkText(reader: MessagePackReader): void {
  const start = reader.textStart();
  if (isUtf8(reader.bytes, start, reader.position)) return;
  throw reader.refuse("text_invalid", "text is not valid UTF-8");
}

export function unsupported(reader: MessagePackReader, tag: number): Error {
  if (tag === TAG.never) return reader.refuse("msgpack_invalid", nameOfTag(tag));
  return reader.refuse("column_type_unsupported", `${nameOfTag(tag)} is not supported`);
}

/** `depth`: of maps and arrays around this value. */
function readJson(reader: MessagePackReader, depth: number): string {
  const tag = reader.tag();
  switch (KIND_OF_TAG[tag]) {
    case KIND.int:
      return String(readInteger(reader, tag));
    case KIND.bool:
      reader.take(1);
      return String(tag === TAG.true);
    case KIND.float: {
      const value = readFloat(reader, tag);
      return Number.isFinite(value) ? String(value) : "null";
    }
    case KIND.text:
      return JSON.stringify(reader.decodeSince(reader.textStart()));
    case KIND.timestamp:
      return `"${readTimestampAsText(reader)}"`;
    case KIND.nested:
      checkDepth(reader, depth + 1);
      return isMapTag(tag) ? readMapAsJson(reader, depth + 1) : readArrayAsJson(reader, depth + 1);
    default:
      if (tag !== TAG.nil) throw unsupported(reader, tag);
      reader.take(1);
      return "null";
  }
}

function readMapAsJson(reader: MessagePackReader, depth: number): string {
  const pairs: string[] = [];
  for (let left = reader.mapLength(); left > 0; left--) {
    const key = readJson(reader, depth);
    pairs.push(`${key.startsWith('"') ? key : `"${key}"`}:${readJson(reader, depth)}`);
  }
  return `{${pairs.join(",")}}`;
}

function readArrayAsJson(reader: MessagePackReader, depth: number): string {
  const elements: string[] = [];
  for (let left = reader.arrayLength(); left > 0; left--) elements.push(readJson(reader, depth));
  return `[${elements.join(",")}]`;
}

function readInteger(reader: MessagePackReader, tag: number): number | bigint {
  const { view } = reader;
  const at = reader.take(SIZE_OF_TAG[tag]);
  switch (tag) {
    case TAG.uint8:
      return view.getUint8(at + 1);
    case TAG.uint16:
      return view.getUint16(at + 1);
    case TAG.uint32:
      return view.getUint32(at + 1);
    case TAG.uint64:
      return view.getBigUint64(at + 1);
    case TAG.int8:
      return view.getInt8(at + 1);
    case TAG.int16:
      return view.getInt16(at + 1);
    case TAG.int32:
      return view.getInt32(at + 1);
    case TAG.int64:
      return view.getBigInt64(at + 1);
    default: // a fixint, positive or negative
      return view.getInt8(at);
  }
}

function readFloat(reader: MessagePackReader, tag: number): number {
  const at = reader.take(SIZE_OF_TAG[tag]) + 1;
  return tag === TAG.float32 ? reader.view.getFloat32(at) : reader.view.getFloat64(at);
}

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ`: of one width, so that it sorts as text too. */
function readTimestampAsText(reader: MessagePackReader): string {
  const words = new Int32Array(2);
  readTimestamp(reader, words, 0);
  const us = wordsToBigint(words, 0);
  const micros = ((us % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((us - micros) / 1000n)).toISOString();
  return `${iso.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}
