// The tables of one buffer: schema, row types and every SQL statement, and nothing else.
//
// One log table per segment, because dropping a table is one cheap step and costs no billed row
// writes, where deleting its rows would cost one each. docs/storage.md describes the tables for
// operators. The protocol that uses them: buffer.ts.

import type { SqlStore } from "#lib/base/ports.ts";
import type { BatchHeader, EncodedBatch, SegmentState } from "./types.ts";
import { LIMITS } from "#lib/base/limits.ts";

export interface Identity {
  readonly databaseId: number;
  readonly shard: number;
  /** Grows when the object is restored from an older copy, so that no segment id comes twice. */
  readonly epoch: number;
}

export interface SegmentRow {
  readonly segmentNo: number;
  readonly state: SegmentState;
  readonly openedMs: number;
  /** Hints sent since the segment was sealed. */
  readonly hints: number;
  readonly nextHintMs: number;
  readonly attempts: number;
  readonly lastError: string | null;
}

export interface SegmentTotals {
  readonly batchCount: number;
  readonly rowCount: number;
  readonly byteLength: number;
}

export interface SeenKey {
  readonly bodySha256: string;
  readonly rowCount: number;
}

/** A batch's row in its log, without the bytes. */
export interface LogRow {
  readonly rowNo: number;
  readonly tableId: number;
  readonly measurement: string;
  readonly rowCount: number;
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  readonly receivedUs: number;
  readonly byteLength: number;
  readonly requestId: string;
}

