// Rows picked from columns by number: in another order for sorting, without the NULLs for Parquet.
//
// Codes and fixed-width values move, text does not: a gathered column shares its heap.

import type { Column } from "./types.ts";

export function gatherColumn(column: Column, rows: Uint32Array): Column {
  const rowCount = rows.length;
  const { name } = column;
  const validity = column.validity && gather(column.validity, rows, new Uint8Array(rowCount));
  const common = { name, rowCount, validity };
  switch (column.type) {
    case "int64":
    case "timestamp":
      return { ...common, type: column.type, words: gatherPairs(column.words, rows) };
    case "float64": {
      const values = gather(column.values, rows, new Float64Array(rowCount));
      return { ...common, type: column.type, values };
    }
    case "bool": {
      const values = gather(column.values, rows, new Uint8Array(rowCount));
      return { ...common, type: column.type, values };
    }
    case "utf8": {
      const codes = gather(column.codes, rows, new Int32Array(rowCount));
      return { ...common, type: column.type, codes, heap: column.heap };
    }
  }
}

function gather<T extends Uint8Array | Int32Array | Float64Array>(
  source: T,
  rows: Uint32Array,
  target: T,
): T {
  for (let i = 0; i < rows.length; i++) target[i] = source[rows[i]];
  return target;
}

function gatherPairs(words: Int32Array, rows: Uint32Array): Int32Array {
  const target = new Int32Array(2 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    target[2 * i] = words[2 * row];
    target[2 * i + 1] = words[2 * row + 1];
  }
  return target;
}
