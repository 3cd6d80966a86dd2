// What a buffer takes no more: batches for a table that was dropped or renamed, anything for a
// database that was dropped.
//
// Who writes knows tables and databases by copies that are some seconds old, and may be stuck for
// longer. Rows that it sends under an old id would be acknowledged and then thrown away with the
// old table, or show up under a name that nobody wrote them to. So every shard learns of a drop or
// a rename first, durably, and only then does it happen (lib/catalog/table-changes.ts,
// lib/directory/database-drops.ts). What is refused here was not stored, and the writer asks anew.
//
// Ids are never used again, so what is refused once is refused for ever, and the rows that say so
// stay: one for each table that was ever dropped or renamed.

import { refusal, SluiceError, type Refusal } from "#lib/base/errors.ts";
import type { BufferTables, NamedTable } from "./buffer-tables.ts";
import type { EncodedBatch } from "./types.ts";

interface Known {
  readonly isClosed: boolean;
  readonly isEmpty: boolean;
  readonly names: ReadonlyMap<number, string | null>;
}

export class Gate {
  readonly #tables: BufferTables;
  /** Read when it is asked for, and forgotten with every change: each append needs it. */
  #known: Known | null = null;

  constructor(tables: BufferTables) {
    this.#tables = tables;
  }

  /** Inside the transaction that would store them. */
  refuse(batches: readonly EncodedBatch[]): Refusal | null {
    const closed = this.refuseWhenClosed();
    if (closed !== null) return closed;
    const { names } = this.#read();
    const stale = batches.find(({ tableId, measurement }) => {
      const name = names.get(tableId);
      return name !== undefined && name !== measurement;
    });
    if (stale === undefined) return null;
    const { measurement } = stale;
    const message = `table ${stale.tableId} is not measurement "${measurement}" any more`;
    const detail = { measurement, retry_after_s: 1 };
    return refusal(new SluiceError("schema_stale", message, detail));
  }

  refuseWhenClosed(): Refusal | null {
    return this.#read().isClosed ? refusal(droppedDatabase()) : null;
  }

  /** Throws `database_unknown` once what was here is gone. */
  demandContent(): void {
    if (this.#read().isEmpty) throw droppedDatabase();
  }

  isEmpty(): boolean {
    return this.#read().isEmpty;
  }

  /** The table's present name, as far as it was ever changed. null: dropped. */
  changedName(tableId: number): string | null | undefined {
    return this.#read().names.get(tableId);
  }

  /** Inside a transaction, as `close`. */
  nameTable(table: NamedTable, changeNo: number): void {
    this.#tables.nameTable(table, changeNo);
    this.#known = null;
  }

  close(isEmpty: boolean): void {
    this.#tables.close(isEmpty);
    this.#known = null;
  }

  #read(): Known {
    if (this.#known !== null) return this.#known;
    const closed = this.#tables.closed();
    const named = this.#tables.namedTables();
    this.#known = {
      isClosed: closed !== null,
      isEmpty: closed?.isEmpty === 1,
      names: new Map(named.map(({ tableId, measurement }) => [tableId, measurement])),
    };
    return this.#known;
  }
}

function droppedDatabase(): SluiceError {
  return new SluiceError("database_unknown", "the database was dropped");
}
