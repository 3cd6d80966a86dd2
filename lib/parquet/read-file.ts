// A Parquet file of ours back to rows: what compaction, retention and delete read.
//
// Row group by row group, straight into the typed arrays that the writer takes, since rewriting
// files is decoding and encoding and hardly anything else. It reads what lib/parquet/write-file.ts
// writes and refuses every other encoding: readers for those exist.
//
// Damaged bytes are refused (`file_corrupt`, naming row group and column), never read as other
// rows: pages have checksums, sizes and counts are checked against each other, and the time must be
// in order and between its bounds.

import { isInOrder, timeColumn } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";

import { fileCorrupt, reading } from "./file-corrupt.ts";
import { readColumnChunk } from "./read-column-chunk.ts";
import type { FileLayout, RowGroupLayout } from "./read-footer.ts";

/** `bytes`: the row group's stretch of the file, `byteLength` bytes from `offset` on. */
export function readRowGroup(
  { columns }: FileLayout,
  rowGroup: RowGroupLayout,
  bytes: Uint8Array,
): ColumnTable {
  if (bytes.length !== rowGroup.byteLength) throw fileCorrupt("a row group is cut short");
  const { rowCount } = rowGroup;
  let at = 0;
  const read = columns.map((column, i) => {
    const { byteLength, nullCount } = rowGroup.chunks[i];
    const chunk = bytes.subarray(at, at + byteLength);
    at += byteLength;
    const place = `rows from ${rowGroup.firstRow} on, column ${JSON.stringify(column.name)}`;
    return reading(place, { row: rowGroup.firstRow, column: column.name }, () => {
      const values = readColumnChunk(column, rowCount, chunk);
      if (countNulls(values.validity) !== nullCount) throw fileCorrupt("NULLs are missing");
      return values;
    });
  });
  const table = { rowCount, columns: read };
  checkTimes(table, rowGroup);
  return table;
}

function countNulls(validity: Uint8Array | null): number {
  if (validity === null) return 0;
  let nullCount = validity.length;
  for (let row = 0; row < validity.length; row++) nullCount -= validity[row];
  return nullCount;
}

function checkTimes(table: ColumnTable, { timeBounds: bounds }: RowGroupLayout): void {
  const { words } = timeColumn(table);
  const last = 2 * (table.rowCount - 1);
  const isBounded =
    words[0] === bounds[0] &&
    words[1] === bounds[1] &&
    words[last] === bounds[2] &&
    words[last + 1] === bounds[3];
  if (!isBounded || !isInOrder(words, 0, table.rowCount)) {
    throw fileCorrupt("times are not in order or not between their bounds");
  }
}
