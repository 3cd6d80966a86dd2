// When the next run of each task is due: the one scheduler of a database.
//
// Tasks are rows, so that they outlive the process; the object's one alarm is set to the earliest.
// A task that fails is run again at its next time, and its error is told.

import type { SqlStore } from "#lib/base/ports.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS task (
  name TEXT PRIMARY KEY,
  next_ms INTEGER,
  last_ms INTEGER,
  last_error TEXT
) WITHOUT ROWID;
`;

export interface TaskRun {
  /** `garbage`, `compaction`, or a kind and an id: `retention:1`, `rollup:1`. */
  readonly name: string;
  /** null: not planned, until something happens. */
  readonly nextMs: number | null;
  readonly lastMs: number | null;
  readonly lastError: string | null;
}

export class Schedule {
  readonly #store: SqlStore;

  constructor(store: SqlStore) {
    this.#store = store;
    store.exec(SCHEMA);
  }

  set(name: string, nextMs: number | null): void {
    const sql = `INSERT INTO task (name, next_ms) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET next_ms = excluded.next_ms`;
    this.#store.exec(sql, name, nextMs);
  }

  /** At `nextMs`, or when it is planned already, whichever is earlier. */
  setBy(name: string, nextMs: number): void {
    const sql = `INSERT INTO task (name, next_ms) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET next_ms = min(coalesce(next_ms, excluded.next_ms),
        excluded.next_ms)`;
    this.#store.exec(sql, name, nextMs);
  }

  /** After a run; what was forgotten meanwhile stays so. */
  planAgain(name: string, nextMs: number | null): void {
    this.#store.exec("UPDATE task SET next_ms = ? WHERE name = ?", nextMs, name);
  }

  forget(name: string): void {
    this.#store.exec("DELETE FROM task WHERE name = ?", name);
  }

  noteRun(name: string, nowMs: number, error: string | null): void {
    const sql = "UPDATE task SET last_ms = ?, last_error = ? WHERE name = ?";
    this.#store.exec(sql, nowMs, error, name);
  }

  due(nowMs: number): TaskRun[] {
    return this.tasks().filter(({ nextMs }) => nextMs !== null && nextMs <= nowMs);
  }

  nextMs(): number | null {
    return this.#store.exec<{ ms: number | null }>("SELECT min(next_ms) AS ms FROM task")[0]!.ms;
  }

  /** By time, what is not planned last. */
  tasks(): TaskRun[] {
    const sql = `SELECT name, next_ms AS nextMs, last_ms AS lastMs, last_error AS lastError
      FROM task ORDER BY next_ms IS NULL, next_ms, name`;
    return this.#store.exec<TaskRun>(sql);
  }
}
