// Microseconds since 1970 as pairs of 32-bit words, and the timestamps of MessagePack as those.
//
// Doubles end at 2^53 and BigInts cost an allocation each, so the arithmetic is done on the words:
// the low word times a factor stays below 2^53, its overflow is carried into the high word.
// Format: the MessagePack specification, "Timestamp extension type".

import { LIMITS } from "#lib/base/limits.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { WORD } from "./read-cells.ts";

const SECOND_MIN = Number(LIMITS.timeUsMin / 1_000_000n);
const SECOND_MAX = Number(LIMITS.timeUsMax / 1_000_000n);

/**
 * Reads a timestamp (32, 64 or 96 bits) into `words[at]` and `words[at + 1]`, nanoseconds cut off.
 * Refuses other extensions (`column_type_unsupported`) and years outside 1 to 9999.
 */
export function readTimestamp(reader: MessagePackReader, words: Int32Array, at: number): void {
  const { view } = reader;
  const byteLength = reader.timestampLength();
  const start = reader.take(byteLength);
  let high = 0;
  let low = 0;
  let nanoseconds = 0;
  if (byteLength === 4) {
    low = view.getUint32(start);
  } else if (byteLength === 8) {
    nanoseconds = view.getUint32(start) >>> 2;
    high = view.getUint32(start) & 3;
    low = view.getUint32(start + 4);
  } else if (byteLength === 12) {
    nanoseconds = view.getUint32(start);
    high = view.getInt32(start + 4);
    low = view.getUint32(start + 8);
  } else {
    throw reader.refuse("msgpack_invalid", `a timestamp of ${byteLength} bytes does not exist`);
  }
  if (nanoseconds > 999_999_999) {
    throw reader.refuse("msgpack_invalid", `a timestamp has ${nanoseconds} nanoseconds`);
  }
  const seconds = high * WORD + low;
  if (seconds < SECOND_MIN || seconds > SECOND_MAX) {
    throw reader.refuse("value_out_of_range", `${seconds} s is not within the years 1 to 9999`);
  }
  multiplyWords(words, at, high, low, 1_000_000, Math.floor(nanoseconds / 1000));
}

/** (high, low) × factor + addend, exact as long as the result is an int64. `low` is unsigned. */
export function multiplyWords(
  words: Int32Array,
  at: number,
  high: number,
  low: number,
  factor: number,
  addend: number,
): void {
  const product = low * factor + addend;
  words[at] = product;
  words[at + 1] = high * factor + Math.floor(product / WORD);
}

/** The quotient of (high, low) by divisor, rounded down. `low` is unsigned. */
export function divideWords(
  words: Int32Array,
  at: number,
  high: number,
  low: number,
  divisor: number,
): void {
  const quotient = Math.floor(high / divisor);
  words[at] = Math.floor(((high - quotient * divisor) * WORD + low) / divisor);
  words[at + 1] = quotient;
}

export function writeWords(words: Int32Array, at: number, integer: number): void {
  words[at] = integer;
  words[at + 1] = Math.floor(integer / WORD);
}

export function wordsToBigint(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + 1]) << 32n) | BigInt(words[at] >>> 0);
}
