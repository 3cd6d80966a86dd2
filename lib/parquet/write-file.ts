// Rows to one Parquet file: what a segment's rows become on object storage.
//
// Written here and not by a library because it is the hot path of a flush: columns go from the
// decoder's typed arrays into pages without a JavaScript value per cell, three times as fast as the
// next best and in a fifth of its memory. The file is made for pruning: sorted by time, statistics
// and page index on every chunk, Bloom filters on ids. The same rows give the same bytes, always,
// as a file's name on object storage holds the hash of its content and a repeated flush must find
// its own file there.
//
// The answer of a query is written by the same code, with its columns and rows in any order: then
// no column is required, and nothing is said of an order.
//
// Layout: row groups, each followed by its Bloom filters; page index; footer.
// Next: lib/catalog/catalog.ts, where the file is committed.

import { assert } from "#lib/base/assert.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { isInOrder, timeColumn } from "#lib/columnar/sort.ts";
import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import type { ColumnTable, ColumnType } from "#lib/columnar/types.ts";

import { arrowSchema } from "./arrow-schema.ts";
import { writeColumnChunk, type ColumnChunk } from "./column-chunk.ts";
import { DictionaryBuilder } from "./dictionary.ts";
import { FileOutput, type FileRange } from "./file-output.ts";
import { footerBytes, type ChunkEntry } from "./footer.ts";
import { MAGIC, parquetColumn, type ParquetColumn } from "./format.ts";
import { columnIndexBytes, offsetIndexBytes } from "./page-index.ts";
import { PageWriter } from "./page-writer.ts";
import { boundStatistic, mergeStatistics, NO_VALUES, type ValueStatistics } from "./statistics.ts";

/** Raised with every change that gives other bytes for the same rows. */
export const ENCODER_VERSION = "1.1.0";

export interface WriteOptions {
  /** Texts for the footer: where the file comes from. */
  readonly keyValues: Readonly<Record<string, string>>;
  /** False: rows in any order; `time` is a column like any other, or is not there. */
  readonly isSortedByTime?: boolean;
}

export interface FileSummary {
  readonly byteLength: number;
  /** Footer with its 8-byte tail: the last bytes of the file. */
  readonly footerByteLength: number;
  readonly rowCount: number;
  /** In the order of the columns. */
  readonly columns: readonly ColumnStatistics[];
}

export interface ParquetFile extends FileSummary {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Rows `[from, to)` of a table sorted by time, as one file in memory. */
export function writeParquet(
  table: ColumnTable,
  from: number,
  to: number,
  options: WriteOptions,
): ParquetFile {
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(table.columns, options, (part) => parts.push(part));
  for (let start = from; start < to; start += LIMITS.rowGroupRows) {
    writer.writeRowGroup(table, start, Math.min(to, start + LIMITS.rowGroupRows));
  }
  const summary = writer.finish();

  const bytes = new Uint8Array(summary.byteLength);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { ...summary, bytes };
}

/** Writes row group by row group; holds one row group and what the footer needs. */
export class ParquetWriter {
  readonly #columns: readonly ParquetColumn[];
  readonly #keyValues: Readonly<Record<string, string>>;
  readonly #isSortedByTime: boolean;
  readonly #output: FileOutput;
  readonly #pages: PageWriter;
  readonly #dictionaries = new DictionaryBuilder();
  readonly #rowGroups: RowGroup[] = [];

  /** Parts of the file go to `sink` in order; it may keep them. */
  constructor(
    columns: readonly { readonly name: string; readonly type: ColumnType }[],
    { keyValues, isSortedByTime = true }: WriteOptions,
    sink: (bytes: Uint8Array) => void,
  ) {
    this.#columns = columns.map((column) => parquetColumn(column, isSortedByTime));
    this.#keyValues = keyValues;
    this.#isSortedByTime = isSortedByTime;
    this.#output = new FileOutput(sink);
    this.#pages = new PageWriter(this.#output);
    this.#output.append(MAGIC);
  }

  /**
   * Rows `[from, to)`, at least one, in the order that was promised. The table has the writer's
   * columns, in order, and at least one.
   */
  writeRowGroup(table: ColumnTable, from: number, to: number): void {
    assert(from < to, "a row group has rows");
    assert(
      !this.#isSortedByTime || isInOrder(timeColumn(table).words, from, to),
      "a row group's rows are sorted by time",
    );
    assert(this.#hasColumns(table), "all row groups have the file's columns");

    const written = table.columns.map((column, i) => {
      const { isRequired } = this.#columns[i];
      return writeColumnChunk(column, isRequired, from, to, this.#pages, this.#dictionaries);
    });
    this.#rowGroups.push(
      written.map(({ chunk, bloomFilter }) => ({
        chunk,
        bloomFilter: bloomFilter && this.#output.append(bloomFilter),
      })),
    );
    this.#output.send();
  }

  /** Writes page index and footer. Nothing may be written after it. */
  finish(): FileSummary {
    const footer = footerBytes({
      columns: this.#columns,
      rowGroups: this.#appendPageIndex(),
      keyValues: { "ARROW:schema": arrowSchema(this.#columns), ...this.#keyValues },
      createdBy: `sluice version ${ENCODER_VERSION}`,
    });
    const footerStart = this.#output.append(footer).offset;
    this.#output.append(new Uint8Array(Uint32Array.of(footer.length).buffer));
    this.#output.append(MAGIC);
    this.#output.send();

    return {
      byteLength: this.#output.offset,
      footerByteLength: this.#output.offset - footerStart,
      rowCount: this.#rowGroups.reduce((sum, [first]) => sum + first.chunk.rowCount, 0),
      columns: this.#columns.map((column, i) => summaryOf(column, this.#statistics(i))),
    };
  }

  #hasColumns({ columns }: ColumnTable): boolean {
    return (
      columns.length === this.#columns.length &&
      columns.every(
        ({ name, type }, i) => name === this.#columns[i].name && type === this.#columns[i].type,
      )
    );
  }

  /** First the bounds of all pages, then where they lie: readers often want only one of the two. */
  #appendPageIndex(): ChunkEntry[][] {
    const columnIndexes = this.#rowGroups.map((chunks) =>
      chunks.map(({ chunk }) => {
        const bytes = columnIndexBytes(chunk);
        return bytes && this.#output.append(bytes);
      }),
    );
    return this.#rowGroups.map((chunks, group) =>
      chunks.map((entry, i) => ({
        ...entry,
        columnIndex: columnIndexes[group][i],
        offsetIndex: this.#output.append(offsetIndexBytes(entry.chunk)),
      })),
    );
  }

  #statistics(column: number): ValueStatistics {
    return this.#rowGroups
      .map((chunks) => chunks[column].chunk.statistics)
      .reduce(mergeStatistics, NO_VALUES);
  }
}

type RowGroup = { readonly chunk: ColumnChunk; readonly bloomFilter: FileRange | null }[];

function summaryOf(
  { name, type }: ParquetColumn,
  { nullCount, bounds }: ValueStatistics,
): ColumnStatistics {
  return {
    name,
    type,
    nullCount,
    min: bounds && boundStatistic(type, bounds.min),
    max: bounds && boundStatistic(type, bounds.max),
  };
}
