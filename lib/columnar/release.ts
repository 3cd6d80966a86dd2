// Memory of columns, given back without waiting for the garbage collector.
//
// Row groups of ten megabytes, made and dropped many times a second, pile up to several times of
// what is in use before the collector finds that they are large; an isolate has 128 MB.

import type { Column } from "./types.ts";

/** Nothing may use the columns any more, nor others that share their arrays or heaps. */
export function releaseColumns(columns: readonly (Column | null)[]): void {
  for (const column of columns) {
    if (column === null) continue;
    for (const { buffer } of arraysOf(column)) {
      if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
    }
  }
}

function arraysOf(column: Column): ArrayBufferView[] {
  const validity = column.validity === null ? [] : [column.validity];
  switch (column.type) {
    case "int64":
    case "timestamp":
      return [...validity, column.words];
    case "float64":
    case "bool":
      return [...validity, column.values];
    case "utf8":
      return [...validity, column.codes, column.heap.offsets, column.heap.bytes];
  }
}
