// What following a buffer's log takes beside buffer-tables.ts: the logs of segments that are
// released, and every SQL statement about them.
//
// docs/storage.md describes the table for operators. Who uses it: follow.ts, released-logs.ts.

import { LIMITS } from "#lib/base/limits.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import { log, LOG_COLUMNS, type LogRow, toHeader } from "./buffer-tables.ts";
import type { BatchHeader } from "./types.ts";

/** The log of a segment that is released. */
export interface ReleasedLog {
  readonly segmentNo: number;
  readonly releasedMs: number;
  readonly byteLength: number;
}

export interface FollowableSegment {
  readonly segmentNo: number;
  readonly openedMs: number;
  /** 1: batches may still come. */
  readonly isOpen: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS released_log (
  segment_no INTEGER PRIMARY KEY,
  last_rows TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  released_ms INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,
  is_held INTEGER NOT NULL
);
`;

export type FollowTables = ReturnType<typeof openFollowTables>;

/** Statements over `store`, in which the buffer's other tables are. */
export function openFollowTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    /** 1 as long as there never was a segment. */
    nextSegmentNo(): number {
      const sql = "SELECT next_segment_no AS segmentNo FROM identity";
      return store.exec<{ segmentNo: number }>(sql)[0]?.segmentNo ?? 1;
    },
    /** 0: the log is empty. */
    lastRowNo(segmentNo: number): number {
      const sql = `SELECT coalesce(max(row_no), 0) AS rowNo FROM ${log(segmentNo)}`;
      return store.exec<{ rowNo: number }>(sql)[0]!.rowNo;
    },
    headersFrom(
      segmentNo: number,
      segmentId: string,
      tableId: number,
      fromRowNo: number,
    ): BatchHeader[] {
      const sql = `SELECT ${LOG_COLUMNS} FROM ${log(segmentNo)}
        WHERE row_no >= ? AND part = 0 AND table_id = ? ORDER BY row_no`;
      return store.exec<LogRow>(sql, fromRowNo, tableId).map(toHeader(segmentId));
    },
    /** The segment is no more; its log stays for who follows, until `dropReleasedLog`. */
    releaseSegment(segmentNo: number, byteLength: number, nowMs: number): void {
      store.exec(
        `INSERT INTO released_log
           SELECT segment_no, (SELECT json_group_object(table_id, last_row_no) FROM
             (SELECT table_id, max(row_no) AS last_row_no FROM ${log(segmentNo)} WHERE part = 0
              GROUP BY table_id)), opened_ms, ?, ?, 1
           FROM segment WHERE segment_no = ?`,
        nowMs,
        byteLength,
        segmentNo,
      );
      store.exec("DELETE FROM segment WHERE segment_no = ?", segmentNo);
      const keptFrom = segmentNo - LIMITS.releasedLogsKept;
      store.exec("DELETE FROM released_log WHERE segment_no <= ? AND is_held = 0", keptFrom);
    },
    /** Newest first. */
    releasedLogs(): ReleasedLog[] {
      return store.exec<ReleasedLog>(
        `SELECT segment_no AS segmentNo, released_ms AS releasedMs, byte_length AS byteLength
         FROM released_log WHERE is_held = 1 ORDER BY released_ms DESC, segment_no DESC`,
      );
    },
    dropReleasedLog(segmentNo: number): void {
      store.exec(`DROP TABLE ${log(segmentNo)}`);
      store.exec("UPDATE released_log SET is_held = 0 WHERE segment_no = ?", segmentNo);
    },
    /** Whose logs can be read, in order. */
    followableSegments(): FollowableSegment[] {
      return store.exec<FollowableSegment>(
        `SELECT segment_no AS segmentNo, opened_ms AS openedMs, state = 'open' AS isOpen FROM segment
         UNION ALL SELECT segment_no, opened_ms, 0 FROM released_log WHERE is_held = 1
         ORDER BY 1`,
      );
    },
    /** 0: it had none. null: that is not known any more. */
    lastReleasedRowNo(segmentNo: number, tableId: number): number | null {
      const sql = "SELECT last_rows AS lastRows FROM released_log WHERE segment_no = ?";
      const row = store.exec<{ lastRows: string }>(sql, segmentNo)[0];
      if (row === undefined) return null;
      return (JSON.parse(row.lastRows) as Record<string, number>)[tableId] ?? 0;
    },
  };
}
