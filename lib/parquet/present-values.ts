// A column's rows without its NULLs, and how they are cut into pages.
//
// Parquet stores only the values that are there; one bit per row (the definition level) tells which
// rows have one. Encoders therefore see columns without NULLs, and pages say which values are
// theirs.

import { LIMITS } from "#lib/base/limits.ts";
import { gatherColumn } from "#lib/columnar/gather.ts";
import type { Column } from "#lib/columnar/types.ts";

/**
 * Rows `[rowFrom, rowTo)` of the table, which are values `[valueFrom, valueTo)` of those present.
 */
export interface Page {
  readonly rowFrom: number;
  readonly rowTo: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

/**
 * The values in rows `[from, to)` as a column of its own; a view of the same memory if none is
 * NULL.
 */
export function presentValues(column: Column, from: number, to: number): Column {
  const rows = presentRows(column, from, to);
  if (rows !== null) return { ...gatherColumn(column, rows), validity: null };

  const common = { name: column.name, rowCount: to - from, validity: null };
  switch (column.type) {
    case "int64":
    case "timestamp":
      return { ...common, type: column.type, words: column.words.subarray(2 * from, 2 * to) };
    case "float64":
      return { ...common, type: column.type, values: column.values.subarray(from, to) };
    case "bool":
      return { ...common, type: column.type, values: column.values.subarray(from, to) };
    case "utf8":
      return { ...column, ...common, codes: column.codes.subarray(from, to) };
  }
}

/** null when no row is NULL. */
function presentRows({ validity }: Column, from: number, to: number): Uint32Array | null {
  if (validity === null) return null;
  let count = 0;
  for (let row = from; row < to; row++) count += validity[row];
  if (count === to - from) return null;

  const rows = new Uint32Array(count);
  let at = 0;
  for (let row = from; row < to; row++) {
    if (validity[row] === 1) rows[at++] = row;
  }
  return rows;
}

/**
 * Pages of at most `LIMITS.dataPageRows` rows. Where `byteLengths` gives the size of each value, a
 * page also ends once it has `LIMITS.dataPageBytes`: 20,000 long log lines would be a page of many
 * megabytes.
 */
export function planPages(
  validity: Uint8Array | null,
  from: number,
  to: number,
  byteLengths: Int32Array | null,
): Page[] {
  const pages: Page[] = [];
  let row = from;
  let value = 0;
  while (row < to) {
    const rowFrom = row;
    const valueFrom = value;
    const rowEnd = Math.min(to, row + LIMITS.dataPageRows);
    if (validity === null && byteLengths === null) {
      row = rowEnd;
      value += rowEnd - rowFrom;
    }
    let byteLength = 0;
    for (; row < rowEnd && byteLength < LIMITS.dataPageBytes; row++) {
      if (validity !== null && validity[row] === 0) continue;
      if (byteLengths !== null) byteLength += byteLengths[value];
      value++;
    }
    pages.push({ rowFrom, rowTo: row, valueFrom, valueTo: value });
  }
  return pages;
}
