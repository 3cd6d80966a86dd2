// The values of line protocol that are words: numbers, booleans and timestamps.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { floorDivide } from "./time-column.ts";

/** Units of a timestamp; `n` and `u` are InfluxDB 1's names for `ns` and `us`. */
const MICROSECONDS: Readonly<Record<string, bigint>> = {
  u: 1n,
  us: 1n,
  ms: 1_000n,
  s: 1_000_000n,
  m: 60_000_000n,
  h: 3_600_000_000n,
};

/** How many microseconds one is; 0: nanoseconds. */
export type Precision = bigint;

/** Beyond it no number is told from another one. */
const TOKEN_CHARS_MAX = 400;
const FLOAT = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INTEGER = /^(-?\d+)([iu])$/;
const INTEGER_DIGITS_MAX = 19;
const TRUE = new Set(["t", "T", "true", "True", "TRUE"]);
const FALSE = new Set(["f", "F", "false", "False", "FALSE"]);

export function parsePrecision(text: string): Precision {
  if (text === "n" || text === "ns") return 0n;
  const precision = MICROSECONDS[text];
  if (precision !== undefined) return precision;
  const message = `precision "${text.slice(0, 20)}" is not one of n, ns, u, us, ms, s, m, h`;
  throw new SluiceError("parameter_invalid", message, { field: "precision" });
}

export type FieldValue =
  | { readonly integer: number | bigint }
  | { readonly float: number }
  | { readonly boolean: boolean };

/** Refuses `line_invalid`, and `value_out_of_range` what int64 or a double cannot hold. */
export function parseFieldValue(name: string, token: string): FieldValue {
  const field = `field ${JSON.stringify(name)}`;
  if (TRUE.has(token)) return { boolean: true };
  if (FALSE.has(token)) return { boolean: false };
  if (token === "") throw new SluiceError("line_invalid", `${field} has no value`);
  if (token.length > TOKEN_CHARS_MAX) {
    const message = `${field}: a value of ${token.length} characters that is not between quotes`;
    throw new SluiceError("line_invalid", message);
  }
  const integer = INTEGER.exec(token);
  if (integer !== null) return { integer: parseInteger(field, integer[1]!, integer[2]!) };
  if (!FLOAT.test(token)) {
    const hint = "a text stands between quotes, an integer ends in i or u";
    throw new SluiceError("line_invalid", `${field}: ${quote(token)} is no value; ${hint}`);
  }
  const float = Number(token);
  if (Number.isFinite(float)) return { float };
  throw new SluiceError("value_out_of_range", `${field}: ${quote(token)} is beyond a double`);
}

function parseInteger(field: string, digits: string, suffix: string): number | bigint {
  if (suffix === "u" && digits.startsWith("-")) {
    throw new SluiceError("line_invalid", `${field}: ${digits}u is unsigned and negative`);
  }
  if (digits.length <= 15) return Number(digits);
  const value = parseDigits(digits);
  if (value !== null && BigInt.asIntN(64, value) === value) return value;
  const message = `${field}: the integer is outside -9223372036854775808 to 9223372036854775807`;
  throw new SluiceError("value_out_of_range", message);
}

/** In microseconds, rounded down. Refuses what is no integer, and years outside 1 to 9999. */
export function parseTimestamp(token: string, precision: Precision): bigint {
  if (!/^-?\d+$/.test(token)) {
    throw new SluiceError("line_invalid", `${quote(token)} is not a timestamp, an integer`);
  }
  const value = parseDigits(token);
  if (value !== null) {
    const us = precision === 0n ? floorDivide(value, 1000n) : value * precision;
    if (us >= LIMITS.timeUsMin && us <= LIMITS.timeUsMax) return us;
  }
  const message = `the time ${quote(token)} is not within the years 1 to 9999`;
  throw new SluiceError("value_out_of_range", message);
}

/** null: too many digits for an int64. (BigInt takes quadratic time, so it must not see them.) */
function parseDigits(digits: string): bigint | null {
  const significant = digits.replace(/^(-?)0+(?=\d)/, "$1");
  return significant.length <= INTEGER_DIGITS_MAX + 1 ? BigInt(significant) : null;
}

function quote(token: string): string {
  return JSON.stringify(token.length > 40 ? `${token.slice(0, 40)}…` : token);
}
