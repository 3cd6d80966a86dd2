// Step 4 of a batch's life: do its columns fit the table, and what does the table gain by them?
//
// A schema only grows. A new column takes the narrowest type that holds what it came with; int64
// widens to float64 when a float comes; nothing else changes, so that no stored row is ever read
// under a type it was not accepted for. Ingest judges by a copy that may be old: what an old copy
// accepts without change, the catalog accepts too.
//
// Refuses (`column_type_conflict`) values that the column's type cannot take, naming the column,
// both types and the first row; (`column_name_invalid`) names that differ only in the case of
// letters a to z, since SQL could not tell them apart; (`schema_too_wide`) too many columns.
// Next: lib/buffer/buffer.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { VALUE_KINDS, type ValueKind } from "#lib/columnar/kinds.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { SchemaColumn } from "./schema.ts";

const NUMBERS = KIND.int | KIND.float;
const EVERYTHING = NUMBERS | KIND.text | KIND.bool | KIND.timestamp | KIND.nested;

/** Kinds of values that a column takes as it is. */
const TAKEN: Readonly<Record<ColumnType, number>> = {
  int64: KIND.int,
  float64: NUMBERS,
  utf8: KIND.text | KIND.nested,
  bool: KIND.bool,
  timestamp: KIND.timestamp,
};

const TIME: SchemaColumn = { name: TIME_COLUMN, type: "timestamp", takesNumbers: false };

/**
 * The columns to add to `current` or to replace in it by name, for a batch to fit; empty when it
 * fits already. `time` is among them until the table has it, whether or not the batch has.
 */
export function growSchema(
  current: readonly SchemaColumn[],
  scanned: readonly ScannedColumn[],
): SchemaColumn[] {
  const known = new Map(current.map((column) => [column.name, column]));
  const changed: SchemaColumn[] = known.has(TIME_COLUMN) ? [] : [TIME];
  for (const column of scanned) {
    if (column.name === TIME_COLUMN) continue;
    const before = known.get(column.name);
    const after = before === undefined ? newColumn(column) : grownColumn(before, column);
    if (after !== before) changed.push(after);
  }
  const added = changed.filter((column) => !known.has(column.name));
  if (added.length > 0) checkNames(current, added);
  return changed;
}

function newColumn({ name, kinds }: ScannedColumn): SchemaColumn {
  const type = kinds === 0 ? null : typeOfKinds(kinds);
  const takesNumbers = type === "utf8" && (kinds & ~TAKEN.utf8) !== 0;
  return { name, type, takesNumbers };
}

/** Kinds that have no type in common meet as text. */
function typeOfKinds(kinds: number): ColumnType {
  if (kinds === KIND.int) return "int64";
  if ((kinds & ~NUMBERS) === 0) return "float64";
  if (kinds === KIND.bool) return "bool";
  if (kinds === KIND.timestamp) return "timestamp";
  return "utf8";
}

/** Returns `before` itself when nothing changes. */
function grownColumn(before: SchemaColumn, column: ScannedColumn): SchemaColumn {
  if (column.kinds === 0) return before;
  if (before.type === null) return newColumn(column);
  const taken = before.takesNumbers ? EVERYTHING : TAKEN[before.type];
  const foreign = column.kinds & ~taken;
  if (foreign === 0) return before;
  if (before.type === "int64" && foreign === KIND.float) return { ...before, type: "float64" };
  throw conflict(before.type, column, before.type === "int64" ? foreign & ~KIND.float : foreign);
}

function conflict(type: ColumnType, column: ScannedColumn, foreign: number): SluiceError {
  const rowOf = (kind: ValueKind) => column.firstRows[kind]!;
  const found = VALUE_KINDS.filter((kind) => (KIND[kind] & foreign) !== 0).reduce((a, b) =>
    rowOf(b) < rowOf(a) ? b : a,
  );
  const row = rowOf(found);
  const place = `column ${JSON.stringify(column.name)}`;
  const message = `${place} is ${type} in this table, row ${row} is ${found}`;
  const detail = { column: column.name, row, expected: type, found };
  return new SluiceError("column_type_conflict", message, detail);
}

function checkNames(current: readonly SchemaColumn[], added: readonly SchemaColumn[]): void {
  const columnCount = current.length + added.length;
  if (columnCount > LIMITS.columnsPerTableMax) {
    const limit = LIMITS.columnsPerTableMax;
    const message = `the table would have ${columnCount} columns, more than ${limit}`;
    throw new SluiceError("schema_too_wide", message, { limit });
  }
  const taken = new Map(current.map(({ name }) => [foldCase(name), name]));
  for (const { name } of added) {
    const twin = taken.get(foldCase(name));
    if (twin !== undefined) {
      const names = `${JSON.stringify(name)} and ${JSON.stringify(twin)}`;
      const message = `columns ${names} differ only in case, which SQL does not tell apart`;
      throw new SluiceError("column_name_invalid", message, { column: name, found: twin });
    }
    taken.set(foldCase(name), name);
  }
}

/** As DuckDB compares identifiers: a to z only. */
function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
