// What a query demands of the rows of one table, in a form that goes from Worker to catalog, and
// whether rows of which only statistics are known could meet it.
//
// A predicate is always weaker than the query's own condition or equal to it; whatever is not
// understood is left out of it. So "cannot hold" is certain, and "may hold" means nothing. A
// comparison is never true for NULL.
//
// The engine compares int64 with an integer exactly and with a double as doubles. Here all numbers
// are doubles: rounding keeps their order, so what lies apart as doubles lies apart before. Only
// where nothing was rounded does equality count, too.

import type { StatisticValue } from "#lib/columnar/statistics.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { TimeRangeMs } from "./types.ts";

export type RowPredicate =
  | { readonly op: "and" | "or"; readonly of: readonly RowPredicate[] }
  | ColumnPredicate;

/** `column` is in lower case. */
export type ColumnPredicate =
  | { readonly op: Comparison; readonly column: string; readonly value: Constant }
  | {
      readonly op: "between";
      readonly column: string;
      readonly low: Constant;
      readonly high: Constant;
    }
  | { readonly op: "prefix"; readonly column: string; readonly text: string }
  | { readonly op: "null" | "not null"; readonly column: string };

export type Comparison = "=" | "<" | "<=" | ">" | ">=";

/** One value in each of the ways in which a column could be compared with it; null: in none. */
export interface Constant {
  readonly number: number | null;
  /** `number` is the value itself and not the double next to it. */
  readonly isExact: boolean;
  readonly text: string | null;
  readonly bool: boolean | null;
  /** The moment lies between these, both inclusive. */
  readonly time: { readonly minMs: number; readonly maxMs: number } | null;
}

/** True for every row. */
export const ANY_ROW: RowPredicate = { op: "and", of: [] };

/** What is known of one column in some rows; the type is the one that the rows are read as. */
export interface KnownColumn {
  readonly type: ColumnType;
  /** Some rows have NULL, some have a value: false where it is certain that none has. */
  readonly hasNulls: boolean;
  readonly hasValues: boolean;
  readonly bounds: KnownBounds | null;
}

/** Doubles, milliseconds (rounded outwards) for timestamps, 0 and 1 for bool; text for utf8. */
export type KnownBounds =
  | { readonly min: number; readonly max: number }
  | { readonly min: string; readonly max: string };

/** Whether a row may meet `predicate`. `columnOf` gives null for what nothing is known of. */
export function mayHold(
  predicate: RowPredicate,
  columnOf: (column: string) => KnownColumn | null,
): boolean {
  if ("of" in predicate) {
    const { op, of: parts } = predicate;
    const holds = (part: RowPredicate) => mayHold(part, columnOf);
    return op === "and" ? parts.every(holds) : parts.some(holds);
  }
  const known = columnOf(predicate.column);
  if (known === null) return true;
  if (predicate.op === "null") return known.hasNulls;
  if (!known.hasValues) return false;
  if (known.bounds === null || predicate.op === "not null") return true;
  return meetsBounds(predicate as BoundPredicate, known.type, known.bounds);
}

type BoundPredicate = Exclude<ColumnPredicate, { op: "null" | "not null" }>;

function meetsBounds(
  predicate: BoundPredicate,
  type: ColumnType,
  { min, max }: KnownBounds,
): boolean {
  if (predicate.op === "prefix") {
    if (typeof min === "number" || typeof max === "number") return true;
    const { text } = predicate;
    const isBeyond = compareText(min, text) > 0 && !min.startsWith(text);
    return compareText(max, text) >= 0 && !isBeyond;
  }
  if (predicate.op === "between") {
    const [low, high] = [spanOf(predicate.low, type), spanOf(predicate.high, type)];
    if (low === null || high === null) return true;
    return meetsSpan(">=", low, min, max) && meetsSpan("<=", high, min, max);
  }
  const span = spanOf(predicate.value, type);
  return span === null || meetsSpan(predicate.op, span, min, max);
}

/** A constant lies somewhere between `low` and `high`. */
interface Span {
  readonly low: number | string;
  readonly high: number | string;
  /** It is known so well that a bound equal to it is equal to it. */
  readonly isExact: boolean;
}

