// A Parquet file, row group by row group as the rows come: what is held is one row group.
//
// It is the file that a flush writes (lib/parquet/write-file.ts), but for its order. Rows that are
// missing could be told of in its footer only, where nobody looks: more than an answer may have are
// refused, as in CSV and Arrow. A file that is broken off has no footer, and no reader takes it.

import { Buffer } from "node:buffer";
import { LIMITS } from "#lib/base/limits.ts";
import type { ColumnBuilder } from "#lib/columnar/column-builder.ts";
import { ParquetWriter } from "#lib/parquet/write-file.ts";
import type { ArrowBatch, ArrowColumn, ArrowField } from "#lib/sql/arrow-stream.ts";
import { appendCells, newResultBuilder, parquetType } from "./parquet-columns.ts";
import { type AnswerEnd, distinctNames, NO_BYTES, refuseTruncated } from "./writer.ts";
import type { ResultWriter } from "./writer.ts";

export class ParquetResult implements ResultWriter {
  readonly contentType = "application/vnd.apache.parquet";
  readonly fileName = "result.parquet";
  #fields: readonly ArrowField[] = [];
  #names: readonly string[] = [];
  #writer!: ParquetWriter;
  /** Of the row group in progress. */
  #builders: ColumnBuilder[] = [];
  #heldRows = 0;
  #heldBytes = 0;
  #written: Uint8Array[] = [];

  begin(fields: readonly ArrowField[]): Uint8Array {
    this.#fields = fields;
    this.#names = distinctNames(fields);
    const columns = fields.map((field, i) => {
      return { name: this.#names[i]!, type: parquetType(field) };
    });
    const options = { keyValues: {}, isSortedByTime: false };
    this.#writer = new ParquetWriter(columns, options, (part) => this.#written.push(part));
    return NO_BYTES;
  }

  rows(batch: ArrowBatch): Uint8Array {
    const bytesPerRow = byteLengthOf(batch.columns) / batch.rowCount;
    for (let from = 0; from < batch.rowCount;) {
      if (this.#heldRows === 0) this.#beginRowGroup();
      const to = Math.min(batch.rowCount, from + LIMITS.rowGroupRows - this.#heldRows);
      for (const [i, column] of batch.columns.entries()) {
        appendCells(this.#builders[i]!, column, from, to);
      }
      this.#heldRows += to - from;
      this.#heldBytes += bytesPerRow * (to - from);
      from = to;
      const { rowGroupRows, resultRowGroupBytes } = LIMITS;
      if (this.#heldRows === rowGroupRows || this.#heldBytes >= resultRowGroupBytes) {
        this.#endRowGroup();
      }
    }
    return this.#takeWritten();
  }

  end(end: AnswerEnd): Uint8Array {
    refuseTruncated(end);
    if (this.#heldRows > 0) this.#endRowGroup();
    this.#writer.finish();
    return this.#takeWritten();
  }

  #beginRowGroup(): void {
    this.#builders = this.#fields.map((field, i) => newResultBuilder(field, this.#names[i]!));
  }

  #endRowGroup(): void {
    const rowCount = this.#heldRows;
    const columns = this.#builders.map((builder) => builder.finish());
    this.#writer.writeRowGroup({ rowCount, columns }, 0, rowCount);
    this.#builders = [];
    this.#heldRows = 0;
    this.#heldBytes = 0;
  }

  #takeWritten(): Uint8Array {
    const parts = this.#written;
    this.#written = [];
    return parts.length < 2 ? (parts[0] ?? NO_BYTES) : Buffer.concat(parts);
  }
}

function byteLengthOf(columns: readonly ArrowColumn[]): number {
  let byteLength = 0;
  for (const { buffers, children } of columns) {
    for (const buffer of buffers) byteLength += buffer.byteLength;
    byteLength += byteLengthOf(children);
  }
  return byteLength;
}
