// Rows to Parquet in memory, after decoding: sorting, encoding, compression, statistics, filters.
//
// Ten batches are decoded into one table, as for a flush, and written as one row group. A real
// flush also decodes (bench/ingest.ts has the whole of it) and seldom needs to sort: batches come
// in order.

import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";

import { Random } from "../clients/samples/random.ts";
import { eventTable } from "./event-table.ts";
import { printFigure, printMachine } from "./report.ts";

const ROUNDS = 7;
const BATCHES = Number(process.argv[2] ?? 10);

const table = eventTable(BATCHES);
const { rowCount } = table;
const shuffled = withJitter(table);

printMachine();
const file = writeParquet(table, 0, rowCount, { keyValues: {} });
printFigure(
  "write, rows in order",
  measure(() => write(table)),
  "rows/s",
);
printFigure(
  "sort by time, then write",
  measure(() => write(sortByTime(shuffled))),
  "rows/s",
);
printFigure("size", [file.byteLength / rowCount], "bytes/row");

function write(sorted: ColumnTable): void {
  writeParquet(sorted, 0, rowCount, { keyValues: {} });
}

/** Rows per second of each round, after rounds that let the compiler warm up. */
function measure(run: () => void): number[] {
  const rates = Array.from({ length: 3 + ROUNDS }, () => {
    const start = performance.now();
    run();
    return rowCount / ((performance.now() - start) / 1000);
  });
  return rates.slice(-ROUNDS);
}

/** The same rows with times up to ten seconds later, as those of many senders mixed. */
function withJitter(sorted: ColumnTable): ColumnTable {
  const random = new Random(1, "jitter");
  const columns = sorted.columns.map((column) => {
    if (column.type !== "timestamp") return column;
    const times = new BigInt64Array(column.words.slice().buffer);
    for (let row = 0; row < rowCount; row++) times[row] += BigInt(random.integer(0, 10_000_000));
    return { ...column, words: new Int32Array(times.buffer) };
  });
  return { ...sorted, columns };
}
