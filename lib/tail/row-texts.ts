// A stored batch to the JSON of its rows, the same as a query gives.
//
// What is held between two pieces is the batch as it is stored, not its columns: a reader that is
// slow, and a thousand of them, shall not hold what they have not read. So a large batch is decoded
// once for each piece.

import type { BatchHeader } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Column, ColumnTable } from "#lib/columnar/types.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { MessagePackReader } from "#lib/protocol/msgpack-reader.ts";
import { TAG } from "#lib/protocol/msgpack-tags.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";
import { walkBatch } from "#lib/protocol/walk-batch.ts";
import { ARROW, type ArrowColumn, type ArrowField } from "#lib/sql/arrow-stream.ts";
import { cellText, type CellText } from "#lib/sql/cell-text.ts";
import type { RowView } from "./row-view.ts";

export interface RowText {
  /** Number of the row in its batch. */
  readonly row: number;
  readonly json: string;
}

/** Rows from `fromRow` on that meet the view's conditions, in pieces; a piece may be empty. */
export function* rowTexts(
  view: RowView,
  { rowCount, receivedUs }: BatchHeader,
  body: Uint8Array,
  fromRow: number,
): Generator<RowText[]> {
  let rowsPerPiece = rowCount;
  for (let from = fromRow; from < rowCount; from += rowsPerPiece) {
    const bytes = decompressBody(body, null);
    const pieceCount = Math.ceil(bytes.byteLength / LIMITS.tailPieceBytes);
    rowsPerPiece = Math.ceil(rowCount / pieceCount);
    const builder = new TableBuilder(view.decoded, rowCount);
    builder.append(bytes, receivedUs);
    yield textsOf(view, builder.finish(), from, Math.min(from + rowsPerPiece, rowCount));
  }
}

/** True: the batch has values in a column that the schema, which may be old, has no type for. */
export function outgrows({ columns }: TableSchema, bytes: Uint8Array): boolean {
  const typed = new Set(columns.flatMap(({ name, type }) => (type === null ? [] : [name])));
  const reader = new MessagePackReader(bytes);
  let isNew = false;
  walkBatch(reader, (name, rowCount) => {
    if (typed.has(name)) return reader.skip(rowCount);
    for (let left = rowCount; left > 0; left--) {
      isNew ||= reader.tag() !== TAG.nil;
      reader.skip(1);
    }
  });
  return isNew;
}

function textsOf(view: RowView, table: ColumnTable, fromRow: number, toRow: number): RowText[] {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const tests = view.conditions.map(({ column: name, test }) => {
    const column = columns.get(name);
    return column === undefined ? () => false : test(column);
  });
  const cells = view.shown.map(({ name }) => textOfCells(columns.get(name)!));
  const keys = view.shown.map(({ name }, at) => `${at === 0 ? "" : ","}${JSON.stringify(name)}:`);
  const texts: RowText[] = [];
  for (let row = fromRow; row < toRow; row++) {
    if (!tests.every((test) => test(row))) continue;
    let json = "{";
    for (const [at, cell] of cells.entries()) json += keys[at]! + cell(row);
    texts.push({ row, json: `${json}}` });
  }
  return texts;
}

/** As the columns of a result are written, so that they read the same. */
function textOfCells(column: Column): CellText {
  const { validity } = column;
  const text = textOfValues(column);
  return (row) => (validity?.[row] === 0 ? "null" : text(row));
}

function textOfValues(column: Column): CellText {
  switch (column.type) {
    case "bool":
      return (row) => (column.values[row] === 1 ? "true" : "false");
    case "utf8": {
      // The texts of the heap, each of which many rows may have.
      const { offsets, bytes, entryCount } = column.heap;
      const entry = cellText(arrow(ARROW.utf8, 0, entryCount, [offsets, bytes]));
      return (row) => entry(column.codes[row]!);
    }
    case "float64":
      return cellText(arrow(ARROW.float, DOUBLE, column.rowCount, [column.values]));
    case "int64":
      return cellText(arrow(ARROW.int, 0, column.rowCount, [column.words]));
    case "timestamp":
      return cellText(arrow(ARROW.timestamp, MICROSECOND, column.rowCount, [column.words]));
  }
}

const DOUBLE = 2;
const MICROSECOND = 2;

function arrow(
  type: number,
  unit: number,
  length: number,
  arrays: readonly (Int32Array | Uint8Array | Float64Array)[],
): ArrowColumn {
  const plain = { name: "", isNullable: true, timeZone: null, scale: 0, children: [] };
  const field: ArrowField = { ...plain, type, unit, bitWidth: 64, isSigned: true };
  const buffers = arrays.map(
    ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength),
  );
  return { field, length, validity: null, buffers, children: [] };
}
