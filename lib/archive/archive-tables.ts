// The outbox of archived events: schema, row type and every SQL statement, and nothing else.
// The protocol that uses it: archive.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { NewEvent } from "#lib/events/types.ts";

/** Rows go when their event is in the stream; this table is what an erasure must leave. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS archived_event (
  event_no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  tags TEXT NOT NULL,
  value TEXT NOT NULL,
  time_ms INTEGER NOT NULL
);
`;

/** An event that has all its fields already, and so is the same at every attempt. */
export type OutboxEvent = NewEvent & { readonly id: string; readonly valueJson: string };

export interface WaitingEvent extends OutboxEvent {
  /** Grows in the order of the changes. */
  readonly eventNo: number;
}

interface EventRow {
  readonly eventNo: number;
  readonly id: string;
  readonly type: string;
  readonly tags: string;
  readonly value: string;
  readonly timeMs: number;
}

const COLUMNS = "event_no AS eventNo, id, type, tags, value, time_ms AS timeMs";

export type ArchiveTables = ReturnType<typeof openArchiveTables>;

/** Statements over `store`, which is made ready on the way. */
export function openArchiveTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    insert(event: Omit<OutboxEvent, "timeUs">, timeMs: number): void {
      const { id, type, tags, valueJson } = event;
      const sql =
        "INSERT INTO archived_event (id, type, tags, value, time_ms) VALUES (?, ?, ?, ?, ?)";
      store.exec(sql, id, type, JSON.stringify(tags), valueJson, timeMs);
    },
    /** The oldest; null: none waits. */
    first(): WaitingEvent | null {
      const sql = `SELECT ${COLUMNS} FROM archived_event ORDER BY event_no LIMIT 1`;
      const row = store.exec<EventRow>(sql)[0];
      return row === undefined ? null : toEvent(row);
    },
    remove(eventNo: number): void {
      store.exec("DELETE FROM archived_event WHERE event_no = ?", eventNo);
    },
    count(): number {
      return store.exec<{ n: number }>("SELECT count(*) AS n FROM archived_event")[0]!.n;
    },
  };
}

function toEvent({ eventNo, id, type, tags, value, timeMs }: EventRow): WaitingEvent {
  const timeUs = timeMs * 1_000;
  return { eventNo, id, type, tags: JSON.parse(tags) as string[], valueJson: value, timeUs };
}
