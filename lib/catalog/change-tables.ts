// Tables of a catalog that say what is becoming of its measurements: schema, row types and every
// SQL statement, and nothing else. Who uses them: table-changes.ts, catalog.ts.

import type { SqlStore } from "#lib/base/ports.ts";
import type { TableTotals } from "./types.ts";

/** Begun and not done. */
export interface TableChange {
  /** Grows with every change of the database. */
  readonly changeNo: number;
  readonly tableId: number;
  readonly measurement: string;
  /** null: it is being dropped. */
  readonly newName: string | null;
  readonly shardCount: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS table_change (
  change_no INTEGER PRIMARY KEY AUTOINCREMENT,
  table_id INTEGER NOT NULL UNIQUE,
  measurement TEXT NOT NULL,
  new_name TEXT,
  shard_count INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS database_name (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS erased (
  one INTEGER PRIMARY KEY CHECK (one = 1)
);
`;

const CHANGE_COLUMNS = `change_no AS changeNo, table_id AS tableId, measurement,
  new_name AS newName, shard_count AS shardCount`;

/** What says, after an erasure, that there was one; and what the archive has not heard yet. */
const KEPT = new Set(["head", "erased", "archived_event"]);

export type ChangeTables = ReturnType<typeof openChangeTables>;

/** Over the store of a catalog's tables. */
export function openChangeTables(store: SqlStore) {
  store.exec(SCHEMA);
  return { ...changeTable(store), ...changedTables(store), ...erasure(store) };
}

function changeTable(store: SqlStore) {
  return {
    insertChange(change: Omit<TableChange, "changeNo">): TableChange {
      const { tableId, measurement, newName, shardCount } = change;
      const sql = `INSERT INTO table_change (table_id, measurement, new_name, shard_count)
        VALUES (?, ?, ?, ?) RETURNING ${CHANGE_COLUMNS}`;
      return store.exec<TableChange>(sql, tableId, measurement, newName, shardCount)[0]!;
    },
    /** A database is never renamed; whoever changes a measurement tells what it is called. */
    noteDatabaseName(name: string): void {
      store.exec("INSERT OR REPLACE INTO database_name VALUES (1, ?)", name);
    },
    /** null: no measurement was ever dropped or renamed. */
    databaseName(): string | null {
      return store.exec<{ name: string }>("SELECT name FROM database_name")[0]?.name ?? null;
    },
    hasChange(changeNo: number): boolean {
      return store.exec("SELECT 1 FROM table_change WHERE change_no = ?", changeNo).length > 0;
    },
    /** What takes this name away, or is to give it. */
    changeOf(name: string): TableChange | null {
      const sql = `SELECT ${CHANGE_COLUMNS} FROM table_change
        WHERE measurement = ?1 OR new_name = ?1`;
      return store.exec<TableChange>(sql, name)[0] ?? null;
    },
    changes(): TableChange[] {
      const sql = `SELECT ${CHANGE_COLUMNS} FROM table_change ORDER BY change_no`;
      return store.exec<TableChange>(sql);
    },
    forgetChange(changeNo: number): void {
      store.exec("DELETE FROM table_change WHERE change_no = ?", changeNo);
    },
  };
}

function changedTables(store: SqlStore) {
  return {
    /** Of its files. */
    fileTotals(tableId: number): TableTotals {
      const sql = `SELECT count(*) AS fileCount, coalesce(sum(row_count), 0) AS rowCount,
          coalesce(sum(byte_length), 0) AS byteLength FROM file WHERE table_id = ?`;
      return store.exec<TableTotals>(sql, tableId)[0]!;
    },
    renameTable(tableId: number, name: string): void {
      store.exec("UPDATE measurement SET name = ? WHERE table_id = ?", name, tableId);
    },
    /** Its objects stay for those who read an older version. */
    removeTable(tableId: number, version: number, nowMs: number): void {
      store.exec(
        "INSERT INTO removed_file SELECT key, ?, ? FROM file WHERE table_id = ?",
        version,
        nowMs,
        tableId,
      );
      for (const table of ["file", "watch", "measurement_column", "measurement"]) {
        store.exec(`DELETE FROM ${table} WHERE table_id = ?`, tableId);
      }
    },
  };
}

function erasure(store: SqlStore) {
  return {
    isErased(): boolean {
      return store.exec("SELECT 1 FROM erased").length > 0;
    },
    /** Inside a transaction: every table of the store is empty afterwards, whoever made it. */
    erase(): void {
      const sql = `SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'`;
      for (const { name } of store.exec<{ name: string }>(sql)) {
        if (!KEPT.has(name)) store.exec(`DELETE FROM ${name}`);
      }
      store.exec("INSERT OR IGNORE INTO erased VALUES (1)");
    },
  };
}
