// One notation for both engines' cells, and what it means that they agree.
//
// The notation is the JSON that a user sees, with numbers kept as their digits: integers and
// decimals must agree digit by digit, doubles to 1e-9 of their size. What native DuckDB has is put
// into this notation from its types, by the rules of docs/protocol.md and by no code of the
// product.

import {
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBUUIDValue,
  type DuckDBValue,
} from "@duckdb/node-api";

/** An exact number. */
export interface Digits {
  readonly digits: string;
}

/** `number` is a double of the native engine. */
export type Cell = null | boolean | string | number | Digits | Cell[] | { [name: string]: Cell };

export interface Rows {
  readonly columns: readonly string[];
  readonly data: readonly Cell[][];
}

/** Sluice's answer with its numbers as they were written. */
export function parseExactly(text: string): unknown {
  type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
  const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
  return parse(text, (_key, value, { source }) =>
    typeof value === "number" ? { digits: source } : value,
  );
}

/** `isFloat`: the column is of a type that has no exact digits. */
export function nativeCell(value: DuckDBValue): Cell {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return { digits: String(value) };
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value instanceof DuckDBDecimalValue) return { digits: value.toString() };
  if (value instanceof DuckDBTimestampValue) return timestamp(value.micros);
  if (value instanceof DuckDBTimestampTZValue) return timestamp(value.micros);
  if (value instanceof DuckDBDateValue) return timestamp(BigInt(value.days) * 86_400_000_000n);
  if (value instanceof DuckDBTimeValue) return timestamp(value.micros).slice(11, -1);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString("base64");
  if (value instanceof DuckDBListValue) return value.items.map(nativeCell);
  if (value instanceof DuckDBStructValue) return entries(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return entries(value.entries.map(({ key, value: item }) => [String(key), item]));
  }
  const isText =
    value instanceof DuckDBIntervalValue ||
    value instanceof DuckDBUUIDValue ||
    value instanceof DuckDBBitValue;
  if (isText) return value.toString();
  throw new Error(`a native value of type ${value.constructor.name}`);
}

function entries(pairs: [string, DuckDBValue][]): { [name: string]: Cell } {
  return Object.fromEntries(pairs.map(([name, item]) => [name, nativeCell(item)]));
}

function timestamp(us: bigint): string {
  const micros = ((us % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((us - micros) / 1_000n)).toISOString().slice(0, 19);
  const fraction = String(micros).padStart(6, "0").replace(/0+$/, "");
  return `${seconds}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** The first rows that differ, as `[Sluice's, native's]`; null: all agree. */
export function firstDifference(
  sluice: readonly Cell[][],
  native: readonly Cell[][],
  isOrdered: boolean,
): { readonly sluice: string; readonly native: string } | null {
  const [ours, theirs] = isOrdered ? [sluice, native] : [sorted(sluice), sorted(native)];
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    const [left, right] = [ours[at], theirs[at]];
    if (left !== undefined && right !== undefined && agree(left, right)) continue;
    return { sluice: rowText(left), native: rowText(right) };
  }
  return null;
}

function agree(sluice: Cell, native: Cell): boolean {
  if (Array.isArray(sluice) && Array.isArray(native)) {
    return sluice.length === native.length && sluice.every((cell, at) => agree(cell, native[at]!));
  }
  if (typeof native === "number") return isDigits(sluice) && isClose(Number(sluice.digits), native);
  if (typeof sluice !== "object" || typeof native !== "object") return sluice === native;
  if (sluice === null || native === null) return sluice === native;
  const [ours, theirs] = [sluice, native].map((one) => Object.entries(one));
  return (
    ours!.length === theirs!.length &&
    ours!.every(([name, cell], at) => name === theirs![at]![0] && agree(cell, theirs![at]![1]))
  );
}

function isClose(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

function isDigits(cell: Cell): cell is Digits {
  return typeof cell === "object" && cell !== null && "digits" in cell;
}

function sorted(rows: readonly Cell[][]): Cell[][] {
  const keyed = rows.map((row) => ({ row, key: sortKey(row) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ row }) => row);
}

/** The same for cells that agree; doubles are rounded to be so. */
function sortKey(row: readonly Cell[]): string {
  const token = (cell: Cell): Cell => {
    if (Array.isArray(cell)) return cell.map(token);
    const digits = isDigits(cell) ? cell.digits : typeof cell === "number" ? String(cell) : null;
    if (digits === null) return cell;
    return /^-?\d{10,}$/.test(digits) ? digits : Number(digits).toPrecision(9);
  };
  return JSON.stringify(row.map(token));
}

/** A row as JSON with all digits; of no row, it says so. */
export function rowText(row: readonly Cell[] | undefined): string {
  return row === undefined ? "no row" : cellText(row as Cell[]);
}

function cellText(cell: Cell): string {
  if (isDigits(cell)) return cell.digits;
  if (Array.isArray(cell)) return `[${cell.map(cellText).join(", ")}]`;
  if (typeof cell !== "object" || cell === null) return JSON.stringify(cell);
  const parts = Object.entries(cell).map(
    ([name, item]) => `${JSON.stringify(name)}: ${cellText(item)}`,
  );
  return `{${parts.join(", ")}}`;
}
