// The tables of one catalog: schema, row types and every SQL statement, and nothing else.
// The protocol that uses them: catalog.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { SchemaColumn, TableSchema } from "./schema.ts";
import type {
  DataFile,
  LiveFile,
  SnapshotFile,
  TableSummary,
  TimeRangeMs,
  TimeSpanMs,
} from "./types.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id INTEGER NOT NULL,
  version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS measurement (
  table_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  schema_version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS measurement_column (
  table_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT,
  takes_numbers INTEGER NOT NULL,
  PRIMARY KEY (table_id, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment (
  segment_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file (
  file_id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  table_id INTEGER NOT NULL,
  day TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,
  footer_byte_length INTEGER NOT NULL,
  time_min_ms INTEGER NOT NULL,
  time_max_ms INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  columns TEXT NOT NULL,
  added_version INTEGER NOT NULL,
  added_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS file_by_time ON file (table_id, time_max_ms);
CREATE UNIQUE INDEX IF NOT EXISTS file_by_key ON file (key);
CREATE TABLE IF NOT EXISTS removed_file (
  key TEXT PRIMARY KEY,
  removed_version INTEGER NOT NULL,
  removed_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watch (
  watcher_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  PRIMARY KEY (table_id, watcher_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changed_range (
  watcher_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  time_min_ms INTEGER NOT NULL,
  time_max_ms INTEGER NOT NULL,
  PRIMARY KEY (watcher_id, version, time_min_ms, time_max_ms)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone (
  key TEXT PRIMARY KEY,
  removed_ms INTEGER NOT NULL
) WITHOUT ROWID;
`;

interface ColumnRow {
  readonly name: string;
  readonly type: ColumnType | null;
  readonly takesNumbers: number;
}

/** `columns` is the JSON of a DataFile's. */
export interface FileRow extends Omit<SnapshotFile, "columns"> {
  readonly columns: string;
}

const LIVE_FILE_COLUMNS = `file_id AS fileId, key, table_id AS tableId, day,
  row_count AS rowCount, byte_length AS byteLength, footer_byte_length AS footerByteLength,
  time_min_ms AS timeMinMs, time_max_ms AS timeMaxMs, sha256, added_ms AS addedMs`;

export type CatalogTables = ReturnType<typeof openCatalogTables>;

/** Statements over `store`, which is made ready on the way. */
export function openCatalogTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    ...headTable(store),
    ...schemaTables(store),
    ...segmentTable(store),
    ...fileTable(store),
    ...liveFiles(store),
    ...removedFileTable(store),
    ...watchTables(store),
    ...tombstoneTable(store),
  };
}

function headTable(store: SqlStore) {
  return {
    head(): { databaseId: number; version: number } | null {
      const sql = "SELECT database_id AS databaseId, version FROM head";
      return store.exec<{ databaseId: number; version: number }>(sql)[0] ?? null;
    },
    createHead(databaseId: number): void {
      store.exec("INSERT INTO head VALUES (1, ?, 0)", databaseId);
    },
    nextVersion(): number {
      const sql = "UPDATE head SET version = version + 1 RETURNING version";
      return store.exec<{ version: number }>(sql)[0]!.version;
    },
  };
}

function schemaTables(store: SqlStore) {
  return {
    schema(measurement: string): TableSchema | null {
      const sql = `SELECT table_id AS tableId, name AS measurement, schema_version AS schemaVersion
        FROM measurement WHERE name = ?`;
      const row = store.exec<Omit<TableSchema, "columns">>(sql, measurement)[0];
      return row === undefined ? null : { ...row, columns: columnsOf(store, row.tableId) };
    },
    schemaById(tableId: number): TableSchema | null {
      const sql = `SELECT table_id AS tableId, name AS measurement, schema_version AS schemaVersion
        FROM measurement WHERE table_id = ?`;
      const row = store.exec<Omit<TableSchema, "columns">>(sql, tableId)[0];
      return row === undefined ? null : { ...row, columns: columnsOf(store, row.tableId) };
    },
    hasTable(tableId: number): boolean {
      return store.exec("SELECT 1 FROM measurement WHERE table_id = ?", tableId).length > 0;
    },
    createMeasurement(measurement: string): number {
      const sql = `INSERT INTO measurement (name, schema_version) VALUES (?, 0)
        RETURNING table_id AS tableId`;
      return store.exec<{ tableId: number }>(sql, measurement)[0]!.tableId;
    },
    /** Adds the columns that are new, replaces those that have changed. */
    putColumns(tableId: number, columns: readonly SchemaColumn[]): void {
      const known = columnsOf(store, tableId).map((column) => column.name);
      let end = known.length;
      for (const { name, type, takesNumbers } of columns) {
        const at = known.indexOf(name);
        const position = at === -1 ? end++ : at;
        store.exec(
          "INSERT OR REPLACE INTO measurement_column VALUES (?, ?, ?, ?, ?)",
          tableId,
          position,
          name,
          type,
          takesNumbers ? 1 : 0,
        );
      }
      store.exec(
        "UPDATE measurement SET schema_version = schema_version + 1 WHERE table_id = ?",
        tableId,
      );
    },
  };
}

function segmentTable(store: SqlStore) {
  return {
    segmentVersion(segmentId: string): number | null {
      const sql = "SELECT version FROM segment WHERE segment_id = ?";
      return store.exec<{ version: number }>(sql, segmentId)[0]?.version ?? null;
    },
    insertSegment(segmentId: string, version: number): void {
      store.exec("INSERT INTO segment VALUES (?, ?)", segmentId, version);
    },
  };
}

function fileTable(store: SqlStore) {
  return {
    insertFile(file: DataFile, version: number, nowMs: number): void {
      store.exec(
        `INSERT INTO file (key, table_id, day, row_count, byte_length, footer_byte_length,
           time_min_ms, time_max_ms, sha256, columns, added_version, added_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        file.key,
        file.tableId,
        file.day,
        file.rowCount,
        file.byteLength,
        file.footerByteLength,
        file.timeMinMs,
        file.timeMaxMs,
        file.sha256,
        JSON.stringify(file.columns),
        version,
        nowMs,
      );
    },
    /** Ids of those that meet `time`, oldest first. */
    fileIds(tableId: number, { minMs, maxMs }: TimeRangeMs): number[] {
      const sql = `SELECT file_id AS fileId FROM file
        WHERE table_id = ? AND time_max_ms >= ? AND time_min_ms <= ?
        ORDER BY time_min_ms, file_id`;
      const from = minMs ?? -Number.MAX_SAFE_INTEGER;
      const to = maxMs ?? Number.MAX_SAFE_INTEGER;
      return store.exec<{ fileId: number }>(sql, tableId, from, to).map(({ fileId }) => fileId);
    },
    /** Same order as asked. */
    files(fileIds: readonly number[]): FileRow[] {
      const sql = `SELECT file.key, row_count AS rowCount, byte_length AS byteLength,
          footer_byte_length AS footerByteLength, time_min_ms AS timeMinMs,
          time_max_ms AS timeMaxMs, sha256, columns
        FROM json_each(?) AS asked JOIN file ON file_id = asked.value ORDER BY asked.key`;
      return store.exec<FileRow>(sql, JSON.stringify(fileIds));
    },
    fileCount(tableId: number): number {
      const sql = "SELECT count(*) AS n FROM file WHERE table_id = ?";
      return store.exec<{ n: number }>(sql, tableId)[0]!.n;
    },
    hasFile(key: string): boolean {
      return store.exec("SELECT 1 FROM file WHERE key = ?", key).length > 0;
    },
    summaries(): TableSummary[] {
      const sql = `SELECT table_id AS tableId, name AS measurement, count(file_id) AS fileCount,
          coalesce(sum(row_count), 0) AS rowCount, coalesce(sum(byte_length), 0) AS byteLength
        FROM measurement LEFT JOIN file USING (table_id)
        GROUP BY table_id ORDER BY name`;
      return store.exec<TableSummary>(sql);
    },
  };
}

function liveFiles(store: SqlStore) {
  return {
    /** In order of time. `day` null: of all days. */
    liveFiles(tableId: number, day: string | null): LiveFile[] {
      const sql = `SELECT ${LIVE_FILE_COLUMNS} FROM file
        WHERE table_id = ?1 AND (?2 IS NULL OR day = ?2) ORDER BY time_min_ms, file_id`;
      return store.exec<LiveFile>(sql, tableId, day);
    },
    /** In order of their ids, those behind `afterId`. */
    filesAfter(tableId: number, afterId: number, countMax: number): LiveFile[] {
      const sql = `SELECT ${LIVE_FILE_COLUMNS} FROM file
        WHERE table_id = ? AND file_id > ? ORDER BY file_id LIMIT ?`;
      return store.exec<LiveFile>(sql, tableId, afterId, countMax);
    },
    /** Those with rows of earlier times, in order of time. */
    filesBefore(tableId: number, beforeMs: number): LiveFile[] {
      const sql = `SELECT ${LIVE_FILE_COLUMNS} FROM file
        WHERE table_id = ? AND time_min_ms < ? ORDER BY time_min_ms, file_id`;
      return store.exec<LiveFile>(sql, tableId, beforeMs);
    },
    isLive(fileId: number): boolean {
      return store.exec("SELECT 1 FROM file WHERE file_id = ?", fileId).length > 0;
    },
    /** `fileCount`: of files below `bytesMax`. */
    days(
      bytesMax: number,
    ): { tableId: number; measurement: string; day: string; fileCount: number }[] {
      return store.exec(
        `SELECT table_id AS tableId, name AS measurement, day, count(*) AS fileCount
           FROM file JOIN measurement USING (table_id) WHERE byte_length < ?
           GROUP BY table_id, day ORDER BY table_id, day`,
        bytesMax,
      );
    },
    removeFile(fileId: number, version: number, nowMs: number): void {
      store.exec(
        "INSERT INTO removed_file SELECT key, ?, ? FROM file WHERE file_id = ?",
        version,
        nowMs,
        fileId,
      );
      store.exec("DELETE FROM file WHERE file_id = ?", fileId);
    },
  };
}

function removedFileTable(store: SqlStore) {
  return {
    isRemoved(key: string): boolean {
      return store.exec("SELECT 1 FROM removed_file WHERE key = ?", key).length > 0;
    },
    removedKeys(beforeMs: number, countMax: number): string[] {
      const sql = "SELECT key FROM removed_file WHERE removed_ms < ? ORDER BY removed_ms LIMIT ?";
      return store.exec<{ key: string }>(sql, beforeMs, countMax).map(({ key }) => key);
    },
    forgetRemoved(key: string): void {
      store.exec("DELETE FROM removed_file WHERE key = ?", key);
    },
    removedTotals(): { count: number; oldestMs: number | null } {
      const sql = "SELECT count(*) AS count, min(removed_ms) AS oldestMs FROM removed_file";
      return store.exec<{ count: number; oldestMs: number | null }>(sql)[0]!;
    },
  };
}

function watchTables(store: SqlStore) {
  return {
    watch(watcherId: number, tableId: number): void {
      store.exec("INSERT OR IGNORE INTO watch VALUES (?, ?)", watcherId, tableId);
    },
    unwatch(watcherId: number): void {
      store.exec("DELETE FROM watch WHERE watcher_id = ?", watcherId);
      store.exec("DELETE FROM changed_range WHERE watcher_id = ?", watcherId);
    },
    noteChange(tableId: number, version: number, timeMinMs: number, timeMaxMs: number): void {
      store.exec(
        `INSERT OR IGNORE INTO changed_range
           SELECT watcher_id, ?, ?, ? FROM watch WHERE table_id = ?`,
        version,
        timeMinMs,
        timeMaxMs,
        tableId,
      );
    },
    noteChangeFor(watcherId: number, version: number, { timeMinMs, timeMaxMs }: TimeSpanMs): void {
      const sql = "INSERT OR IGNORE INTO changed_range VALUES (?, ?, ?, ?)";
      store.exec(sql, watcherId, version, timeMinMs, timeMaxMs);
    },
    changedRanges(watcherId: number): (TimeSpanMs & { version: number })[] {
      const sql = `SELECT version, time_min_ms AS timeMinMs, time_max_ms AS timeMaxMs
        FROM changed_range WHERE watcher_id = ? ORDER BY time_min_ms, time_max_ms`;
      return store.exec<TimeSpanMs & { version: number }>(sql, watcherId);
    },
    forgetChanges(watcherId: number, versionMax: number): void {
      const sql = "DELETE FROM changed_range WHERE watcher_id = ? AND version <= ?";
      store.exec(sql, watcherId, versionMax);
    },
  };
}

function tombstoneTable(store: SqlStore) {
  return {
    isTombstone(key: string): boolean {
      return store.exec("SELECT 1 FROM tombstone WHERE key = ?", key).length > 0;
    },
    insertTombstone(key: string, removedMs: number): void {
      store.exec("INSERT OR IGNORE INTO tombstone VALUES (?, ?)", key, removedMs);
    },
    forgetTombstones(beforeMs: number): void {
      store.exec("DELETE FROM tombstone WHERE removed_ms < ?", beforeMs);
    },
  };
}

function columnsOf(store: SqlStore, tableId: number): SchemaColumn[] {
  const sql = `SELECT name, type, takes_numbers AS takesNumbers FROM measurement_column
    WHERE table_id = ? ORDER BY position`;
  const rows = store.exec<ColumnRow>(sql, tableId);
  return rows.map((row) => ({ ...row, takesNumbers: row.takesNumbers === 1 }));
}
