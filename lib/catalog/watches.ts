// Who watches a table, and at which event times its rows have changed since that one has looked.
//
// Every version that changes rows notes their times for each watcher, in the transaction that
// changes them. A watcher that has dealt with a stretch of time forgets it up to the version that
// it knew of beforehand: what came meanwhile stays. All calls are parts of the caller's
// transaction.

import type { SqlStore } from "#lib/base/ports.ts";
import { type CatalogTables, openCatalogTables } from "./catalog-tables.ts";
import type { TimeSpanMs } from "./types.ts";

export class Watches {
  readonly #tables: CatalogTables;

  /** Over the store of a catalog. */
  constructor(store: SqlStore) {
    this.#tables = openCatalogTables(store);
  }

  /** From here on; what the table has already is not told. */
  watch(watcherId: number, tableId: number): void {
    this.#tables.watch(watcherId, tableId);
  }

  /** Forgets what the watcher has not dealt with, too. */
  unwatch(watcherId: number): void {
    this.#tables.unwatch(watcherId);
  }

  /** As if the rows of these times had changed just now: in a version of its own. */
  mark(watcherId: number, spans: readonly TimeSpanMs[]): void {
    const version = this.#tables.nextVersion();
    for (const span of spans) this.#tables.noteChangeFor(watcherId, version, span);
  }

  /** Those of versions up to `versionMax`, in order of time. */
  changes(watcherId: number, versionMax: number): TimeSpanMs[] {
    return this.#tables.changedRanges(watcherId).filter(({ version }) => version <= versionMax);
  }

  /** `spans` are all that is left of the changes of versions up to `versionMax`. */
  settle(watcherId: number, versionMax: number, spans: readonly TimeSpanMs[]): void {
    this.#tables.forgetChanges(watcherId, versionMax);
    for (const span of spans) this.#tables.noteChangeFor(watcherId, versionMax, span);
  }
}
