// What the catalog hands out and takes in: files, commits, snapshots.

import type { ColumnStatistics } from "#lib/columnar/statistics.ts";

import type { TableSchema } from "./schema.ts";

/** One immutable Parquet object. Times are rounded outwards to whole milliseconds. */
export interface DataFile {
  readonly key: string;
  readonly tableId: number;
  /** UTC day of the first row's time, `YYYY-MM-DD`. */
  readonly day: string;
  readonly rowCount: number;
  readonly byteLength: number;
  /** Bytes of the footer with its 8-byte tail: a reader fetches exactly this first. */
  readonly footerByteLength: number;
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  readonly sha256: string;
  readonly columns: readonly ColumnStatistics[];
}

export interface CommitRequest {
  readonly segmentId: string;
  readonly files: readonly DataFile[];
}

export interface CommitResult {
  /** Catalog version at which the segment's files became visible. */
  readonly version: number;
  /** True when an earlier commit of the same segment is what counts. */
  readonly isRepeat: boolean;
}

/** Bounds of event time that a table reference can see; both inclusive, null = open. */
export interface TimeRangeMs {
  readonly minMs: number | null;
  readonly maxMs: number | null;
}

export interface SnapshotRequest {
  readonly tables: readonly { readonly measurement: string; readonly time: TimeRangeMs }[];
  /** Segments that the caller has just seen in a tail: which of them does this snapshot hold? */
  readonly tailSegmentIds: readonly string[];
}

export interface SnapshotTable {
  readonly schema: TableSchema;
  /** Files whose time range meets the asked one, oldest first. */
  readonly files: readonly DataFile[];
  /** All files of the table, before pruning by time. */
  readonly fileCount: number;
}

export interface Snapshot {
  readonly version: number;
  /** Same order as asked; null where the measurement does not exist. */
  readonly tables: readonly (SnapshotTable | null)[];
  readonly committedSegmentIds: readonly string[];
}

export interface TableSummary {
  readonly tableId: number;
  readonly measurement: string;
  readonly fileCount: number;
  readonly rowCount: number;
  readonly byteLength: number;
}
