// The `time` column: numbers of an unknown unit, or timestamps, to microseconds UTC.
//
// The unit is told by the largest value of the whole column, not by its first: a column of
// milliseconds that begins with a 0 is still milliseconds. So a column is read as it stands, its
// bounds are taken, and only then is it scaled, in place. The scan stops after the bounds.
//
// Refuses (`time_invalid`) nil, text and whatever else is no time, and (`value_out_of_range`) times
// outside the years 1 to 9999, naming the row.

import { LIMITS } from "#lib/base/limits.ts";
import { KIND, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { KIND_OF_TAG, nameOfTag, TAG } from "./msgpack-tags.ts";
import { readIntegers, readNumbers } from "./read-cells.ts";
import { divideWords, multiplyWords, readTimestamp, wordsToBigint } from "./timestamps.ts";
import { writeWords } from "./timestamps.ts";

export const TIME_UNITS = ["s", "ms", "us", "ns"] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** How the column was written. One float makes it "float"; timestamps do not mix with numbers. */
export type TimeForm = "integer" | "float" | "timestamp";

export interface RawTimes {
  readonly form: TimeForm;
  readonly min: number | bigint;
  readonly minRow: number;
  readonly max: number | bigint;
  readonly maxRow: number;
}

/**
 * Reads the column's `rowCount` ≥ 1 cells as they stand into `words`, from pair `base` on: integers
 * and timestamps as words (those in µs already), floats as the eight bytes of a double.
 */
export function readTimes(
  reader: MessagePackReader,
  words: Int32Array<ArrayBuffer>,
  base: number,
  rowCount: number,
): RawTimes {
  const start = reader.position;
  let row = readIntegers(reader, words, null, base, 0, rowCount);
  if (row === rowCount) return { form: "integer", ...wordBounds(words, base, rowCount) };
  const kind = KIND_OF_TAG[reader.tag()];
  if (kind === KIND.float) {
    reader.position = start;
    const values = asDoubles(words, base, rowCount);
    row = readNumbers(reader, values, null, 0, 0, rowCount);
    if (row === rowCount) return { form: "float", ...doubleBounds(reader, values) };
  } else if (kind === KIND.timestamp && row === 0) {
    for (; row < rowCount && KIND_OF_TAG[reader.tag()] === KIND.timestamp; row++) {
      reader.row = row;
      readTimestamp(reader, words, 2 * (base + row));
    }
    if (row === rowCount) return { form: "timestamp", ...wordBounds(words, base, rowCount) };
  }
  reader.row = row;
  throw notATime(reader, kind === KIND.timestamp);
}

function notATime(reader: MessagePackReader, isTimestamps: boolean): Error {
  const tag = reader.tag();
  const kind = KIND_OF_TAG[tag];
  if (tag === TAG.nil) return reader.refuse("time_invalid", "the time is nil");
  const isNumber = kind === KIND.int || kind === KIND.float;
  if (isNumber && !isTimestamps) return reader.truncated();
  if (isNumber || kind === KIND.timestamp) {
    return reader.refuse("time_invalid", "timestamps and numbers are mixed in one column");
  }
  const reason = `${nameOfTag(tag)} is not a time; write a number or a timestamp`;
  return reader.refuse("time_invalid", reason);
}

/** The column's bounds in µs, and its unit: the declared one, or what the magnitude says. */
export function resolveTimes(
  reader: MessagePackReader,
  raw: RawTimes,
  declared: TimeUnit | null,
): { unit: TimeUnit; minUs: bigint; maxUs: bigint } {
  const unit = raw.form === "timestamp" ? "us" : (declared ?? unitByMagnitude(raw));
  const minUs = toMicroseconds(raw.min, unit);
  const maxUs = toMicroseconds(raw.max, unit);
  const isLow = minUs < LIMITS.timeUsMin;
  if (isLow || maxUs > LIMITS.timeUsMax) {
    reader.column = TIME_COLUMN;
    reader.row = isLow ? raw.minRow : raw.maxRow;
    const reason = `${isLow ? raw.min : raw.max} ${unit} is not within the years 1 to 9999`;
    throw reader.refuse("value_out_of_range", reason);
  }
  return { unit, minUs: BigInt(minUs), maxUs: BigInt(maxUs) };
}

/** The rule of Arc, which its clients rely on. */
function unitByMagnitude(raw: RawTimes): TimeUnit {
  const largest = raw.max > -raw.min ? raw.max : -raw.min;
  if (largest < 1e10) return "s";
  if (largest < 1e13) return "ms";
  return largest < 1e16 ? "us" : "ns";
}

/** What readTimes left in `words`, in place, to microseconds. Within range, as resolveTimes saw. */
export function scaleTimes(
  form: TimeForm,
  unit: TimeUnit,
  words: Int32Array<ArrayBuffer>,
  base: number,
  rowCount: number,
): void {
  const start = 2 * base;
  const end = start + 2 * rowCount;
  if (form === "float") {
    const values = asDoubles(words, base, rowCount);
    for (let row = 0; row < rowCount; row++) {
      writeWords(words, start + 2 * row, floatToMicroseconds(values[row], unit));
    }
  } else if (unit === "ns") {
    for (let at = start; at < end; at += 2) {
      divideWords(words, at, words[at + 1], words[at] >>> 0, 1000);
    }
  } else if (unit !== "us") {
    const factor = unit === "s" ? 1_000_000 : 1000;
    for (let at = start; at < end; at += 2) {
      multiplyWords(words, at, words[at + 1], words[at] >>> 0, factor, 0);
    }
  }
}

function toMicroseconds(value: number | bigint, unit: TimeUnit): number | bigint {
  if (typeof value === "number") return floatToMicroseconds(value, unit);
  if (unit === "ns") return floorDivide(value, 1000n);
  return value * { s: 1_000_000n, ms: 1000n, us: 1n }[unit];
}

/**
 * To the nearest microsecond, where integers are rounded down: near the year 2026 a double of
 * seconds has steps of 0.24 µs, so rounding down would put every second one a microsecond early.
 */
function floatToMicroseconds(value: number, unit: TimeUnit): number {
  if (unit === "ns") return Math.round(value / 1000);
  return Math.round(value * { s: 1e6, ms: 1e3, us: 1 }[unit]);
}

export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return quotient * divisor > dividend ? quotient - 1n : quotient;
}

