// The logs of segments whose files are committed: kept a little longer, for followers that fell
// behind or lost their connection, and then dropped.
//
// Nobody else sees them: for tails of queries, limits and status a released segment is gone.

import { LIMITS } from "#lib/base/limits.ts";
import type { FollowTables } from "./follow-tables.ts";

export class ReleasedLogs {
  readonly #tables: FollowTables;

  constructor(tables: FollowTables) {
    this.#tables = tables;
  }

  /** Inside a transaction: the segment is no more, its log stays. */
  add(segmentNo: number, byteLength: number, nowMs: number): void {
    this.#tables.releaseSegment(segmentNo, byteLength, nowMs);
    this.drop(nowMs);
  }

  /** Inside a transaction: those that are old by then, and those that are too much. */
  drop(nowMs: number): void {
    let byteLength = 0;
    for (const [newer, log] of this.#tables.releasedLogs().entries()) {
      byteLength += log.byteLength;
      const isOld = log.releasedMs + LIMITS.releasedLogKeptMs <= nowMs;
      const isTooMuch = newer >= LIMITS.releasedLogsKept || byteLength > LIMITS.releasedLogBytesMax;
      if (isOld || isTooMuch) this.#tables.dropReleasedLog(log.segmentNo);
    }
  }

  /** When the next one is old; Infinity: there is none. */
  dueMs(): number {
    const oldest = this.#tables.releasedLogs().at(-1);
    return oldest === undefined ? Infinity : oldest.releasedMs + LIMITS.releasedLogKeptMs;
  }
}
