// Measurements whose rows are made from those of others and are replaced whenever those change:
// what a client wrote among them would vanish, so clients may not.

import { SluiceError } from "#lib/base/errors.ts";
import type { SqlStore } from "#lib/base/ports.ts";

/** `rollup_id` is NULL when the rollup is gone and no client has written since. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS derived (
  table_id INTEGER PRIMARY KEY,
  rollup_id INTEGER
);
`;

export class Derived {
  readonly #store: SqlStore;

  constructor(store: SqlStore) {
    this.#store = store;
    store.exec(SCHEMA);
  }

  /** All rows of the table are a rollup's, or will be. */
  has(tableId: number): boolean {
    return this.#store.exec("SELECT 1 FROM derived WHERE table_id = ?", tableId).length > 0;
  }

  claim(tableId: number, rollupId: number): void {
    this.#store.exec("INSERT OR REPLACE INTO derived VALUES (?, ?)", tableId, rollupId);
  }

  release(rollupId: number): void {
    this.#store.exec("UPDATE derived SET rollup_id = NULL WHERE rollup_id = ?", rollupId);
  }

  /** A client is about to write. Throws `measurement_is_derived` as long as there is the rollup. */
  admitClient(tableId: number, measurement: string): void {
    const sql = "SELECT rollup_id AS rollupId FROM derived WHERE table_id = ?";
    const row = this.#store.exec<{ rollupId: number | null }>(sql, tableId)[0];
    if (row === undefined) return;
    if (row.rollupId !== null) {
      const message = `measurement "${measurement}" is made by a rollup; its rows cannot be written`;
      throw new SluiceError("measurement_is_derived", message, { measurement });
    }
    this.#store.exec("DELETE FROM derived WHERE table_id = ?", tableId);
  }
}
