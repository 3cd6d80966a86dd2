// Records between being recorded and being durable: in order, and never more than so many bytes.
//
// A record counts until its write has ended, not until it was handed over: a server that is slow
// must not let memory grow behind its back.

import type { Row, TableName } from "./tables.ts";

export interface Batch {
  readonly table: TableName;
  readonly rows: readonly Row[];
  readonly bytes: number;
}

/** Of one write: fewer round trips for a backlog, and SQLite holds nobody up for long. */
const BATCH_ROWS_MAX = 5_000;

export class Pending {
  readonly #bytesMax: number;
  #waiting = new Map<TableName, Row[]>();
  #waitingRows = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Nothing waits and nothing is being written. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Rows that no write has taken yet. */
  get waitingRows(): number {
    return this.#waitingRows;
  }

  /** False when there is no room: nothing was added. */
  add(table: TableName, row: Row): boolean {
    const bytes = bytesOf(row);
    if (this.#bytes + bytes > this.#bytesMax) return false;
    const rows = this.#waiting.get(table) ?? [];
    this.#waiting.set(table, rows);
    rows.push(row);
    this.#waitingRows += 1;
    this.#bytes += bytes;
    return true;
  }

  /** All that waits, in batches of one table each. Each is to be released when its write ends. */
  take(): Batch[] {
    const batches = [...this.#waiting].flatMap(([table, rows]) => cut(table, rows));
    this.#waiting = new Map();
    this.#waitingRows = 0;
    return batches;
  }

  release(batch: Batch): void {
    this.#bytes -= batch.bytes;
  }
}

function cut(table: TableName, rows: readonly Row[]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < rows.length; from += BATCH_ROWS_MAX) {
    const some = rows.slice(from, from + BATCH_ROWS_MAX);
    batches.push({ table, rows: some, bytes: some.reduce((sum, row) => sum + bytesOf(row), 0) });
  }
  return batches;
}

/** An estimate: texts at two bytes a character, as an engine may hold them, and the object. */
function bytesOf(row: Row): number {
  let bytes = OBJECT_BYTES;
  for (const value of Object.values(row)) bytes += typeof value === "string" ? value.length * 2 : 8;
  return bytes;
}

const OBJECT_BYTES = 128;
