// The rows of a rollup's query, from the Arrow stream that they come in to columns sorted by time.
//
// Refuses (`rollup_result_invalid`) rows without a time in the stretch that was asked for: they
// would not be replaced when it is computed again, and so be counted twice.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN, type ValueKind } from "#lib/columnar/kinds.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import { compareTimes, timeWords } from "#lib/columnar/times.ts";
import type { Column, ColumnTable, ColumnType, Int64Column } from "#lib/columnar/types.ts";
import { columnNameFault } from "#lib/protocol/walk-batch.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { appendCells, newResultBuilder } from "#lib/sql/results/parquet-columns.ts";
import { distinctNames } from "#lib/sql/results/writer.ts";
import { timeText } from "./rollup-query.ts";
import type { TimeRange } from "./rollup-slots.ts";

export function readRollupRows(stream: Uint8Array, range: TimeRange): ColumnTable {
  const reader = new ArrowStreamReader();
  const batches = reader.read(stream);
  const { fields } = reader;
  const names = distinctNames(fields);
  names.forEach(checkName);
  if (!names.includes(TIME_COLUMN)) throw invalid(`the query gives no column "time"`, {});
  const builders = fields.map((field, i) => newResultBuilder(field, names[i]));
  for (const { rowCount, columns } of batches) {
    columns.forEach((column, i) => appendCells(builders[i], column, 0, rowCount));
  }
  const columns = builders.map((builder) => builder.finish());
  const table = { rowCount: columns[0].rowCount, columns };
  if (table.rowCount === 0) return table;
  checkTimes(
    columns.find(({ name }) => name === TIME_COLUMN)!,
    range,
  );
  return sortByTime(table);
}

/** Of a query that counts: what it counted. */
export function readCount(stream: Uint8Array): number {
  const [batch] = new ArrowStreamReader().read(stream);
  return batch === undefined ? 0 : Number(batch.columns[0].buffers[0].getBigInt64(0, true));
}

/** The same rows without the columns that say nothing of their type: those with no value. */
export function withoutEmptyColumns({ rowCount, columns }: ColumnTable): ColumnTable {
  const isEmpty = ({ validity }: Column) =>
    validity !== null && countNulls(validity, rowCount) === rowCount;
  return { rowCount, columns: columns.filter((column) => !isEmpty(column)) };
}

/** What the rows say of the destination's columns. */
export function scanColumns({ columns }: ColumnTable): ScannedColumn[] {
  return columns.map((column) => {
    const { name, rowCount, validity } = column;
    const nullCount = validity === null ? 0 : countNulls(validity, rowCount);
    if (nullCount === rowCount) return { name, nullCount, kinds: 0, firstRows: {} };
    const kind = KIND_OF[column.type];
    const firstRows = { [kind]: validity === null ? 0 : validity.indexOf(1) };
    return { name, nullCount, kinds: KIND[kind], firstRows };
  });
}

const KIND_OF: Readonly<Record<ColumnType, ValueKind>> = {
  int64: "int",
  float64: "float",
  utf8: "text",
  bool: "bool",
  timestamp: "timestamp",
};

function countNulls(validity: Uint8Array, rowCount: number): number {
  let nullCount = 0;
  for (let row = 0; row < rowCount; row++) nullCount += 1 - validity[row];
  return nullCount;
}

function checkName(name: string): void {
  const isLong = new TextEncoder().encode(name).length > LIMITS.columnNameBytesMax;
  const fault = isLong ? `a column's name is too long: ${name}` : columnNameFault(name);
  if (fault !== null) throw new SluiceError("column_name_invalid", fault, { column: name });
}

function checkTimes(column: Column, range: TimeRange): asserts column is Int64Column {
  if (column.type !== "timestamp") {
    throw invalid(`the query's "time" is ${column.type} and not a time`, { found: column.type });
  }
  if (column.validity !== null) throw invalid(`the query gives a row whose "time" is NULL`, {});
  const { words, rowCount } = column;
  const from = timeWords(BigInt(range.fromMs) * 1_000n);
  const to = timeWords(BigInt(range.toMs) * 1_000n);
  for (let row = 0; row < rowCount; row++) {
    if (compareTimes(words, row, from, 0) >= 0 && compareTimes(words, row, to, 0) < 0) continue;
    const us = new BigInt64Array(words.slice(2 * row, 2 * row + 2).buffer)[0];
    const found = timeText(Number(us / 1_000n));
    const asked = `from ${timeText(range.fromMs)} up to ${timeText(range.toMs)}`;
    const advice = `"interval" must be the width of its buckets`;
    throw invalid(`asked for times ${asked}, the query gave ${found}; ${advice}`, { found });
  }
}

function invalid(message: string, detail: Record<string, string>): SluiceError {
  return new SluiceError("rollup_result_invalid", message, detail);
}