export type BatchOrigin = Pick<BatchHeader, "requestId" | "traceparent">;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  next_segment_no INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS segment (
  segment_no INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  hints INTEGER NOT NULL DEFAULT 0,
  next_hint_ms INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT
);
CREATE TABLE IF NOT EXISTS seen_key (
  key TEXT PRIMARY KEY,
  body_sha256 TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS named_table (
  table_id INTEGER PRIMARY KEY,
  measurement TEXT,
  change_no INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS closed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  is_empty INTEGER NOT NULL
);
`;

const SEGMENT_COLUMNS = `segment_no AS segmentNo, state, opened_ms AS openedMs, hints,
  next_hint_ms AS nextHintMs, attempts, last_error AS lastError`;

export const LOG_COLUMNS = `row_no AS rowNo, table_id AS tableId, measurement, row_count AS rowCount,
  time_min_ms AS timeMinMs, time_max_ms AS timeMaxMs, received_us AS receivedUs,
  byte_length AS byteLength, request_id AS requestId`;

/** A table that was dropped or renamed since the buffer knows it. */
export interface NamedTable {
  readonly tableId: number;
  /** The one name under which it takes batches; null: it was dropped. */
  readonly measurement: string | null;
}

export type BufferTables = ReturnType<typeof openBufferTables>;

/** Statements over `store`, which is made ready on the way. */
export function openBufferTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    ...identityTable(store),
    ...segmentTables(store),
    ...logTables(store),
    ...keyTable(store),
    ...gateTables(store),
  };
}

function identityTable(store: SqlStore) {
  return {
    identity(): Identity | null {
      const sql = "SELECT database_id AS databaseId, shard, epoch FROM identity";
      return store.exec<Identity>(sql)[0] ?? null;
    },
    setIdentity(identity: Identity): void {
      const { databaseId, shard, epoch } = identity;
      store.exec("INSERT INTO identity VALUES (1, ?, ?, ?, 1)", databaseId, shard, epoch);
    },
  };
}

function segmentTables(store: SqlStore) {
  return {
    segments(): SegmentRow[] {
      return store.exec<SegmentRow>(`SELECT ${SEGMENT_COLUMNS} FROM segment ORDER BY segment_no`);
    },
    segment(segmentNo: number): SegmentRow | null {
      const sql = `SELECT ${SEGMENT_COLUMNS} FROM segment WHERE segment_no = ?`;
      return store.exec<SegmentRow>(sql, segmentNo)[0] ?? null;
    },
    /** Makes a segment with a number that was never used before, and its log. */
    openSegment(openedMs: number): number {
      const [row] = store.exec<{ segmentNo: number }>(
        `UPDATE identity SET next_segment_no = next_segment_no + 1
         RETURNING next_segment_no - 1 AS segmentNo`,
      );
      const { segmentNo } = row!;
      store.exec(
        "INSERT INTO segment (segment_no, state, opened_ms) VALUES (?, 'open', ?)",
        segmentNo,
        openedMs,
      );
      store.exec(
        `CREATE TABLE ${log(segmentNo)} (
           row_no INTEGER PRIMARY KEY, part INTEGER NOT NULL, table_id INTEGER NOT NULL,
           measurement TEXT NOT NULL, row_count INTEGER NOT NULL, time_min_ms INTEGER NOT NULL,
           time_max_ms INTEGER NOT NULL, received_us INTEGER NOT NULL,
           byte_length INTEGER NOT NULL, request_id TEXT NOT NULL, bytes BLOB NOT NULL)`,
      );
      return segmentNo;
    },
    sealSegment(segmentNo: number): void {
      store.exec("UPDATE segment SET state = 'sealed' WHERE segment_no = ?", segmentNo);
    },
    noteHint(segmentNo: number, nextHintMs: number): void {
      store.exec(
        "UPDATE segment SET hints = hints + 1, next_hint_ms = ? WHERE segment_no = ?",
        nextHintMs,
        segmentNo,
      );
    },
    noteFailure(segmentNo: number, error: string, attempts: number, state: SegmentState): void {
      store.exec(
        "UPDATE segment SET last_error = ?, attempts = ?, state = ? WHERE segment_no = ?",
        error,
        attempts,
        state,
        segmentNo,
      );
    },
    replaySegment(segmentNo: number): void {
      store.exec(
        `UPDATE segment SET state = 'sealed', attempts = 0, hints = 0, next_hint_ms = 0
         WHERE segment_no = ?`,
        segmentNo,
      );
    },
    dropSegment(segmentNo: number): void {
      store.exec(`DROP TABLE ${log(segmentNo)}`);
      store.exec("DELETE FROM segment WHERE segment_no = ?", segmentNo);
    },
  };
}

function logTables(store: SqlStore) {
  return {
    /** A body longer than a row may be spans several rows; the first carries the header. */
    insertBatch(segmentNo: number, batch: EncodedBatch, origin: BatchOrigin): void {
      const { bytes } = batch;
      let part = 0;
      for (let from = 0; from < bytes.byteLength || part === 0; part++) {
        const to = Math.min(from + LIMITS.logRowBytesMax, bytes.byteLength);
        store.exec(
          `INSERT INTO ${log(segmentNo)} (part, table_id, measurement, row_count, time_min_ms,
             time_max_ms, received_us, byte_length, request_id, bytes)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          part,
          batch.tableId,
          batch.measurement,
          batch.rowCount,
          batch.timeMinMs,
          batch.timeMaxMs,
          batch.receivedUs,
          bytes.byteLength,
          originText(origin),
          bytes.subarray(from, to),
        );
        from = to;
      }
    },
    totals(segmentNo: number): SegmentTotals {
      const sql = `SELECT count(*) AS batchCount, coalesce(sum(row_count), 0) AS rowCount,
        coalesce(sum(byte_length), 0) AS byteLength FROM ${log(segmentNo)} WHERE part = 0`;
      return store.exec<SegmentTotals>(sql)[0]!;
    },
    batchHeaders(segmentNo: number, segmentId: string): BatchHeader[] {
      const sql = `SELECT ${LOG_COLUMNS} FROM ${log(segmentNo)} WHERE part = 0 ORDER BY row_no`;
      return store.exec<LogRow>(sql).map(toHeader(segmentId));
    },
    /** Of the first batch that is traced; null: none is. */
    traceOf(segmentNo: number): string | null {
      const sql = `SELECT request_id AS origin FROM ${log(segmentNo)}
        WHERE part = 0 AND instr(request_id, ' ') > 0 ORDER BY row_no LIMIT 1`;
      return store.exec<{ origin: string }>(sql)[0]?.origin.split(" ")[1] ?? null;
    },
    batchBytes(segmentNo: number, header: BatchHeader): Uint8Array {
      const sql = `SELECT bytes FROM ${log(segmentNo)} WHERE row_no >= ? ORDER BY row_no LIMIT ?`;
      const parts = Math.max(1, Math.ceil(header.byteLength / LIMITS.logRowBytesMax));
      const rows = store.exec<{ bytes: ArrayBuffer | Uint8Array }>(sql, header.sequence, parts);
      if (rows.length === 1) return asBytes(rows[0]!.bytes);
      const whole = new Uint8Array(header.byteLength);
      let at = 0;
      for (const row of rows) {
        whole.set(asBytes(row.bytes), at);
        at += row.bytes.byteLength;
      }
      return whole;
    },
  };
}

