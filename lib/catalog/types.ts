// What the catalog hands out and takes in: files, commits, snapshots.

import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { RowPredicate } from "./row-predicate.ts";
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

/** Both ends inclusive. */
export interface TimeSpanMs {
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
}

/**
 * A file that the present version has, and that may be replaced; what its columns hold it says
 * itself.
 */
export interface LiveFile extends Omit<DataFile, "columns"> {
  /** Never used again, also when the file is gone. */
  readonly fileId: number;
  readonly addedMs: number;
}

/** Some of a measurement's files, in order of their ids. */
export interface FilePage {
  readonly version: number;
  readonly files: readonly LiveFile[];
}

/** Files that take the place of others: all of it happens, or nothing. */
export interface FileChange {
  readonly removes: readonly number[];
  readonly adds: readonly DataFile[];
  /**
   * Event times at which the rows are others than before, of one table; empty where only the files
   * are, as in compaction.
   */
  readonly changed: readonly (TimeSpanMs & { readonly tableId: number })[];
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
  readonly tables: readonly WantedRows[];
  /** Segments that the caller has just seen in a tail: which of them does this snapshot hold? */
  readonly tailSegmentIds: readonly string[];
}

/** `time` says no more than `where` does. */
export interface WantedRows {
  readonly measurement: string;
  readonly time: TimeRangeMs;
  readonly where: RowPredicate;
}

/** What reading a file takes. Files of one snapshot share lists of columns that are equal. */
export interface SnapshotFile extends TimeSpanMs {
  readonly key: string;
  /** Of the content. */
  readonly sha256: string;
  readonly rowCount: number;
  readonly byteLength: number;
  readonly footerByteLength: number;
  readonly columns: readonly StoredColumn[];
}

/** A file in which rows are looked for that are to leave it. */
export interface SearchedFile extends SnapshotFile {
  readonly fileId: number;
}

export interface SearchedTable {
  readonly schema: TableSchema;
  readonly files: readonly SearchedFile[];
}

export interface StoredColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export interface SnapshotTable {
  readonly schema: TableSchema;
  /** Files that may have wanted rows, oldest first. */
  readonly files: readonly SnapshotFile[];
  /** All files of the table. */
  readonly fileCount: number;
  /** Those of them that meet the wanted time. */
  readonly timelyFileCount: number;
}

export interface Snapshot {
  readonly version: number;
  /** True: together they are more files than one query may read; then none is listed. */
  readonly hasTooManyFiles: boolean;
  /** Same order as asked; null where the measurement does not exist. */
  readonly tables: readonly (SnapshotTable | null)[];
  readonly committedSegmentIds: readonly string[];
}

export interface TableTotals {
  readonly fileCount: number;
  readonly rowCount: number;
  readonly byteLength: number;
}

export interface TableSummary extends TableTotals {
  readonly tableId: number;
  readonly measurement: string;
}