/** null: the engine would compare in a way that the bounds say nothing about. */
function spanOf(constant: Constant, type: ColumnType): Span | null {
  const { number, text, bool, time } = constant;
  switch (type) {
    case "int64":
    case "float64":
      // NaN is larger than all others.
      if (number === null || Number.isNaN(number)) return null;
      return { low: number, high: number, isExact: constant.isExact || type === "float64" };
    case "utf8":
      return text === null ? null : { low: text, high: text, isExact: true };
    case "bool":
      return bool === null ? null : { low: Number(bool), high: Number(bool), isExact: true };
    case "timestamp":
      return time === null ? null : { low: time.minMs, high: time.maxMs, isExact: false };
  }
}

function meetsSpan(
  op: Comparison,
  { low, high, isExact }: Span,
  min: number | string,
  max: number | string,
): boolean {
  const [aboveMin, belowMax] = [compare(min, high), compare(max, low)];
  switch (op) {
    case "=":
      return aboveMin <= 0 && belowMax >= 0;
    case "<":
      return isExact && isExactBound(min) ? aboveMin < 0 : aboveMin <= 0;
    case "<=":
      return aboveMin <= 0;
    case ">":
      return isExact && isExactBound(max) ? belowMax > 0 : belowMax >= 0;
    case ">=":
      return belowMax >= 0;
  }
}

/** False where an int64 may have been rounded. */
function isExactBound(bound: number | string): boolean {
  return typeof bound === "string" || Math.abs(bound) < Number.MAX_SAFE_INTEGER;
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "string" || typeof b === "string") return compareText(String(a), String(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As their UTF-8 bytes: UTF-16 puts surrogates before U+E000, UTF-8 behind U+FFFF. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return unitOrder(left) - unitOrder(right);
  }
  return a.length - b.length;
}

function unitOrder(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit < 0xe000;
  return isSurrogate ? unit + 0x1_0000 : unit;
}

/** The bounds of a statistic as those of a column that is read as `type`. */
export function knownBounds(
  stored: ColumnType,
  type: ColumnType,
  min: StatisticValue,
  max: StatisticValue,
): KnownBounds | null {
  const isReadAs = stored === type || (stored === "int64" && type === "float64");
  if (min === null || max === null || !isReadAs) return null;
  if (stored === "utf8") return { min: String(min), max: String(max) };
  if (stored !== "timestamp") return { min: Number(min), max: Number(max) };
  // Microseconds; one more than needed, for the rounding of a double.
  return {
    min: Math.floor(Number(min) / 1_000) - 1,
    max: Math.ceil(Number(max) / 1_000) + 1,
  };
}

/** The range of `time` outside of which no row meets the predicate. */
export function timeRangeOf(predicate: RowPredicate): TimeRangeMs {
  switch (predicate.op) {
    case "and":
      return predicate.of.map(timeRangeOf).reduce(intersection, OPEN);
    case "or": {
      const [first = OPEN, ...others] = predicate.of.map(timeRangeOf);
      return others.reduce(hull, first);
    }
    case "prefix":
    case "null":
    case "not null":
      return OPEN;
    case "between": {
      const { low, high } = predicate;
      if (predicate.column !== "time" || low.time === null || high.time === null) return OPEN;
      return { minMs: low.time.minMs, maxMs: high.time.maxMs };
    }
    case "=":
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const { op, column, value } = predicate;
      if (column !== "time" || value.time === null) return OPEN;
      return {
        minMs: op.startsWith("<") ? null : value.time.minMs,
        maxMs: op.startsWith(">") ? null : value.time.maxMs,
      };
    }
  }
}

const OPEN: TimeRangeMs = { minMs: null, maxMs: null };

function intersection(a: TimeRangeMs, b: TimeRangeMs): TimeRangeMs {
  return {
    minMs: a.minMs === null || b.minMs === null ? (a.minMs ?? b.minMs) : Math.max(a.minMs, b.minMs),
    maxMs: a.maxMs === null || b.maxMs === null ? (a.maxMs ?? b.maxMs) : Math.min(a.maxMs, b.maxMs),
  };
}

function hull(a: TimeRangeMs, b: TimeRangeMs): TimeRangeMs {
  return {
    minMs: a.minMs === null || b.minMs === null ? null : Math.min(a.minMs, b.minMs),
    maxMs: a.maxMs === null || b.maxMs === null ? null : Math.max(a.maxMs, b.maxMs),
  };
}
