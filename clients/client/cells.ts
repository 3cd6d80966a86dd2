// Values of an application to cells of a column: what may be sent, how large it is, and which type
// a column has whose values are of several kinds.

import type { CellValue, ColumnValues, SparseFloats } from "./columns.ts";
import { SluiceRequestError } from "./errors.ts";

/** Kinds of cells, as bits: a column knows which of them it has seen. */
export const KIND = { integer: 1, float: 2, bigint: 4, text: 8, bool: 16, date: 32 } as const;

/** Throws a RangeError or TypeError for what cannot be sent. Objects become JSON text. */
export function toCell(value: unknown): CellValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "undefined":
      return null;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return value;
      throw new RangeError(`${value} does not fit into an integer of 64 bits`);
    case "object":
      if (value === null) return null;
      if (!(value instanceof Date)) return JSON.stringify(value) ?? null;
      if (!Number.isNaN(value.getTime())) return value;
      throw new RangeError("an invalid Date has no time");
    case "function":
    case "symbol":
      throw new TypeError(`a ${typeof value} cannot be stored`);
  }
}

/** The years 1 to 9999: the server would refuse the whole batch, of which other rows are part. */
const TIME_MS_MIN = -62_135_596_800_000;
const TIME_MS_MAX = 253_402_300_799_999;

/**
 * Event times in microseconds. A number is milliseconds, as `Date.now()` has them, a bigint
 * microseconds, a text RFC 3339 with its zone. What is missing becomes `nowUs`.
 */
export function toTimeUs(value: unknown, nowUs: number): number | bigint {
  if (value === null || value === undefined) return nowUs;
  if (typeof value === "bigint") {
    usOfMs(Number(value / 1_000n));
    return smaller(value);
  }
  if (typeof value === "number" || value instanceof Date) return usOfMs(Number(value));
  if (typeof value === "string") return usOfText(value);
  throw new TypeError(`a ${typeof value} is not a time`);
}

function usOfMs(ms: number): number | bigint {
  if (!(ms >= TIME_MS_MIN && ms <= TIME_MS_MAX)) {
    throw new RangeError(`${ms} is not a time in milliseconds of the years 1 to 9999`);
  }
  const us = Math.round(ms * 1_000);
  if (Number.isSafeInteger(us)) return us;
  return BigInt(Math.floor(ms)) * 1_000n;
}

/** Date.parse takes three digits of the fraction, and times without a zone for local ones. */
function usOfText(text: string): number | bigint {
  const ms = /(?:^[\d-]+|Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new RangeError(`${text} is not a time in RFC 3339`);
  const digits = /\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? "";
  return smaller(BigInt(ms) * 1_000n + BigInt(digits.padEnd(3, "0")));
}

/** Numbers are encoded faster, and take less memory. */
function smaller(us: bigint): number | bigint {
  const number = Number(us);
  return Number.isSafeInteger(number) ? number : us;
}

export function kindOf(cell: CellValue): number {
  if (typeof cell === "string") return KIND.text;
  if (typeof cell === "number") return Number.isSafeInteger(cell) ? KIND.integer : KIND.float;
  if (typeof cell === "boolean") return KIND.bool;
  if (typeof cell === "bigint") return KIND.bigint;
  return cell === null ? 0 : KIND.date;
}

/** About what it takes in memory and in the request. */
export function bytesOf(cell: CellValue): number {
  if (typeof cell === "string") return cell.length + 8;
  return 9;
}

/**
 * One type for all cells of a column: whole and broken numbers meet as floats, everything else that
 * is mixed as text.
 */
export function unify(cells: readonly CellValue[], kinds: number): ColumnValues | SparseFloats {
  const numeric = KIND.integer | KIND.float | KIND.bigint;
  if ((kinds & ~numeric) === 0) {
    if ((kinds & KIND.float) === 0) return cells;
    return {
      length: cells.length,
      floats: cells.map((cell) => (cell === null ? null : Number(cell))),
    };
  }
  const isOneKind = (kinds & (kinds - 1)) === 0;
  return isOneKind ? cells : cells.map(textOf);
}

function textOf(cell: CellValue): string | null {
  if (cell === null) return null;
  return cell instanceof Date ? cell.toISOString() : String(cell);
}

/** Says where in the caller's rows something cannot be sent. */
export function invalidRows(
  measurement: string,
  place: { readonly column?: string; readonly row?: number },
  cause: unknown,
): SluiceRequestError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const where = Object.entries(place).map(([what, which]) => ` ${what} ${which}`);
  return new SluiceRequestError(`${measurement},${where}: ${reason}`, {
    code: "rows_invalid",
    detail: { measurement, ...place },
    cause,
  });
}
