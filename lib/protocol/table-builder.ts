// Step 7 of a batch's life: stored bytes to typed columns, many batches into one table.
//
// The columns have the types that the table has now, whatever a batch's values looked like when it
// came: an int64 that has since widened is read as float64, a column that a batch lacks is NULL in
// its rows, one that nobody asked for is skipped. Values go from the body straight into typed
// arrays; see read-cells.ts.
//
// scan-batch.ts let these bytes in, so that anything wrong with them now is damage to what we
// stored (`segment_corrupt`). A builder that threw is of no further use.
// Next: lib/columnar/sort.ts.

import { assert } from "#lib/base/assert.ts";
import { ERRORS, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { appendNulls, type BoolBuilder, type ColumnBuilder } from "#lib/columnar/column-builder.ts";
import type { Float64Builder, Int64Builder } from "#lib/columnar/column-builder.ts";
import { type ColumnToBuild, newColumnBuilder } from "#lib/columnar/column-builder.ts";
import { ROWS_INITIAL } from "#lib/columnar/growth.ts";
import { KIND, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { newTextSlices, type TextSlices } from "#lib/columnar/utf8.ts";
import type { Utf8Builder } from "#lib/columnar/utf8-builder.ts";
import { readCellAsText } from "./cell-text.ts";
import { MessagePackReader } from "./msgpack-reader.ts";
import { KIND_OF_TAG, nameOfTag, TAG } from "./msgpack-tags.ts";
import { readBooleans, readIntegers, readNumbers, readTexts } from "./read-cells.ts";
import { type RawTimes, readTimes, resolveTimes, scaleTimes } from "./time-column.ts";
import type { TimeUnit } from "./time-column.ts";
import { readTimestamp, writeWords } from "./timestamps.ts";
import { walkBatch } from "./walk-batch.ts";

/** Texts appended in one go: their places stay in the processor's first cache. */
const TEXT_RUN_ROWS = 1024;

export class TableBuilder {
  readonly #columns: ReadonlyMap<string, ColumnBuilder>;
  readonly #slices = newTextSlices(TEXT_RUN_ROWS);
  #rowCount = 0;

  /** `rowCapacity`: rows to make room for at once; more may come. */
  constructor(columns: readonly ColumnToBuild[], rowCapacity = ROWS_INITIAL) {
    this.#columns = new Map(
      columns.map((column) => [column.name, newColumnBuilder(column, rowCapacity)] as const),
    );
    const time = this.#columns.get(TIME_COLUMN);
    assert(time === undefined || time.type === "timestamp", "time is a timestamp");
  }

  /**
   * `bytes`: one batch, uncompressed; nothing of it is kept.
   * `receivedUs`: the time of its rows where it has no `time` column, an integer within ±2^53.
   */
  append(bytes: Uint8Array, receivedUs: number): void {
    const reader = new MessagePackReader(bytes);
    try {
      this.#appendBatch(reader, receivedUs);
    } catch (error) {
      if (!isSluiceError(error) || ERRORS[error.code].kind !== "invalid") throw error;
      const options = { cause: error };
      const message = `a stored batch cannot be decoded: ${error.message}`;
      throw new SluiceError("segment_corrupt", message, error.detail, options);
    }
  }

  /** The table; its arrays are the builder's own, which takes no more batches. */
  finish(): ColumnTable {
    const columns = [...this.#columns.values()].map((column) => column.finish());
    return { rowCount: this.#rowCount, columns };
  }

  #appendBatch(reader: MessagePackReader, receivedUs: number): void {
    let times = null as RawTimes | null;
    const { rowCount, timeUnit } = walkBatch(reader, (name, rowCount) => {
      const column = this.#columns.get(name);
      if (column === undefined) {
        reader.skip(rowCount);
      } else if (name === TIME_COLUMN) {
        times = appendRawTimes(reader, column as Int64Builder, rowCount);
      } else {
        appendColumn(reader, column, this.#slices, rowCount);
      }
    });
    this.#rowCount += rowCount;
    const timeColumn = this.#columns.get(TIME_COLUMN) as Int64Builder | undefined;
    if (timeColumn !== undefined) {
      if (times === null) appendSameTime(timeColumn, receivedUs, rowCount);
      else scaleLastTimes(reader, timeColumn, times, timeUnit, rowCount);
    }
    for (const column of this.#columns.values()) {
      if (column.rowCount < this.#rowCount) appendNulls(column, rowCount);
    }
  }
}

/** Times as they stand: their unit may be declared behind them. */
function appendRawTimes(
  reader: MessagePackReader,
  column: Int64Builder,
  rowCount: number,
): RawTimes {
  column.reserve(rowCount);
  const times = readTimes(reader, column.words, column.rowCount, rowCount);
  column.rowCount += rowCount;
  return times;
}

function scaleLastTimes(
  reader: MessagePackReader,
  column: Int64Builder,
  times: RawTimes,
  declared: TimeUnit | null,
  rowCount: number,
): void {
  const { unit } = resolveTimes(reader, times, declared);
  scaleTimes(times.form, unit, column.words, column.rowCount - rowCount, rowCount);
}

function appendSameTime(column: Int64Builder, us: number, rowCount: number): void {
  column.reserve(rowCount);
  for (let left = rowCount; left > 0; left--) {
    writeWords(column.words, 2 * column.rowCount, us);
    column.rowCount += 1;
  }
}

function appendColumn(
  reader: MessagePackReader,
  column: ColumnBuilder,
  slices: TextSlices,
  rowCount: number,
): void {
  if (column.type === "utf8") return appendTexts(reader, column, slices, rowCount);
  column.reserve(rowCount);
  const row = readColumn(reader, column, rowCount);
  if (row < rowCount) {
    reader.row = row;
    const found = nameOfTag(reader.tag());
    throw reader.refuse("column_type_conflict", `cannot read ${found} as ${column.type}`);
  }
  column.rowCount += rowCount;
}

/** Returns the first row that the column's type has no room for, or `rowCount`. */
function readColumn(
  reader: MessagePackReader,
  column: Int64Builder | Float64Builder | BoolBuilder,
  rowCount: number,
): number {
  const { validity, rowCount: base } = column;
  switch (column.type) {
    case "int64":
      return readIntegers(reader, column.words, validity, base, 0, rowCount);
    case "timestamp":
      return readTimestamps(reader, column, rowCount);
    case "float64":
      return readNumbers(reader, column.values, validity, base, 0, rowCount);
    case "bool":
      return readBooleans(reader, column.values, validity, base, rowCount);
  }
}

function readTimestamps(reader: MessagePackReader, column: Int64Builder, rowCount: number): number {
  for (let row = 0; row < rowCount; row++) {
    reader.row = row;
    const tag = reader.tag();
    const at = column.rowCount + row;
    if (tag === TAG.nil) {
      reader.take(1);
      column.validity.markNull(at);
    } else if (KIND_OF_TAG[tag] === KIND.timestamp) {
      readTimestamp(reader, column.words, 2 * at);
    } else {
      return row;
    }
  }
  return rowCount;
}

/** Texts run by run; whatever stands between them, one by one, as text. */
function appendTexts(
  reader: MessagePackReader,
  column: Utf8Builder,
  slices: TextSlices,
  rowCount: number,
): void {
  let row = 0;
  while (row < rowCount) {
    const stopRow = readTexts(reader, slices, row, rowCount);
    reader.row = row;
    if (stopRow > row) {
      column.appendSlices(reader.bytes, reader.view, slices, stopRow - row);
      row = stopRow;
    } else if (KIND_OF_TAG[reader.tag()] === KIND.text) {
      throw reader.truncated();
    } else {
      column.appendText(readCellAsText(reader));
      row += 1;
    }
  }
}
