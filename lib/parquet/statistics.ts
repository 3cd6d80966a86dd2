// Smallest and largest value of a page, a chunk, a file: what readers prune by.
//
// A wrong bound makes a reader lose rows silently, so a doubtful one is left out or widened:
// * No bounds where there is a NaN: readers disagree whether it is beyond all numbers or beside.
// * A smallest value of zero is written as -0, a largest as +0: readers may tell them apart.
// * Texts are cut to 64 bytes between characters; a cut maximum is then raised to stay above what
//   was cut off, and marked as not exact. They order as unsigned bytes.
// Statistics in
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

import type { StatisticValue } from "#lib/columnar/statistics.ts";
import type { ColumnType, TextHeap } from "#lib/columnar/types.ts";

const TEXT_BOUND_BYTES = 64;

// A leading U+FEFF is content here, not a byte order mark to be dropped.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** bigint for int64 and timestamp, number for float64, 0 or 1 for bool, UTF-8 for utf8. */
export type BoundValue = bigint | number | Uint8Array;

export interface Bound {
  readonly value: BoundValue;
  /** False when the true bound lies further inwards. */
  readonly isExact: boolean;
}

export interface Bounds {
  readonly min: Bound;
  readonly max: Bound;
}

export interface ValueStatistics {
  readonly valueCount: number;
  readonly nullCount: number;
  /** null when there is no value, or when the values allow no bounds. */
  readonly bounds: Bounds | null;
}

export const NO_VALUES: ValueStatistics = { valueCount: 0, nullCount: 0, bounds: null };

/** Of two parts together. */
export function mergeStatistics(a: ValueStatistics, b: ValueStatistics): ValueStatistics {
  return {
    valueCount: a.valueCount + b.valueCount,
    nullCount: a.nullCount + b.nullCount,
    bounds: mergeBounds(a, b),
  };
}

function mergeBounds(a: ValueStatistics, b: ValueStatistics): Bounds | null {
  if (a.valueCount === 0) return b.bounds;
  if (b.valueCount === 0) return a.bounds;
  if (a.bounds === null || b.bounds === null) return null;
  const { min, max } = a.bounds;
  const { min: otherMin, max: otherMax } = b.bounds;
  return {
    min: compareBounds(otherMin, min) < 0 ? otherMin : min,
    max: compareBounds(otherMax, max) > 0 ? otherMax : max,
  };
}

/** Below, at or above zero. Both are of one type. */
export function compareBounds({ value: a }: Bound, { value: b }: Bound): number {
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  return a < (b as bigint | number) ? -1 : a > (b as bigint | number) ? 1 : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

/** Of the numbers `[from, to)`, at least one; two words a number, low word first. */
export function int64Bounds(words: Int32Array, from: number, to: number): Bounds {
  let minLow = words[2 * from] >>> 0;
  let minHigh = words[2 * from + 1];
  let maxLow = minLow;
  let maxHigh = minHigh;
  for (let i = from + 1; i < to; i++) {
    const low = words[2 * i] >>> 0;
    const high = words[2 * i + 1];
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minLow = low;
      minHigh = high;
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxLow = low;
      maxHigh = high;
    }
  }
  return exactBounds(
    (BigInt(minHigh) << 32n) | BigInt(minLow),
    (BigInt(maxHigh) << 32n) | BigInt(maxLow),
  );
}

/** null when there is a NaN among `values[from .. to)`. */
export function float64Bounds(values: Float64Array, from: number, to: number): Bounds | null {
  let min = Infinity;
  let max = -Infinity;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
    if (value !== value) return null;
  }
  // A zero may have changed its sign by this: then it is a bound, but perhaps none of the values.
  return {
    min: { value: min === 0 ? -0 : min, isExact: min !== 0 },
    max: { value: max === 0 ? 0 : max, isExact: max !== 0 },
  };
}

export function boolBounds(values: Uint8Array, from: number, to: number): Bounds {
  const part = values.subarray(from, to);
  return exactBounds(part.includes(0) ? 0 : 1, part.includes(1) ? 1 : 0);
}

/** Of the texts of `codes[from .. to)`, at least one. */
export function utf8Bounds(heap: TextHeap, codes: Int32Array, from: number, to: number): Bounds {
  let min = codes[from];
  let max = min;
  for (let i = from + 1; i < to; i++) {
    const code = codes[i];
    if (compareEntries(heap, code, min) < 0) min = code;
    else if (compareEntries(heap, code, max) > 0) max = code;
  }
  return { min: cutMin(textOf(heap, min)), max: cutMax(textOf(heap, max)) };
}

function compareEntries({ offsets, bytes }: TextHeap, a: number, b: number): number {
  const aEnd = offsets[a + 1];
  const bEnd = offsets[b + 1];
  let aAt = offsets[a];
  let bAt = offsets[b];
  while (aAt < aEnd && bAt < bEnd) {
    const difference = bytes[aAt++] - bytes[bAt++];
    if (difference !== 0) return difference;
  }
  return aEnd - aAt - (bEnd - bAt);
}

/** A copy, so that a bound that outlives its row group does not hold the whole heap. */
function textOf({ offsets, bytes }: TextHeap, entry: number): Uint8Array {
  return bytes.slice(offsets[entry], offsets[entry + 1]);
}

function cutMin(text: Uint8Array): Bound {
  if (text.length <= TEXT_BOUND_BYTES) return { value: text, isExact: true };
  return { value: cutBetweenCharacters(text), isExact: false };
}

function cutMax(text: Uint8Array): Bound {
  if (text.length <= TEXT_BOUND_BYTES) return { value: text, isExact: true };
  const raised = raise(utf8.decode(cutBetweenCharacters(text)));
  if (raised === null) return { value: text, isExact: true };
  return { value: new TextEncoder().encode(raised), isExact: false };
}

function cutBetweenCharacters(text: Uint8Array): Uint8Array {
  let end = TEXT_BOUND_BYTES;
  while ((text[end] & 0xc0) === 0x80) end--;
  return text.slice(0, end);
}

/**
 * The next text of at most as many characters; null when every character is the last of Unicode.
 */
function raise(prefix: string): string | null {
  const codePoints = Array.from(prefix, (character) => character.codePointAt(0)!);
  while (codePoints.at(-1) === 0x10ffff) codePoints.pop();
  const last = codePoints.pop();
  if (last === undefined) return null;
  // Surrogates are not characters and have no UTF-8.
  return String.fromCodePoint(...codePoints, last === 0xd7ff ? 0xe000 : last + 1);
}

function exactBounds(min: bigint | number, max: bigint | number): Bounds {
  return { min: { value: min, isExact: true }, max: { value: max, isExact: true } };
}

/** As Parquet stores a bound: PLAIN, texts without their length. */
export function boundBytes(type: ColumnType, { value }: Bound): Uint8Array {
  switch (type) {
    case "int64":
    case "timestamp":
      return new Uint8Array(BigInt64Array.of(value as bigint).buffer);
    case "float64":
      return new Uint8Array(Float64Array.of(value as number).buffer);
    case "bool":
      return Uint8Array.of(value as number);
    case "utf8":
      return value as Uint8Array;
  }
}

/** As the catalog keeps a bound. */
export function boundStatistic(type: ColumnType, { value }: Bound): StatisticValue {
  switch (type) {
    case "int64":
    case "timestamp":
      return String(value);
    case "float64":
      return value as number;
    case "bool":
      return value === 1;
    case "utf8":
      return utf8.decode(value as Uint8Array);
  }
}
