// Parquet in memory to rows: decompression and decoding, as compaction reads its inputs.

import type { ColumnTable } from "#lib/columnar/types.ts";
import { readRowGroup } from "#lib/parquet/read-file.ts";
import { readFooter } from "#lib/parquet/read-footer.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { eventTable } from "./event-table.ts";
import { printFigure, printMachine } from "./report.ts";

const ROUNDS = 7;
const BATCHES = 10;
/** What a flush writes each minute of a table that gets 50 million rows in 30 days. */
const SMALL_ROWS = 1_157;

printMachine();
const table = eventTable(BATCHES);
const { rowCount } = table;
const whole = [fileOf(table, 0, rowCount)];
const small: Uint8Array[] = [];
for (let row = 0; row < rowCount; row += SMALL_ROWS) {
  small.push(fileOf(table, row, Math.min(rowCount, row + SMALL_ROWS)));
}
printFigure("read, one file", measure(whole), "rows/s");
printFigure(`read, files of ${SMALL_ROWS} rows`, measure(small), "rows/s");

function fileOf(rows: ColumnTable, from: number, to: number): Uint8Array {
  return writeParquet(rows, from, to, { keyValues: {} }).bytes;
}

/** Rows per second of each round, after rounds that let the compiler warm up. */
function measure(files: readonly Uint8Array[]): number[] {
  const rates = Array.from({ length: 3 + ROUNDS }, () => {
    const start = performance.now();
    for (const bytes of files) read(bytes);
    return rowCount / ((performance.now() - start) / 1000);
  });
  return rates.slice(-ROUNDS);
}

function read(bytes: Uint8Array): void {
  const tail = new DataView(bytes.buffer, bytes.byteLength - 8);
  const layout = readFooter(bytes.subarray(-(tail.getUint32(0, true) + 8)), bytes.length);
  for (const rowGroup of layout.rowGroups) {
    const { offset, byteLength } = rowGroup;
    readRowGroup(layout, rowGroup, bytes.subarray(offset, offset + byteLength));
  }
}
