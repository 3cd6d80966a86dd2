// Records in one SQLite file: for one machine, without a server.
//
// A batch is one transaction, in a write-ahead log that is synced with it (synchronous = FULL), so
// what a flush acknowledged survives a power cut. Other processes may read and write the same file;
// they wait for each other up to BUSY_MS.
//
// Refuses a file of another version of these tables. Node 22.16 or later: node:sqlite.

import type { DatabaseSync as Database, StatementSync } from "node:sqlite";
import type { Backend, SqlitePlace } from "./backend.ts";
import { selectSql } from "./selection.ts";
import type { Dialect, SqlPart } from "./selection.ts";
import { columnsOf, TABLES } from "./tables.ts";
import type { Row, TableName } from "./tables.ts";

const VERSION = 1;
/** The application stands still for as long: node:sqlite is synchronous. */
const BUSY_MS = 5_000;

export async function openSqlite({ dbPath }: SqlitePlace): Promise<Backend> {
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(dbPath, { timeout: BUSY_MS });
  try {
    createTables(database, dbPath);
  } catch (error) {
    database.close();
    throw error;
  }
  const inserts = new Map(tableNames().map((table) => [table, database.prepare(insertSql(table))]));
  return {
    write: async (table, rows) => insertAll(database, inserts.get(table)!, table, rows),
    select: async (selection) => {
      const { sql, params } = selectSql(selection, SQLITE);
      return database.prepare(sql).all(...params) as unknown as Row[];
    },
    close: async () => database.close(),
  };
}

async function importSqlite() {
  try {
    return await import("node:sqlite");
  } catch (cause) {
    throw new Error("telemetry in a file needs Node 22.16 or later", { cause });
  }
}

function createTables(database: Database, dbPath: string): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("BEGIN IMMEDIATE");
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version !== 0 && version !== VERSION) {
    throw new Error(`${dbPath} has telemetry tables of version ${version}, not ${VERSION}`);
  }
  for (const table of tableNames()) database.exec(createSql(table));
  database.exec(`
    CREATE INDEX IF NOT EXISTS events_by_type ON telemetry_events (type, time);
    CREATE INDEX IF NOT EXISTS metrics_by_name ON telemetry_metrics (name, time);
    PRAGMA user_version = ${VERSION};
    COMMIT
  `);
}

function createSql(table: TableName): string {
  const columns = columnsOf(table).map(([column, type]) => `${column} ${type.toUpperCase()}`);
  return `
    CREATE TABLE IF NOT EXISTS ${table} (time INTEGER, seq INTEGER, ${columns.join(", ")});
    CREATE INDEX IF NOT EXISTS ${table}_by_time ON ${table} (time, seq);
    CREATE INDEX IF NOT EXISTS ${table}_by_trace ON ${table} (trace_id, time)
      WHERE trace_id IS NOT NULL;
  `;
}

function insertSql(table: TableName): string {
  const columns = columnsOf(table).map(([column]) => column);
  const marks = columns.map(() => "?").join(", ");
  return `INSERT INTO ${table} (time, seq, ${columns.join(", ")}) VALUES (?, ?, ${marks})`;
}

function insertAll(
  database: Database,
  insert: StatementSync,
  table: TableName,
  rows: readonly Row[],
): void {
  const columns = columnsOf(table).map(([column]) => column);
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const row of rows) {
      const timeUs = (row["time_ms"] as number) * 1_000;
      insert.run(timeUs, row["seq"]!, ...columns.map((column) => row[column]!));
    }
    database.exec("COMMIT");
  } catch (error) {
    // A full disk has rolled it back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** json_each gives keys and texts without their escapes, so that no key needs quoting. */
const SQLITE: Dialect = {
  timeMs: "time / 1000",
  compareTime: (operator, ms) => ({ sql: `time ${operator} ?`, params: [ms * 1_000] }),
  attributeIs: (key, value) => {
    const { sql, params } = valueIs(value);
    return {
      sql: `EXISTS (SELECT 1 FROM json_each(attributes) AS a WHERE a.key = ? AND ${sql})`,
      params: [key, ...params],
    };
  },
};

function valueIs(value: string | number | boolean | null): SqlPart {
  if (typeof value === "string") return { sql: "a.type = 'text' AND a.value = ?", params: [value] };
  if (typeof value === "number") {
    return { sql: "a.type IN ('integer', 'real') AND a.value = ?", params: [value] };
  }
  return { sql: `a.type = '${value}'`, params: [] };
}

function tableNames(): TableName[] {
  return Object.keys(TABLES) as TableName[];
}
