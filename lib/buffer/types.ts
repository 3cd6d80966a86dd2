// What goes into a buffer and what comes out of it.

/**
 * One measurement's columns as a MessagePack map `{"m", "columns"}`, plain or gzipped, validated.
 */
export interface EncodedBatch {
  readonly tableId: number;
  readonly measurement: string;
  readonly rowCount: number;
  /** Rounded outwards to whole milliseconds. */
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  /** The time of all rows when the batch has no `time` column; µs within ±2^53. */
  readonly receivedUs: number;
  readonly bytes: Uint8Array;
}

/** One request's batches: stored together or not at all. */
export interface AppendRequest {
  readonly databaseId: number;
  readonly shard: number;
  /** Of the HTTP request; kept with the rows so that a log line of the flush names it. */
  readonly requestId: string;
  /** Of its trace, where that is recorded: the flush is a part of it. */
  readonly traceparent: string | null;
  /** null: the client sent no key, and a repeated request is a new one. */
  readonly idempotencyKey: string | null;
  /** Hex SHA-256 of the request body, to tell a retry from another request under the same key. */
  readonly bodySha256: string | null;
  readonly batches: readonly EncodedBatch[];
}

export interface AppendReceipt {
  readonly rowCount: number;
  /** True: the key was known and nothing was stored this time. */
  readonly isDuplicate: boolean;
}

export interface BatchHeader extends Omit<EncodedBatch, "bytes"> {
  readonly segmentId: string;
  /** Order of arrival within the segment. */
  readonly sequence: number;
  readonly byteLength: number;
  readonly requestId: string;
  readonly traceparent: string | null;
}

/** A run of batches: headers in order, and their bodies one after another. */
export interface BatchRun {
  readonly headers: readonly BatchHeader[];
  readonly bodies: readonly Uint8Array[];
}

/**
 * open: takes batches. sealed: frozen, waits to be written. quarantined: cannot be written, kept
 * aside until someone replays or discards it. A committed segment is released, that is: gone.
 */
export type SegmentState = "open" | "sealed" | "quarantined";

export interface SegmentSummary {
  readonly segmentId: string;
  readonly state: SegmentState;
  readonly batchCount: number;
  readonly rowCount: number;
  readonly byteLength: number;
  readonly openedMs: number;
  readonly attempts: number;
  readonly lastError: string | null;
}

/** The wake-up call for the parquet-writer. Lost, late or repeated, it changes nothing but time. */
export interface FlushHint {
  readonly databaseId: number;
  readonly shard: number;
  readonly segmentId: string;
}

export interface SealedSegment {
  readonly segmentId: string;
  readonly run: BatchRun;
}

export interface BufferStatus {
  readonly segments: readonly SegmentSummary[];
  readonly rowCount: number;
  readonly byteLength: number;
}

/**
 * By id and not by name: rows from before a drop or a rename lie under the same name as those
 * since.
 */
export interface TailRequest {
  readonly tables: readonly {
    readonly tableId: number;
    readonly minMs: number | null;
    readonly maxMs: number | null;
  }[];
  readonly bytesMax: number;
}

export interface Tail {
  /** All segments that hold asked batches, in order. */
  readonly segmentIds: readonly string[];
  readonly run: BatchRun;
  /** True: more than `bytesMax` matched, `run` is empty, flush and read files instead. */
  readonly isOverBudget: boolean;
}

/** Rows of one table that are not released. */
export interface SegmentRows {
  readonly segmentId: string;
  readonly rowCount: number;
}

/**
 * A place in a buffer's log: all batches before `sequence` of the segment, and of the batch at it
 * the first `rows` rows. Everything before it was received up to `atMs`.
 */
export interface LogPosition {
  readonly segmentId: string;
  readonly sequence: number;
  readonly rows: number;
  readonly atMs: number;
}

export interface FollowRequest {
  readonly shard: number;
  readonly tableId: number;
  /** The name under which it is followed. */
  readonly measurement: string;
  readonly after: LogPosition;
  /** At least one batch comes, however large. */
  readonly bytesMax: number;
  /** How long to wait for a batch when there is none. */
  readonly waitMs: number;
}

/** Batches in order; first what `gap` says, then `run`, then `end`. */
export interface Followed {
  /** Not null: rows may be missing before `run`, received between these moments. */
  readonly gap: { readonly fromMs: number; readonly toMs: number } | null;
  readonly run: BatchRun;
  /** Behind `run`. */
  readonly position: LogPosition;
  /** True: more is there already. */
  readonly isCut: boolean;
  /** When the follower may ask again: behind many others later. */
  readonly restMs: number;
  /** Not null: nothing comes any more under this name. */
  readonly end: FollowEnd | null;
}

export type FollowEnd =
  | { readonly reason: "measurement_dropped" | "database_dropped" }
  | { readonly reason: "measurement_renamed"; readonly name: string };

export interface FollowStart {
  /** Behind everything that the log has. */
  readonly position: LogPosition;
  /** The table's last batches, newest first, until they have as many rows as asked for. */
  readonly recent: readonly RecentBatch[];
}

export interface RecentBatch {
  readonly segmentId: string;
  readonly sequence: number;
  readonly rowCount: number;
  readonly receivedUs: number;
}
