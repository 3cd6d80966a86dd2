// One cell of a result as JSON text, the way Arc writes it.
//
// int64, HUGEINT and DECIMAL are bare digits, exact at any size; NaN and the infinities are null;
// dates and timestamps are RFC 3339 in UTC with trailing zeros cut, as Go's RFC3339Nano; intervals
// and times of day are text; blobs are base64; lists, structs and maps are JSON. A row
// whose fields have no names, `row(1, 'x')`, is an object whose keys are all empty, as DuckDB's own
// to_json makes it. On request integers of 64 bits and more are JSON strings, for readers whose
// numbers are doubles.

import { ARROW, type ArrowColumn, type ArrowField } from "./arrow-stream.ts";

/** Writes the cell of a row. */
export type CellText = (row: number) => string;

const DECODER = new TextDecoder();
const DAY_US = 86_400_000_000n;
const US_PER_UNIT = [1_000_000n, 1_000n, 1n] as const;
/** DuckDB's timestamps 'infinity' and '-infinity', in µs. */
const INFINITY_US = 9_223_372_036_854_775_807n;
/** And its dates of that name, in days. */
const INFINITY_DAYS = 2_147_483_647;

export function cellText(column: ArrowColumn): CellText {
  return cellTextFor(column, false);
}

/** `areLongsQuoted`: integers of 64 bits and more are strings. */
export function cellTextFor(column: ArrowColumn, areLongsQuoted: boolean): CellText {
  const { validity } = column;
  const text = valueText(column, areLongsQuoted);
  if (validity === null) return text;
  return (row) => (((validity[row >> 3]! >> (row & 7)) & 1) === 0 ? "null" : text(row));
}

function valueText(column: ArrowColumn, areLongsQuoted: boolean): CellText {
  const { field, buffers, children } = column;
  const values = buffers[0]!;
  const isLong = field.type === ARROW.int ? field.bitWidth === 64 : isHugeInteger(field);
  if (areLongsQuoted && isLong) {
    const digits = valueText(column, false);
    return (row) => `"${digits(row)}"`;
  }
  switch (field.type) {
    case ARROW.null:
      return () => "null";
    case ARROW.int:
      return integerText(values, field.bitWidth, field.isSigned);
    case ARROW.float:
      return field.unit === 1
        ? (row) => singleText(values.getFloat32(row * 4, true))
        : (row) => doubleText(values.getFloat64(row * 8, true));
    case ARROW.bool:
      return (row) => (((values.getUint8(row >> 3) >> (row & 7)) & 1) === 1 ? "true" : "false");
    case ARROW.utf8:
      return (row) => JSON.stringify(DECODER.decode(slice(buffers, row)));
    case ARROW.binary:
      return (row) => JSON.stringify(base64(slice(buffers, row)));
    case ARROW.decimal:
      return (row) => decimalText(int128(values, row * 16), field.scale);
    case ARROW.date:
      return field.unit === 0
        ? (row) => dayText(values.getInt32(row * 4, true))
        : (row) => timestampText(values.getBigInt64(row * 8, true) * 1_000n);
    case ARROW.timestamp:
      return timestampsText(values, field.unit);
    case ARROW.time:
      return (row) => `"${timeOfDay(values.getBigInt64(row * 8, true))}"`;
    case ARROW.interval:
      return (row) => `"${intervalText(values, row * 16)}"`;
    case ARROW.list:
      return listText(values, children[0]!, areLongsQuoted);
    case ARROW.struct:
      return structText(children, areLongsQuoted);
    case ARROW.map:
      return mapText(values, children[0]!, areLongsQuoted);
    case ARROW.union: {
      const cells = children.map((child) => cellTextFor(child, areLongsQuoted));
      return (row) => cells[values.getUint8(row)]!(row);
    }
    default:
      throw new Error(`a result column of Arrow type ${field.type}`);
  }
}

/** A HUGEINT, or a DECIMAL without digits behind the point. */
function isHugeInteger({ type, scale }: ArrowField): boolean {
  return type === ARROW.decimal && scale === 0;
}

function integerText(values: DataView, bits: number, isSigned: boolean): CellText {
  const read = isSigned ? signedReader(values, bits) : unsignedReader(values, bits);
  return (row) => String(read(row));
}

export function signedReader(values: DataView, bits: number): (row: number) => number | bigint {
  if (bits === 8) return (row) => values.getInt8(row);
  if (bits === 16) return (row) => values.getInt16(row * 2, true);
  if (bits === 32) return (row) => values.getInt32(row * 4, true);
  return (row) => values.getBigInt64(row * 8, true);
}

export function unsignedReader(values: DataView, bits: number): (row: number) => number | bigint {
  if (bits === 8) return (row) => values.getUint8(row);
  if (bits === 16) return (row) => values.getUint16(row * 2, true);
  if (bits === 32) return (row) => values.getUint32(row * 4, true);
  return (row) => values.getBigUint64(row * 8, true);
}

