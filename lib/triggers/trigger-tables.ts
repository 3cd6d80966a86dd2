// The tables of triggers: schema, row type and every SQL statement, and nothing else.
// The protocol that uses them: triggers.ts, delivery.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { Home, Trigger, TriggerBatch, TriggerFields } from "./types.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS trigger_home (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id INTEGER NOT NULL,
  name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS event_trigger (
  trigger_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  tags TEXT NOT NULL,
  type TEXT,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  is_enabled INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  cursor_seq INTEGER NOT NULL,
  batch_id TEXT,
  batch_end_seq INTEGER,
  failure_count INTEGER NOT NULL DEFAULT 0,
  failing_since_ms INTEGER,
  next_attempt_ms INTEGER,
  delivered_count INTEGER NOT NULL DEFAULT 0,
  last_delivery_ms INTEGER,
  last_attempt_ms INTEGER,
  last_status INTEGER,
  last_error TEXT,
  disabled_reason TEXT
);
`;

interface TriggerRow extends Omit<Trigger, "tags" | "isEnabled"> {
  readonly tags: string;
  readonly isEnabled: number;
}

export interface Failure {
  readonly nowMs: number;
  readonly nextAttemptMs: number;
  readonly status: number | null;
  readonly error: string;
}

const COLUMNS = `trigger_id AS triggerId, name, tags, type, url, is_enabled AS isEnabled,
  created_ms AS createdMs, updated_ms AS updatedMs, cursor_seq AS cursorSeq,
  failure_count AS failureCount, failing_since_ms AS failingSinceMs,
  next_attempt_ms AS nextAttemptMs, delivered_count AS deliveredCount,
  last_delivery_ms AS lastDeliveryMs, last_attempt_ms AS lastAttemptMs,
  last_status AS lastStatus, last_error AS lastError, disabled_reason AS disabledReason`;

export type TriggerTables = ReturnType<typeof openTriggerTables>;

/** Statements over `store`, which is made ready on the way. */
export function openTriggerTables(store: SqlStore) {
  store.exec(SCHEMA);
  return { ...homeTable(store), ...triggerTable(store), ...deliveries(store) };
}

function homeTable(store: SqlStore) {
  return {
    noteHome({ databaseId, name }: Home): void {
      store.exec("INSERT OR REPLACE INTO trigger_home VALUES (1, ?, ?)", databaseId, name);
    },
    /** null: there was never a trigger. */
    home(): Home | null {
      const sql = "SELECT database_id AS databaseId, name FROM trigger_home";
      return store.exec<Home>(sql)[0] ?? null;
    },
  };
}

function triggerTable(store: SqlStore) {
  return {
    triggers(): Trigger[] {
      const sql = `SELECT ${COLUMNS} FROM event_trigger ORDER BY trigger_id`;
      return store.exec<TriggerRow>(sql).map(toTrigger);
    },
    trigger(triggerId: number): Trigger | null {
      const sql = `SELECT ${COLUMNS} FROM event_trigger WHERE trigger_id = ?`;
      const row = store.exec<TriggerRow>(sql, triggerId)[0];
      return row === undefined ? null : toTrigger(row);
    },
    triggerIdOf(name: string): number | null {
      const sql = "SELECT trigger_id AS triggerId FROM event_trigger WHERE name = ?";
      return store.exec<{ triggerId: number }>(sql, name)[0]?.triggerId ?? null;
    },
    secretOf(triggerId: number): string {
      const sql = "SELECT secret FROM event_trigger WHERE trigger_id = ?";
      return store.exec<{ secret: string }>(sql, triggerId)[0]!.secret;
    },
    insert(fields: TriggerFields, secret: string, cursorSeq: number, nowMs: number): number {
      const { name, tags, type, url, isEnabled } = fields;
      const sql = `INSERT INTO event_trigger (name, tags, type, url, is_enabled, secret,
          created_ms, updated_ms, cursor_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        RETURNING trigger_id AS triggerId`;
      const described = [name, JSON.stringify(tags), type, url, isEnabled ? 1 : 0] as const;
      const values = [...described, secret, nowMs, nowMs, cursorSeq] as const;
      return store.exec<{ triggerId: number }>(sql, ...values)[0]!.triggerId;
    },
    /** It begins anew with what it has not delivered, and with a clean slate. */
    update(triggerId: number, fields: TriggerFields, secret: string, nowMs: number): void {
      const { name, tags, type, url, isEnabled } = fields;
      const sql = `UPDATE event_trigger SET name = ?, tags = ?, type = ?, url = ?, is_enabled = ?,
          secret = ?, updated_ms = ?, batch_id = NULL, batch_end_seq = NULL, failure_count = 0,
          failing_since_ms = NULL, next_attempt_ms = NULL, disabled_reason = NULL
        WHERE trigger_id = ?`;
      const described = [name, JSON.stringify(tags), type, url, isEnabled ? 1 : 0] as const;
      store.exec(sql, ...described, secret, nowMs, triggerId);
    },
    remove(triggerId: number): void {
      store.exec("DELETE FROM event_trigger WHERE trigger_id = ?", triggerId);
    },
  };
}

function deliveries(store: SqlStore) {
  return {
    /** What is being sent; null: nothing. */
    batch(triggerId: number): TriggerBatch | null {
      const sql = `SELECT batch_id AS batchId, batch_end_seq AS endSeq FROM event_trigger
        WHERE trigger_id = ? AND batch_id IS NOT NULL`;
      return store.exec<TriggerBatch>(sql, triggerId)[0] ?? null;
    },
    /** It begins right after `cursorSeq`. */
    beginBatch(triggerId: number, cursorSeq: number, { batchId, endSeq }: TriggerBatch): void {
      const sql = `UPDATE event_trigger SET cursor_seq = ?, batch_id = ?, batch_end_seq = ?
        WHERE trigger_id = ?`;
      store.exec(sql, cursorSeq, batchId, endSeq, triggerId);
    },
    /** Nothing is being sent. */
    moveCursor(triggerId: number, cursorSeq: number): void {
      const sql = `UPDATE event_trigger SET cursor_seq = ?, batch_id = NULL, batch_end_seq = NULL
        WHERE trigger_id = ?`;
      store.exec(sql, cursorSeq, triggerId);
    },
    noteDelivered(triggerId: number, eventCount: number, status: number, nowMs: number): void {
      const sql = `UPDATE event_trigger SET cursor_seq = batch_end_seq, batch_id = NULL,
          batch_end_seq = NULL, failure_count = 0, failing_since_ms = NULL,
          next_attempt_ms = NULL, delivered_count = delivered_count + ?1, last_delivery_ms = ?2,
          last_attempt_ms = ?2, last_status = ?3
        WHERE trigger_id = ?4`;
      store.exec(sql, eventCount, nowMs, status, triggerId);
    },
    noteFailed(triggerId: number, { nowMs, nextAttemptMs, status, error }: Failure): void {
      const sql = `UPDATE event_trigger SET failure_count = failure_count + 1,
          failing_since_ms = coalesce(failing_since_ms, ?1), next_attempt_ms = ?2,
          last_attempt_ms = ?1, last_status = ?3, last_error = ?4
        WHERE trigger_id = ?5`;
      store.exec(sql, nowMs, nextAttemptMs, status, error, triggerId);
    },
    /** Not the receiver's fault, so it does not count. */
    noteTrouble(triggerId: number, nextAttemptMs: number, error: string): void {
      const sql = `UPDATE event_trigger SET next_attempt_ms = ?, last_error = ?
        WHERE trigger_id = ?`;
      store.exec(sql, nextAttemptMs, error, triggerId);
    },
    disable(triggerId: number, reason: string, nowMs: number): void {
      const sql = `UPDATE event_trigger SET is_enabled = 0, disabled_reason = ?, updated_ms = ?,
          next_attempt_ms = NULL WHERE trigger_id = ?`;
      store.exec(sql, reason, nowMs, triggerId);
    },
  };
}

function toTrigger(row: TriggerRow): Trigger {
  return { ...row, tags: JSON.parse(row.tags) as string[], isEnabled: row.isEnabled === 1 };
}