function asDoubles(words: Int32Array<ArrayBuffer>, base: number, rowCount: number): Float64Array {
  return new Float64Array(words.buffer, words.byteOffset + 8 * base, rowCount);
}

type Bounds = Omit<RawTimes, "form">;

function wordBounds(words: Int32Array, base: number, rowCount: number): Bounds {
  let minRow = 0;
  let minHigh = words[2 * base + 1];
  let minLow = words[2 * base] >>> 0;
  let maxRow = 0;
  let maxHigh = minHigh;
  let maxLow = minLow;
  for (let row = 1, at = 2 * base + 2; row < rowCount; row++, at += 2) {
    const high = words[at + 1];
    const low = words[at] >>> 0;
    if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxRow = row;
      maxHigh = high;
      maxLow = low;
    } else if (high < minHigh || (high === minHigh && low < minLow)) {
      minRow = row;
      minHigh = high;
      minLow = low;
    }
  }
  const min = wordsToBigint(words, 2 * (base + minRow));
  const max = wordsToBigint(words, 2 * (base + maxRow));
  return { min, minRow, max, maxRow };
}

function doubleBounds(reader: MessagePackReader, values: Float64Array): Bounds {
  let minRow = 0;
  let maxRow = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (!Number.isFinite(value)) {
      reader.row = row;
      throw reader.refuse("time_invalid", `${value} is not a time`);
    }
    if (value < values[minRow]) minRow = row;
    if (value > values[maxRow]) maxRow = row;
  }
  return { min: values[minRow], minRow, max: values[maxRow], maxRow };
}
