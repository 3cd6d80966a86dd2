// Rows to the columnar form in which batches are stored, one builder per measurement.
//
// Whatever form rows come in, what is kept is the one form that scan and decoder know. `time` is
// written in microseconds and says so. Each row remembers the item or line that it came from, so
// that a refusal of the columns can name what the client sent.
//
// Next: lib/protocol/scan-batch.ts, by gather.ts.

import { LIMITS } from "#lib/base/limits.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { joinBytes } from "#lib/base/join-bytes.ts";
import { TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { type ByteBudget, CellWriter, textHeaderBytes, writeTextHeader } from "./cell-writer.ts";
import { TAG } from "./msgpack-tags.ts";

const UTF8 = new TextEncoder();

export class BatchBuilder {
  readonly measurement: string;
  /** In microseconds; always there. */
  readonly time: CellWriter;
  /** Per row the number of the item or line it came from. */
  readonly places: number[] = [];
  readonly #budget: ByteBudget;
  readonly #columns = new Map<string, CellWriter>();

  constructor(measurement: string, budget: ByteBudget) {
    this.measurement = measurement;
    this.#budget = budget;
    this.time = this.column(TIME_COLUMN);
  }

  get rowCount(): number {
    return this.places.length;
  }

  /** The column, ready for the cell of the row that is being written; made when it is new. */
  column(name: string): CellWriter {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = new CellWriter(name, this.#budget);
      this.#columns.set(name, column);
    }
    column.padTo(this.rowCount);
    return column;
  }

  /** Refuses (`batch_too_large`) what would make it a batch that no one takes. */
  checkRoom(names: Iterable<string>, rowCount: number): void {
    const { columnsPerBatchMax, rowsPerBatchMax } = LIMITS;
    let columnCount = this.#columns.size;
    for (const name of names) if (!this.#columns.has(name)) columnCount += 1;
    const what =
      columnCount > columnsPerBatchMax
        ? `more than ${columnsPerBatchMax} columns`
        : `more than ${rowsPerBatchMax} rows`;
    if (columnCount <= columnsPerBatchMax && this.rowCount + rowCount <= rowsPerBatchMax) return;
    const message = `measurement "${this.measurement}" would have ${what} in one request`;
    throw new SluiceError("batch_too_large", message, { measurement: this.measurement });
  }

  /** Ends rows whose cells are written; columns that they lack are NULL there. */
  endRows(place: number, count = 1): void {
    for (let left = count; left > 0; left--) this.places.push(place);
  }

  /** `{"m", "time_unit": "us", "columns"}`, not compressed. */
  finish(): Uint8Array<ArrayBuffer> {
    const columns = [...this.#columns.values()];
    for (const column of columns) column.padTo(this.rowCount);
    const head = [
      Uint8Array.of(TAG.fixmap | 3),
      encodeText("m"),
      encodeText(this.measurement),
      encodeText("time_unit"),
      encodeText("us"),
      encodeText("columns"),
      encodeLength(TAG.map32, columns.length),
    ];
    return joinBytes([
      ...head,
      ...columns.flatMap(({ name, cells }) => [
        encodeText(name),
        encodeLength(TAG.array32, this.rowCount),
        cells,
      ]),
    ]);
  }
}

function encodeText(text: string): Uint8Array {
  const content = UTF8.encode(text);
  const headerBytes = textHeaderBytes(content.length);
  const bytes = new Uint8Array(headerBytes + content.length);
  writeTextHeader(new DataView(bytes.buffer), 0, content.length);
  bytes.set(content, headerBytes);
  return bytes;
}

function encodeLength(tag: number, length: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = tag;
  new DataView(bytes.buffer).setUint32(1, length);
  return bytes;
}
