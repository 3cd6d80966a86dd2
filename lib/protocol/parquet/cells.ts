// What the values of a Parquet column are to us, by its logical type; exact, or else as text.
//
// Dates and timestamps of every unit, INT96 too, are timestamps in µs, rounded down. Decimals of up
// to 15 digits are float64, which gives every digit back; whole ones of up to 18 are int64, longer
// ones text. UUIDs, times of day and intervals are text.
//
// Refuses, naming the column, types that are bytes and no text; and the value at fault.

import type { SchemaElement } from "hyparquet";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { isUtf8 } from "#lib/columnar/utf8.ts";
import { floorDivide } from "#lib/protocol/time-column.ts";
import { damaged } from "./parquet-file.ts";

/** int: bigint or number; timestamp: bigint of µs; text: UTF-8 or a string. */
export type Cell = bigint | number | boolean | string | Uint8Array;
export type CellKind = "int" | "float" | "bool" | "text" | "timestamp";

export interface CellType {
  readonly kind: CellKind;
  /** Of a value as the page has it. Refuses what the kind cannot hold. */
  read(value: unknown): Cell;
}

const DAY_US = 86_400_000_000n;
const JULIAN_EPOCH_DAY = 2_440_588n;
const EXACT_DOUBLE_DIGITS = 15;
const EXACT_INT64_DIGITS = 18;
const DECIMAL_DIGITS_MAX = 76;

/** Refuses: `column_type_unsupported`. */
export function cellTypeOf(element: SchemaElement): CellType {
  const { type, converted_type: converted, logical_type: logical } = element;
  const meaning = logical?.type ?? converted;
  if (meaning === "DECIMAL") return decimalType(element);
  switch (type!) {
    case "BOOLEAN":
      return { kind: "bool", read: (value) => value as boolean };
    case "FLOAT":
    case "DOUBLE":
      return { kind: "float", read: (value) => value as number };
    case "INT96":
      return { kind: "timestamp", read: (value) => int96(value as bigint) };
    case "INT32":
    case "INT64":
      return integerType(element);
    case "BYTE_ARRAY":
    case "FIXED_LEN_BYTE_ARRAY":
      return bytesType(element, meaning);
  }
}

function integerType({
  type,
  converted_type: converted,
  logical_type: logical,
}: SchemaElement): CellType {
  const whole = (value: unknown) => BigInt(value as number | bigint);
  if (converted === "DATE" || logical?.type === "DATE") {
    return { kind: "timestamp", read: (value) => inYears(whole(value) * DAY_US) };
  }
  const usPerUnit = unitOf(converted, logical);
  if (converted?.startsWith("TIME_") || logical?.type === "TIME") {
    return { kind: "text", read: (value) => timeOfDay(scale(whole(value), usPerUnit)) };
  }
  if (usPerUnit !== undefined) {
    return { kind: "timestamp", read: (value) => inYears(scale(whole(value), usPerUnit)) };
  }
  const isUnsigned =
    converted?.startsWith("UINT_") || (logical?.type === "INTEGER" && !logical.isSigned);
  if (!isUnsigned) return { kind: "int", read: (value) => value as number | bigint };
  if (type === "INT32") return { kind: "int", read: (value) => (value as number) >>> 0 };
  return { kind: "int", read: (value) => inInt64(BigInt.asUintN(64, value as bigint)) };
}

type Unit = "MILLIS" | "MICROS" | "NANOS";

/** undefined: neither a time nor a timestamp. */
function unitOf(
  converted: SchemaElement["converted_type"],
  logical: SchemaElement["logical_type"],
): Unit | undefined {
  if (logical?.type === "TIME" || logical?.type === "TIMESTAMP") return logical.unit;
  if (converted?.endsWith("_MILLIS")) return "MILLIS";
  return converted?.endsWith("_MICROS") ? "MICROS" : undefined;
}

