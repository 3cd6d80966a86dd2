// What a tail shows of a row: which columns, and which rows at all.
//
// Conditions are equalities, compared as the column's type has it: `host:a`, `cores:8`,
// `time:2026-01-01T00:00:00Z`. NULL equals nothing.
//
// Refuses columns that the measurement does not have, and values that the column cannot hold.

import { SluiceError } from "#lib/base/errors.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { timeWords } from "#lib/columnar/times.ts";
import type { Column, ColumnType } from "#lib/columnar/types.ts";
import { parseTime } from "#lib/protocol/text-times.ts";

export interface RowWishes {
  /** In the order in which they are shown; null: all. */
  readonly columns: readonly string[] | null;
  /** `column:value`, all of which have to hold. */
  readonly where: readonly string[];
}

export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Condition {
  readonly column: string;
  /** For a column as it was decoded. */
  readonly test: (column: Column) => (row: number) => boolean;
}

export interface RowView {
  readonly shown: readonly TypedColumn[];
  readonly conditions: readonly Condition[];
  /** Columns that have to be decoded. */
  readonly decoded: readonly TypedColumn[];
}

/** Throws `parameter_invalid`. */
export function viewRows(schema: TableSchema, wishes: RowWishes): RowView {
  const known = schema.columns.flatMap(({ name, type }) => (type === null ? [] : [{ name, type }]));
  const names = new Set(schema.columns.map(({ name }) => name));
  for (const name of wishes.columns ?? []) {
    if (!names.has(name)) throw unknownColumn("columns", name, schema);
  }
  const shown =
    wishes.columns === null
      ? known
      : wishes.columns.flatMap((name) => known.filter((column) => column.name === name));
  const conditions = wishes.where.map((text) => parseCondition(text, schema));
  const tested = new Set(conditions.map(({ column }) => column));
  const decoded = known.filter((column) => shown.includes(column) || tested.has(column.name));
  return { shown, conditions, decoded };
}

/** Names may have colons in them: the longest that fits is meant. */
function parseCondition(text: string, schema: TableSchema): Condition {
  const fitting = schema.columns.filter(({ name }) => text.startsWith(`${name}:`));
  const [column] = fitting.toSorted((a, b) => b.name.length - a.name.length);
  if (column === undefined) {
    throw unknownColumn("where", text.slice(0, Math.max(0, text.indexOf(":"))) || text, schema);
  }
  const { name, type } = column;
  const value = text.slice(name.length + 1);
  return { column: name, test: type === null ? () => () => false : parseTest(name, type, value) };
}

function parseTest(name: string, type: ColumnType, value: string): Condition["test"] {
  switch (type) {
    case "utf8":
      return textTest(new TextEncoder().encode(value));
    case "bool":
      if (value !== "true" && value !== "false") throw wrongValue(name, value, "true or false");
      return flagTest(value === "true" ? 1 : 0);
    case "int64":
      return wordsTest(parseInt64(name, value));
    case "timestamp":
      return wordsTest(parseTime(value, null));
    case "float64": {
      const number = value.trim() === "" ? NaN : Number(value);
      if (!Number.isFinite(number)) throw wrongValue(name, value, "a number");
      return numberTest(number);
    }
  }
}

function parseInt64(name: string, value: string): bigint {
  const integer = /^-?\d{1,19}$/.test(value) ? BigInt(value) : null;
  if (integer === null || BigInt.asIntN(64, integer) !== integer) {
    throw wrongValue(name, value, "an integer");
  }
  return integer;
}

function textTest(wanted: Uint8Array): Condition["test"] {
  return (column) => {
    if (column.type !== "utf8") return () => false;
    const { codes, heap, validity } = column;
    const { offsets, bytes } = heap;
    const isWanted = (entry: number): boolean => {
      const start = offsets[entry]!;
      if (offsets[entry + 1]! - start !== wanted.byteLength) return false;
      return wanted.every((byte, at) => bytes[start + at] === byte);
    };
    return (row) => validity?.[row] !== 0 && isWanted(codes[row]!);
  };
}

function flagTest(wanted: number): Condition["test"] {
  return (column) => (row) =>
    column.type === "bool" && column.validity?.[row] !== 0 && column.values[row] === wanted;
}

function numberTest(wanted: number): Condition["test"] {
  return (column) => (row) =>
    column.type === "float64" && column.validity?.[row] !== 0 && column.values[row] === wanted;
}

function wordsTest(wanted: bigint): Condition["test"] {
  const [low, high] = timeWords(wanted);
  return (column) => (row) =>
    (column.type === "int64" || column.type === "timestamp") &&
    column.validity?.[row] !== 0 &&
    column.words[2 * row] === low &&
    column.words[2 * row + 1] === high;
}

function unknownColumn(field: string, column: string, { measurement }: TableSchema): SluiceError {
  const message = `measurement "${measurement}" has no column "${column}" ("${field}")`;
  return new SluiceError("parameter_invalid", message, { field, column });
}

function wrongValue(column: string, value: string, expected: string): SluiceError {
  const shown = JSON.stringify(value.slice(0, 60));
  const message = `"where": column "${column}" needs ${expected}, not ${shown}`;
  return new SluiceError("parameter_invalid", message, { field: "where", column, expected });
}
