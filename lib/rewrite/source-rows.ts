// Rows of one input that are loaded and wait to be written: a row group, less the rows that go.
//
// Columns are those of the table of today, whatever the file had: one that came later is NULL, one
// that has widened since is widened here.

import { SluiceError } from "#lib/base/errors.ts";
import type { SchemaColumn } from "#lib/catalog/schema.ts";
import { gatherColumn } from "#lib/columnar/gather.ts";
import { timeColumn } from "#lib/columnar/sort.ts";
import { firstNotBefore, timeWords } from "#lib/columnar/times.ts";
import type {
  Column,
  ColumnTable,
  ColumnType,
  Float64Column,
  Int64Column,
} from "#lib/columnar/types.ts";

export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Which rows of a file stay; the others are left out. */
export interface RowFilter {
  /** One bit per row of the file, least significant first, 1 = it goes. null: none goes. */
  readonly dropped: Uint8Array | null;
  /** Rows of earlier times go. null: no bound. */
  readonly fromUs: bigint | null;
  /** Rows of this time and later go. null: no bound. */
  readonly toUs: bigint | null;
}

export interface SourceRows {
  /** Of the input among all: where times are equal its rows come before those of higher ones. */
  readonly input: number;
  /** In the order of the table of today. null: the file does not have it. */
  readonly columns: readonly (Column | null)[];
  readonly times: Int32Array;
  /** Rows `[from, to)` are left. */
  from: number;
  readonly to: number;
  /** What they are in memory, per row. */
  readonly rowBytes: number;
}

/** Columns of the table that have a type, in its order. Without a type there are no values. */
export function typedColumns(columns: readonly SchemaColumn[]): TypedColumn[] {
  return columns.flatMap(({ name, type }) => (type === null ? [] : [{ name, type }]));
}

/** `firstRow`: number in the file of the table's first row. */
export function sourceRows(
  input: number,
  table: ColumnTable,
  firstRow: number,
  filter: RowFilter | null,
  columns: readonly TypedColumn[],
): SourceRows {
  const kept = filter?.dropped ? withoutDropped(table, filter.dropped, firstRow) : table;
  const times = timeColumn(kept).words;
  const boundAt = (us: bigint | null | undefined, open: number): number =>
    us === null || us === undefined ? open : firstNotBefore(times, 0, kept.rowCount, timeWords(us));
  const byName = new Map(kept.columns.map((column) => [column.name, column]));
  const fitted = columns.map((column) => fitColumn(byName.get(column.name), column));
  const byteLength = fitted.reduce((sum, column) => sum + byteLengthOf(column), 0);
  return {
    input,
    columns: fitted,
    times,
    from: boundAt(filter?.fromUs, 0),
    to: boundAt(filter?.toUs, kept.rowCount),
    rowBytes: byteLength / Math.max(1, kept.rowCount),
  };
}

function withoutDropped(table: ColumnTable, dropped: Uint8Array, firstRow: number): ColumnTable {
  const rows = new Uint32Array(table.rowCount);
  let rowCount = 0;
  for (let row = 0; row < table.rowCount; row++) {
    const bit = firstRow + row;
    if (((dropped[bit >>> 3] >>> (bit & 7)) & 1) === 0) rows[rowCount++] = row;
  }
  if (rowCount === table.rowCount) return table;
  const left = rows.subarray(0, rowCount);
  return { rowCount, columns: table.columns.map((column) => gatherColumn(column, left)) };
}

function fitColumn(column: Column | undefined, { name, type }: TypedColumn): Column | null {
  if (column === undefined) return null;
  if (column.type === type) return column;
  if (column.type === "int64" && type === "float64") return widened(column);
  const message = `column ${JSON.stringify(name)} is ${column.type} in a file of a ${type} table`;
  throw new SluiceError("file_corrupt", message, { column: name, expected: type });
}

function widened({ name, rowCount, validity, words }: Int64Column): Float64Column {
  const values = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    values[row] = words[2 * row + 1] * 2 ** 32 + (words[2 * row] >>> 0);
  }
  return { name, type: "float64", rowCount, validity, values };
}

function byteLengthOf(column: Column | null): number {
  if (column === null) return 0;
  const validityBytes = column.validity === null ? 0 : column.rowCount;
  switch (column.type) {
    case "int64":
    case "timestamp":
    case "float64":
      return validityBytes + 8 * column.rowCount;
    case "bool":
      return validityBytes + column.rowCount;
    case "utf8": {
      const { entryCount, offsets } = column.heap;
      return validityBytes + 4 * column.rowCount + 4 * entryCount + offsets[entryCount];
    }
  }
}
