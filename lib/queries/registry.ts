// Which queries last longer than a moment, in all isolates together; one registry for the whole
// installation. Shell: durable-objects/query-registry.ts.
//
// The isolate that runs a query says so every second, and with the answer learns whether somebody
// wants the query's end. So the list is made anew when the registry was away, and a query whose
// isolate was lost drops off it. Ended queries are kept in a ring of bounded length.

import { refusal, type Refusal, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { EndedQuery, QueryStatus, QueryViewer } from "./types.ts";

interface Entry {
  status: QueryStatus;
  heardMs: number;
  isCancelled: boolean;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS ended_query (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  query_id TEXT NOT NULL UNIQUE,
  token_id INTEGER,
  database TEXT NOT NULL,
  sql TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  stage TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL
);
`;

const COLUMNS = `query_id AS queryId, token_id AS tokenId, database, sql, started_ms AS startedMs,
  stage, row_count AS rowCount, ended_ms AS endedMs, outcome`;

export class QueryRegistryCore {
  readonly #store: SqlStore;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor({ store, clock }: { readonly store: SqlStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    store.exec(SCHEMA);
  }

  report(status: QueryStatus): { isCancelled: boolean } {
    const isCancelled = this.#entries.get(status.queryId)?.isCancelled ?? false;
    this.#entries.set(status.queryId, { status, heardMs: this.#clock.nowMs(), isCancelled });
    return { isCancelled };
  }

  end(status: QueryStatus, outcome: string): void {
    this.#entries.delete(status.queryId);
    this.#store.exec(
      `INSERT OR IGNORE INTO ended_query (query_id, token_id, database, sql, started_ms, stage,
         row_count, ended_ms, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      status.queryId,
      status.tokenId,
      status.database,
      status.sql,
      status.startedMs,
      status.stage,
      status.rowCount,
      this.#clock.nowMs(),
      outcome,
    );
    this.#store.exec(
      `DELETE FROM ended_query
       WHERE sequence <= (SELECT max(sequence) FROM ended_query) - ?`,
      LIMITS.queriesKept,
    );
  }

  /** The oldest first. */
  listActive(viewer: QueryViewer): QueryStatus[] {
    this.#dropLost();
    const all = Array.from(this.#entries.values(), ({ status }) => status);
    return all.filter((one) => isSeen(one, viewer)).sort((a, b) => a.startedMs - b.startedMs);
  }

  /** The newest first. */
  listEnded(viewer: QueryViewer): EndedQuery[] {
    const sql = `SELECT ${COLUMNS} FROM ended_query ORDER BY sequence DESC`;
    return this.#store.exec<EndedQuery>(sql).filter((one) => isSeen(one, viewer));
  }

  find(queryId: string, viewer: QueryViewer): { query: QueryStatus | EndedQuery } | Refusal {
    this.#dropLost();
    const sql = `SELECT ${COLUMNS} FROM ended_query WHERE query_id = ?`;
    const [ended] = this.#store.exec<EndedQuery>(sql, queryId);
    const query = this.#entries.get(queryId)?.status ?? ended;
    return query !== undefined && isSeen(query, viewer) ? { query } : unknown(queryId);
  }

  /** Its isolate learns of it within a second. */
  cancel(queryId: string, viewer: QueryViewer): Refusal | null {
    this.#dropLost();
    const entry = this.#entries.get(queryId);
    if (entry === undefined || !isSeen(entry.status, viewer)) return unknown(queryId);
    entry.isCancelled = true;
    return null;
  }

  #dropLost(): void {
    const sinceMs = this.#clock.nowMs() - LIMITS.queryLostAfterMs;
    for (const { heardMs, status } of this.#entries.values()) {
      if (heardMs < sinceMs) this.end(status, "lost");
    }
  }
}

function isSeen({ tokenId }: QueryStatus, viewer: QueryViewer): boolean {
  return viewer.isAdmin || tokenId === viewer.tokenId;
}

/** The same for one that is somebody else's, so that ids cannot be tried. */
function unknown(queryId: string): Refusal {
  const message = `no query "${queryId.slice(0, 64)}" runs; short ones are not listed`;
  return refusal(new SluiceError("query_unknown", message));
}
