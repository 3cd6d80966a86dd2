// Dropping a database, so that its name is free at once and no acknowledged row is lost.
//
// Who writes knows the database's id by a copy that is some seconds old. So first every shard of
// its buffer is told to take nothing more, then the name is freed, in one transaction: up to it the
// database is read as it was, after it there is none, or a new one. What is left is cleared away
// behind the scenes: buffers and catalog are emptied but for the sign that they are no more, and
// the objects go after the grace period, so that queries that began before may end. A second look a
// day later takes what writers in flight have put meanwhile.
//
// Each step is a row here until it is done, and may be done again; the object's alarm goes on from
// it after a crash.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, Clock, SqlStore } from "#lib/base/ports.ts";
import type { Database } from "./types.ts";

export interface DatabaseDropsPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** Resolves when the shard would refuse every batch, also after a crash. */
  closeBuffer(databaseId: number, shard: number): Promise<void>;
  emptyBuffer(databaseId: number, shard: number): Promise<void>;
  /** The catalog, and the stream of events. */
  eraseRecords(databaseId: number): Promise<void>;
  /** Every object of the database. */
  removeObjects(databaseId: number): Promise<void>;
  /** Told inside the transaction that frees the name. */
  archive(database: Database): void;
  report(event: { readonly event: "drop_failed"; readonly error: unknown } & DropStep): void;
}

interface DropStep {
  readonly databaseId: number;
  /** What is to be done next. */
  readonly step: "close" | "empty" | "remove" | "remove_again";
}

interface Drop extends DropStep {
  readonly shardCount: number;
  readonly dueMs: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS database_drop (
  database_id INTEGER PRIMARY KEY,
  shard_count INTEGER NOT NULL,
  step TEXT NOT NULL,
  due_ms INTEGER NOT NULL
);
`;

const COLUMNS = "database_id AS databaseId, shard_count AS shardCount, step, due_ms AS dueMs";

/** A step that failed is tried again after this. */
const RETRY_MS = 5_000;

export class DatabaseDrops {
  readonly #ports: DatabaseDropsPorts;

  constructor(ports: DatabaseDropsPorts) {
    this.#ports = ports;
    ports.store.exec(SCHEMA);
    this.arm();
  }

  isDropping(databaseId: number): boolean {
    const sql = "SELECT 1 FROM database_drop WHERE database_id = ?";
    return this.#ports.store.exec(sql, databaseId).length > 0;
  }

  /** Also of those whose name is free by now, and that are not cleared away yet. */
  databaseIds(): Set<number> {
    return new Set(this.#drops().map(({ databaseId }) => databaseId));
  }

  /** Resolves when the name is free. What fails later is done later. */
  async drop({ databaseId, shardCount }: Database): Promise<void> {
    const { store, clock } = this.#ports;
    store.exec(
      "INSERT OR IGNORE INTO database_drop VALUES (?, ?, 'close', ?)",
      databaseId,
      shardCount,
      clock.nowMs() + RETRY_MS,
    );
    this.arm();
    // Were this lost and a shard not, the database would take no rows and not go either.
    await store.sync();
    const drop = this.#find(databaseId);
    if (drop?.step === "close") await this.#close(drop);
    const rest = this.#find(databaseId);
    if (rest?.step === "empty") await this.#tryStep(rest);
  }

  /** Never throws: after six throws the platform would drop the alarm for good. */
  async onAlarm(): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    for (const drop of this.#drops()) if (drop.dueMs <= nowMs) await this.#tryStep(drop);
    this.arm();
  }

  /** An alarm that was lost comes back. */
  arm(): void {
    const next = Math.min(...this.#drops().map(({ dueMs }) => dueMs));
    if (next !== Infinity) this.#ports.alarm.setMs(next);
  }

  async #tryStep(drop: Drop): Promise<void> {
    const { databaseId, step } = drop;
    try {
      await this.#takeStep(drop);
    } catch (error) {
      this.#ports.report({ event: "drop_failed", error, databaseId, step });
      this.#plan(drop, step, RETRY_MS);
    }
  }

  async #takeStep(drop: Drop): Promise<void> {
    const { databaseId } = drop;
    switch (drop.step) {
      case "close":
        return await this.#close(drop);
      case "empty":
        await this.#everyShard(drop, (shard) => this.#ports.emptyBuffer(databaseId, shard));
        await this.#ports.eraseRecords(databaseId);
        return this.#plan(drop, "remove", LIMITS.replacedGraceMs);
      case "remove":
        await this.#ports.removeObjects(databaseId);
        return this.#plan(drop, "remove_again", LIMITS.orphanGraceMs);
      case "remove_again":
        await this.#ports.removeObjects(databaseId);
        this.#ports.store.exec("DELETE FROM database_drop WHERE database_id = ?", databaseId);
    }
  }

  async #close(drop: Drop): Promise<void> {
    const { databaseId } = drop;
    await this.#everyShard(drop, (shard) => this.#ports.closeBuffer(databaseId, shard));
    this.#ports.store.transact(() => {
      const sql = `DELETE FROM database WHERE database_id = ? RETURNING database_id AS databaseId,
        name, shard_count AS shardCount, created_ms AS createdMs`;
      const [freed] = this.#ports.store.exec<Database>(sql, databaseId);
      if (freed !== undefined) this.#ports.archive(freed);
      this.#plan(drop, "empty", 0);
    });
  }

  /** Only from the step that it is at: somebody else may be ahead. */
  #plan({ databaseId, step }: DropStep, next: DropStep["step"], afterMs: number): void {
    this.#ports.store.exec(
      "UPDATE database_drop SET step = ?, due_ms = ? WHERE database_id = ? AND step = ?",
      next,
      this.#ports.clock.nowMs() + afterMs,
      databaseId,
      step,
    );
    this.arm();
  }

  async #everyShard({ shardCount }: Drop, work: (shard: number) => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: shardCount }, (_, shard) => work(shard)));
  }

  #find(databaseId: number): Drop | null {
    const sql = `SELECT ${COLUMNS} FROM database_drop WHERE database_id = ?`;
    return this.#ports.store.exec<Drop>(sql, databaseId)[0] ?? null;
  }

  #drops(): Drop[] {
    const sql = `SELECT ${COLUMNS} FROM database_drop ORDER BY due_ms`;
    return this.#ports.store.exec<Drop>(sql);
  }
}

export function droppingDatabase(name: string): SluiceError {
  const message = `database "${name}" is being dropped; try again`;
  return new SluiceError("database_dropping", message, { database: name, retry_after_s: 1 });
}