function doubleText(value: number): string {
  return Number.isFinite(value) ? String(value) : "null";
}

/** The shortest digits that still mean this float32. */
function singleText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(value);
}

export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** 128 bits, the low half first. */
export function int128(values: DataView, at: number): bigint {
  return (values.getBigInt64(at + 8, true) << 64n) | values.getBigUint64(at, true);
}

function timestampsText(values: DataView, unit: number): CellText {
  if (unit < 3) {
    const us = US_PER_UNIT[unit]!;
    return (row) => timestampText(values.getBigInt64(row * 8, true) * us);
  }
  return (row) => {
    const ns = values.getBigInt64(row * 8, true);
    return timestampText(floorDivide(ns, 1_000n), Number(ns - floorDivide(ns, 1_000n) * 1_000n));
  };
}

/** Midnight of the day that many days after 1970 began. */
function dayText(day: number): string {
  if (Math.abs(day) === INFINITY_DAYS) return day > 0 ? '"infinity"' : '"-infinity"';
  return timestampText(BigInt(day) * DAY_US);
}

/** `us` since 1970 and `ns` beyond it. */
function timestampText(us: bigint, ns = 0): string {
  if (us === INFINITY_US) return '"infinity"';
  if (us === -INFINITY_US) return '"-infinity"';
  const day = floorDivide(us, DAY_US);
  return `"${dateText(Number(day))}T${timeOfDay(us - day * DAY_US, ns)}Z"`;
}

/** Proleptic Gregorian, by Howard Hinnant's civil_from_days: Date stops at the year 275760. */
function dateText(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const [fours, centuries] = [Math.floor(dayOfEra / 1_460), Math.floor(dayOfEra / 36_524)];
  const leapDays = fours - centuries + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const yearStart = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - yearStart;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const sign = year < 0 ? "-" : "";
  return `${sign}${String(Math.abs(year)).padStart(4, "0")}-${two(month)}-${two(dayOfMonth)}`;
}

function timeOfDay(us: bigint, ns = 0): string {
  const total = Number(us);
  const seconds = Math.floor(total / 1_000_000);
  const clock = [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const nanos = (total % 1_000_000) * 1_000 + ns;
  if (nanos === 0) return clock.map(two).join(":");
  let fraction = String(nanos).padStart(9, "0");
  while (fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${clock.map(two).join(":")}.${fraction}`;
}

/** As DuckDB prints it: `1 year 2 months 3 days 04:05:06.5`. */
function intervalText(values: DataView, at: number): string {
  const months = values.getInt32(at, true);
  const days = values.getInt32(at + 4, true);
  const us = values.getBigInt64(at + 8, true) / 1_000n;
  const parts: string[] = [];
  const add = (count: number, unit: string) => {
    if (count !== 0) parts.push(`${count} ${unit}${Math.abs(count) === 1 ? "" : "s"}`);
  };
  add(Math.trunc(months / 12), "year");
  add(months % 12, "month");
  add(days, "day");
  if (us !== 0n) parts.push(us < 0n ? `-${timeOfDay(-us)}` : timeOfDay(us));
  return parts.length === 0 ? "00:00:00" : parts.join(" ");
}

function listText(offsets: DataView, items: ArrowColumn, areLongsQuoted: boolean): CellText {
  const item = cellTextFor(items, areLongsQuoted);
  return (row) => {
    const parts: string[] = [];
    const end = offsets.getInt32(row * 4 + 4, true);
    for (let at = offsets.getInt32(row * 4, true); at < end; at++) parts.push(item(at));
    return `[${parts.join(",")}]`;
  };
}

function structText(children: readonly ArrowColumn[], areLongsQuoted: boolean): CellText {
  const cells = children.map((child) => cellTextFor(child, areLongsQuoted));
  const names = children.map(({ field }) => JSON.stringify(field.name));
  return (row) => `{${cells.map((cell, at) => `${names[at]}:${cell(row)}`).join(",")}}`;
}

/** Keys that are not text become the text of their JSON. */
function mapText(offsets: DataView, entries: ArrowColumn, areLongsQuoted: boolean): CellText {
  const [key, value] = entries.children.map((child) => cellTextFor(child, areLongsQuoted));
  return (row) => {
    const parts: string[] = [];
    const end = offsets.getInt32(row * 4 + 4, true);
    for (let at = offsets.getInt32(row * 4, true); at < end; at++) {
      const name = key!(at);
      parts.push(`${name.startsWith('"') ? name : JSON.stringify(name)}:${value!(at)}`);
    }
    return `{${parts.join(",")}}`;
  };
}

/** Bytes of a text or a blob. */
export function slice([offsets, values]: readonly DataView[], row: number): Uint8Array {
  const start = offsets!.getInt32(row * 4, true);
  const end = offsets!.getInt32(row * 4 + 4, true);
  return new Uint8Array(values!.buffer, values!.byteOffset + start, end - start);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