function scale(value: bigint, unit: Unit | undefined): bigint {
  if (unit === "NANOS") return floorDivide(value, 1_000n);
  return unit === "MILLIS" ? value * 1_000n : value;
}

/** Julian day in the upper 32 bits, nanoseconds of the day below. */
function int96(value: bigint): bigint {
  const days = BigInt.asIntN(32, value >> 64n) - JULIAN_EPOCH_DAY;
  return inYears(days * DAY_US + floorDivide(BigInt.asIntN(64, value), 1_000n));
}

function decimalType({ type, precision = 0, scale: digits = 0 }: SchemaElement): CellType {
  if (!(digits >= 0 && digits <= precision && precision <= DECIMAL_DIGITS_MAX)) {
    throw damaged(`a decimal of ${precision} digits, ${digits} of them behind the point`);
  }
  const unscaled = (value: unknown) =>
    type === "INT32" || type === "INT64"
      ? BigInt(value as number | bigint)
      : signedBigint(value as Uint8Array);
  const text = (value: unknown) => decimalText(unscaled(value), digits);
  if (digits === 0 && precision <= EXACT_INT64_DIGITS) {
    return { kind: "int", read: (value) => inInt64(unscaled(value)) };
  }
  return precision <= EXACT_DOUBLE_DIGITS
    ? { kind: "float", read: (value) => Number(text(value)) }
    : { kind: "text", read: text };
}

/** Big-endian, two's complement. */
function signedBigint(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

function decimalText(unscaled: bigint, scaleDigits: number): string {
  if (scaleDigits === 0) return String(unscaled);
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scaleDigits + 1, "0");
  return `${sign}${digits.slice(0, -scaleDigits)}.${digits.slice(-scaleDigits)}`;
}

const BINARY_MEANINGS = new Set(["BSON", "GEOMETRY", "GEOGRAPHY", "VARIANT"]);

function bytesType(element: SchemaElement, meaning: string | undefined): CellType {
  if (meaning !== undefined && BINARY_MEANINGS.has(meaning)) {
    const message = `${meaning} is bytes, which no column can hold`;
    throw new SluiceError("column_type_unsupported", message, { found: meaning });
  }
  if (meaning === "FLOAT16") return { kind: "float", read: (value) => half(value as Uint8Array) };
  if (meaning === "UUID") return { kind: "text", read: (value) => uuid(value as Uint8Array) };
  if (element.converted_type === "INTERVAL") {
    return { kind: "text", read: (value) => interval(value as Uint8Array) };
  }
  return { kind: "text", read: (value) => checkedText(value as Uint8Array) };
}

function checkedText(bytes: Uint8Array): Uint8Array {
  if (isUtf8(bytes, 0, bytes.length)) return bytes;
  throw new SluiceError("text_invalid", "the bytes are not valid UTF-8");
}

function half(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 2).getFloat16(0, true);
}

function uuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** As SQL reads it. */
function interval(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [months, days, ms] = [0, 4, 8].map((at) => view.getUint32(at, true));
  return `${months} months ${days} days ${ms} milliseconds`;
}

function timeOfDay(us: bigint): string {
  if (us < 0n || us > DAY_US) throw outOfRange(`${us} µs is no time of day`);
  const part = (per: bigint, width: number, of = 60n) =>
    String((us / per) % of).padStart(width, "0");
  const clock = `${part(3_600_000_000n, 2, 25n)}:${part(60_000_000n, 2)}:${part(1_000_000n, 2)}`;
  const micros = part(1n, 6, 1_000_000n);
  return micros === "000000" ? clock : `${clock}.${micros}`;
}

function inYears(us: bigint): bigint {
  if (us >= LIMITS.timeUsMin && us <= LIMITS.timeUsMax) return us;
  throw outOfRange(`the time ${us} µs is not within the years 1 to 9999`);
}

function inInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw outOfRange(`${value} is beyond int64`);
}

function outOfRange(reason: string): SluiceError {
  return new SluiceError("value_out_of_range", reason);
}