function keyTable(store: SqlStore) {
  return {
    seenKey(key: string, nowMs: number): SeenKey | null {
      const sql = `SELECT body_sha256 AS bodySha256, row_count AS rowCount FROM seen_key
        WHERE key = ? AND expires_ms > ?`;
      return store.exec<SeenKey>(sql, key, nowMs)[0] ?? null;
    },
    rememberKey(key: string, seen: SeenKey, expiresMs: number): void {
      store.exec(
        "INSERT OR REPLACE INTO seen_key VALUES (?, ?, ?, ?)",
        key,
        seen.bodySha256,
        seen.rowCount,
        expiresMs,
      );
    },
    forgetKeys(nowMs: number): void {
      store.exec("DELETE FROM seen_key WHERE expires_ms <= ?", nowMs);
    },
    forgetAllKeys(): void {
      store.exec("DELETE FROM seen_key");
    },
  };
}

function gateTables(store: SqlStore) {
  return {
    namedTables(): NamedTable[] {
      return store.exec<NamedTable>("SELECT table_id AS tableId, measurement FROM named_table");
    },
    /** The latest change counts, in whatever order they come. */
    nameTable({ tableId, measurement }: NamedTable, changeNo: number): void {
      store.exec(
        `INSERT INTO named_table VALUES (?, ?, ?) ON CONFLICT (table_id) DO UPDATE
           SET measurement = excluded.measurement, change_no = excluded.change_no
           WHERE excluded.change_no > change_no`,
        tableId,
        measurement,
        changeNo,
      );
    },
    forgetNamedTables(): void {
      store.exec("DELETE FROM named_table");
    },
    /** null: the buffer is open. */
    closed(): { isEmpty: number } | null {
      return store.exec<{ isEmpty: number }>("SELECT is_empty AS isEmpty FROM closed")[0] ?? null;
    },
    close(isEmpty: boolean): void {
      const sql = `INSERT INTO closed VALUES (1, ?) ON CONFLICT (one) DO UPDATE
        SET is_empty = max(is_empty, excluded.is_empty)`;
      store.exec(sql, isEmpty ? 1 : 0);
    },
  };
}

export function log(segmentNo: number): string {
  return `log_${segmentNo}`;
}

export function toHeader(segmentId: string) {
  return ({ rowNo, ...row }: LogRow): BatchHeader => {
    const [requestId = "", traceparent = null] = row.requestId.split(" ");
    return { ...row, requestId, traceparent, segmentId, sequence: rowNo };
  };
}

/** The id of the request and, where it is recorded, its trace; neither has a space in it. */
function originText({ requestId, traceparent }: BatchOrigin): string {
  return traceparent === null ? requestId : `${requestId} ${traceparent}`;
}

/** workerd hands blobs out as ArrayBuffer, other SQLites as Uint8Array. */
function asBytes(blob: ArrayBuffer | Uint8Array): Uint8Array {
  return blob instanceof Uint8Array ? blob : new Uint8Array(blob);
}
