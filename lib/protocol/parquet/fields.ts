// The cells of one column of a row group, in rows: flat columns page by page, nested ones assembled
// from their leaves and told as JSON text.

import type { SchemaTree } from "hyparquet";
import { assembleLists, assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { isoTime } from "#lib/protocol/text-times.ts";
import { type Cell, type CellKind, type CellType, cellTypeOf } from "./cells.ts";
import { damaged, guarded, type ParquetField, type ParquetLeaf } from "./parquet-file.ts";
import type { ParquetRowGroup } from "./parquet-file.ts";
import { type ParquetPage, readPages } from "./pages.ts";

/** `row`: of the row group. null is NULL. */
export type TakeCell = (cell: Cell | null, row: number) => void;

export interface FieldReader {
  readonly field: ParquetField;
  readonly kind: CellKind;
  /**
   * Gives the cells of rows `[from, to)` in order, and `spend` the decompressed size of each page.
   * Refuses what is wrong with them, naming column and row.
   */
  read(rowGroup: ParquetRowGroup, from: number, to: number, take: TakeCell, spend: Spend): void;
}

export type Spend = (byteLength: number) => void;

/** Refuses (`column_type_unsupported`) columns that nothing of ours can hold. */
export function fieldReader(file: Uint8Array, field: ParquetField): FieldReader {
  const types = field.leaves.map((leaf) => named(field, () => cellTypeOf(leaf.element)));
  if (field.isNested) return nestedReader(file, field, types);
  const [leaf] = field.leaves as [ParquetLeaf];
  const [type] = types as [CellType];
  return {
    field,
    kind: type.kind,
    read(rowGroup, from, to, take, spend) {
      for (const page of readPages(file, rowGroup.chunks[leaf.ordinal]!, leaf, from, to)) {
        spend(page.byteLength);
        takePage(page, field, type, rowGroup.firstRow, from, to, take);
      }
    },
  };
}

function takePage(
  { first, valueCount, definitionLevels, values, dictionary }: ParquetPage,
  field: ParquetField,
  type: CellType,
  firstRow: number,
  from: number,
  to: number,
  take: TakeCell,
): void {
  const read = cellOf(type, values, dictionary);
  let at = 0;
  for (let i = 0; i < valueCount && first + i < to; i++) {
    const row = first + i;
    // Of a column that does not repeat, level 1 is a value and 0 is NULL.
    const isNull = definitionLevels !== null && definitionLevels[i] === 0;
    if (row >= from) {
      const place = isNull ? 0 : at;
      take(isNull ? null : named(field, () => read(place), firstRow + row), row);
    }
    if (!isNull) at += 1;
  }
}

/** Each entry of a dictionary is converted once, when it is first seen. */
function cellOf(
  type: CellType,
  values: ParquetPage["values"],
  dictionary: ParquetPage["dictionary"],
): (at: number) => Cell {
  if (dictionary === null) return (at) => type.read(values[at]);
  const known: (Cell | undefined)[] = [];
  return (at) => {
    const number = values[at] as number;
    if (!(number < dictionary.length)) throw damaged(`a dictionary has no entry ${number}`);
    return (known[number] ??= type.read(dictionary[number]));
  };
}

function nestedReader(
  file: Uint8Array,
  field: ParquetField,
  types: readonly CellType[],
): FieldReader {
  return {
    field,
    kind: "text",
    read(rowGroup, from, to, take, spend) {
      const rows = assemble(file, field, types, rowGroup, spend);
      for (let row = from; row < to; row++) {
        const value = rows[row];
        take(value === undefined || value === null ? null : jsonText(value), row);
      }
    },
  };
}

function assemble(
  file: Uint8Array,
  field: ParquetField,
  types: readonly CellType[],
  rowGroup: ParquetRowGroup,
  spend: Spend,
): ArrayLike<unknown> {
  const limit = LIMITS.importNestedValuesMax;
  const columns = new Map<string, unknown[]>();
  for (const [i, leaf] of field.leaves.entries()) {
    const chunk = rowGroup.chunks[leaf.ordinal]!;
    if (chunk.valueCount > limit) {
      const column = field.name;
      const message =
        `column ${JSON.stringify(column)} has more than ${limit} nested values in a row group; ` +
        "write smaller row groups";
      throw new SluiceError("batch_too_large", message, { column, limit });
    }
    const rows: unknown[] = [];
    for (const page of readPages(file, chunk, leaf)) {
      spend(page.byteLength);
      const read = cellOf(types[i]!, page.values, page.dictionary);
      const cells = Array.from({ length: page.values.length }, (_, at) =>
        named(field, () => leafValue(read(at), types[i]!.kind)),
      );
      const levels = page.definitionLevels as number[] | null;
      const repetitions = page.repetitionLevels as number[];
      const path = leaf.path as SchemaTree[];
      guarded(`column ${field.name}`, () =>
        assembleLists(rows, levels ?? [], repetitions, cells, path),
      );
    }
    columns.set(leaf.path.at(-1)!.path.join("."), rows);
  }
  return guarded(`column ${field.name}`, () => {
    assembleNested(columns, field.tree, DEFAULT_PARSERS);
    const rows = columns.get(field.name);
    if (rows?.length === rowGroup.rowCount) return rows;
    throw damaged(`column ${JSON.stringify(field.name)} has ${rows?.length} rows`);
  });
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes are text here, and times RFC 3339. */
function leafValue(cell: Cell, kind: CellKind): unknown {
  if (cell instanceof Uint8Array) return UTF8.decode(cell);
  if (kind !== "timestamp") return cell;
  return isoTime(cell as bigint);
}

/** Integers of any size keep their digits; what JSON has no word for is null. */
function jsonText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value);
    return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** What goes wrong in `read` names the column, and the row of the file. */
function named<T>({ name }: ParquetField, read: () => T, row?: number): T {
  try {
    return guarded("a value", read);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const place = row === undefined ? "" : `, row ${row}`;
    const message = `column ${JSON.stringify(name)}${place}: ${error.message}`;
    const detail = { ...error.detail, column: name, ...(row === undefined ? {} : { row }) };
    throw new SluiceError(error.code, message, detail);
  }
}
