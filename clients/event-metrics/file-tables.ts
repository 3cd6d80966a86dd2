// The tables of a metrics file, an SQLite database: what each row is, and every statement.
//
//   series   a name, its labels as canonical JSON, and whether it is observed or counted;
//            `carried` is the sum of the increments that were deleted, so that totals go on
//   chunk    points of one series, sorted by time: two arrays of 64-bit floats, little-endian, of
//            microseconds since 1970 and of values; and in columns of its own what sums them up
//
// Chunks of a series are in the order of their ids. WAL and synchronous=FULL: what was committed is
// on disk, and readers and the one writer at a time do not wait for each other.
//
// Refuses a file that is an SQLite database of something else, or of a later format.

import type { DatabaseSync } from "node:sqlite";

export interface SeriesRow {
  readonly id: number;
  readonly name: string;
  readonly kind: "observation" | "increment";
  readonly labels: string;
  readonly carried: number;
}

export interface ChunkStats {
  readonly id: number;
  readonly count: number;
  readonly time_min: number;
  readonly time_max: number;
  readonly value_min: number;
  readonly value_max: number;
  readonly value_sum: number;
}

export interface ChunkPoints {
  readonly id: number;
  readonly times: Uint8Array;
  readonly readings: Uint8Array;
}

/** Below it a chunk is small, and may be merged with those next to it. */
export const CHUNK_POINTS = 4_096;

const FORMAT = 1;
/** "SLMX": tells this kind of file from other SQLite databases. */
const APPLICATION_ID = 0x534c4d58;
const BUSY_WAIT_MS = 10_000;

const SCHEMA = `
  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    labels TEXT NOT NULL,
    carried REAL NOT NULL DEFAULT 0,
    UNIQUE (name, kind, labels)
  );
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series (id),
    count INTEGER NOT NULL,
    time_min REAL NOT NULL,
    time_max REAL NOT NULL,
    value_min REAL NOT NULL,
    value_max REAL NOT NULL,
    value_sum REAL NOT NULL,
    times BLOB NOT NULL,
    readings BLOB NOT NULL
  );
  CREATE INDEX chunk_by_series ON chunk (series);
  CREATE INDEX chunk_large ON chunk (series) WHERE count >= ${CHUNK_POINTS};
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

const STATS = "id, count, time_min, time_max, value_min, value_max, value_sum";

/** Opens the file, or makes it. Several processes may do so at the same time. */
export function openMetricsFile(path: string): DatabaseSync {
  const { DatabaseSync } = sqlite();
  const database = new DatabaseSync(path, { timeout: BUSY_WAIT_MS });
  try {
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("PRAGMA synchronous = FULL");
    transact(database, () => {
      if (isEmpty(database)) database.exec(SCHEMA);
      else checkFormat(database, path);
    });
    database.exec("PRAGMA journal_mode = WAL");
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** In one transaction that may write; an error takes all of it back. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: DatabaseSync) {
  return {
    addSeries: database.prepare(
      "INSERT INTO series (name, kind, labels) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    seriesId: database.prepare("SELECT id FROM series WHERE name = ? AND kind = ? AND labels = ?"),
    seriesOfName: database.prepare("SELECT * FROM series WHERE name = ? ORDER BY kind, labels"),
    allSeries: database.prepare("SELECT * FROM series ORDER BY name, kind, labels"),
    carry: database.prepare(
      `UPDATE series SET carried = carried + ? WHERE id = ? AND kind = 'increment'`,
    ),
    addChunk: database.prepare(
      `INSERT INTO chunk (id, series, count, time_min, time_max, value_min, value_max, value_sum,
         times, readings)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteChunk: database.prepare("DELETE FROM chunk WHERE id = ?"),
    chunkStats: database.prepare(
      `SELECT ${STATS} FROM chunk WHERE series = ? AND time_max >= ? ORDER BY id`,
    ),
    sumBefore: database.prepare(
      "SELECT total(value_sum) AS sum FROM chunk WHERE series = ? AND time_max < ?",
    ),
    chunkPoints: database.prepare("SELECT id, times, readings FROM chunk WHERE id = ?"),
    chunkReadings: database.prepare("SELECT id, readings FROM chunk WHERE id = ?"),
    /** The chunks after the last large one. */
    smallChunks: database.prepare(
      `SELECT id, times, readings FROM chunk
       WHERE series = ?1 AND id > ifnull(
         (SELECT max(id) FROM chunk WHERE series = ?1 AND count >= ${CHUNK_POINTS}), 0)
       ORDER BY id`,
    ),
  };
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function checkFormat(database: DatabaseSync, path: string): void {
  const { application_id: id } = database.prepare("PRAGMA application_id").get()!;
  if (id !== APPLICATION_ID) throw new Error(`${path} is a database, but not of metrics`);
  const { user_version: format } = database.prepare("PRAGMA user_version").get()!;
  if (format !== FORMAT) throw new Error(`${path} has format ${format}; this reads ${FORMAT}`);
}

/** Without an import that a bundle for browsers or Workers would stumble over. */
function sqlite(): typeof import("node:sqlite") {
  const found = globalThis.process?.getBuiltinModule?.("node:sqlite");
  if (found === undefined) throw new Error("metrics in a file need Node 22.16 or later");
  return found;
}
