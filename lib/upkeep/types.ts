// What keeps a database's lake in order: jobs, and what is told about them.

import type { FileChange, LiveFile } from "#lib/catalog/types.ts";
import type { RowPredicate } from "#lib/catalog/row-predicate.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";

/**
 * compaction: small files become few. retention: rows older than a cutoff leave the files that they
 * share with younger ones. delete: rows that meet a condition leave. rollup: windows of time are
 * computed again.
 */
export type JobSpec = CompactionSpec | RetentionSpec | DeleteSpec | RollupSpec;
export type JobKind = JobSpec["kind"];

export interface CompactionSpec {
  readonly kind: "compaction";
  readonly tableId: number;
  readonly day: string;
}

export interface RetentionSpec {
  readonly kind: "retention";
  readonly tableId: number;
  readonly policyId: number;
  /** Rows with an earlier time go. */
  readonly keepFromMs: number;
}

export interface DeleteSpec {
  readonly kind: "delete";
  readonly tableId: number;
  /** A condition in SQL; rows for which it is true go. */
  readonly where: string;
  /** What `now()` means in it. */
  readonly nowMs: number;
  /** As much of it as statistics of files can tell. */
  readonly predicate: RowPredicate;
  readonly isDryRun: boolean;
  /** More rows than `LIMITS.deleteUnconfirmedRowsMax` may go. */
  readonly isConfirmed: boolean;
}

export interface RollupSpec {
  readonly kind: "rollup";
  /** Of the destination. */
  readonly tableId: number;
  readonly rollupId: number;
  /** What to compute again beside what has changed; null: nothing. */
  readonly range: { readonly fromMs: number; readonly toMs: number } | null;
}

/**
 * queued: waits for a runner, perhaps after a failure. running: a runner has it, and says so every
 * few seconds. gave_way: somebody else changed the files first, and nothing was done.
 */
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled" | "gave_way";

export type JobNumbers = Readonly<Record<string, number>>;

export interface Job {
  readonly jobId: number;
  readonly spec: JobSpec;
  readonly state: JobState;
  /**
   * Grows with every start. Objects are named with it, and whoever comes with an old one is sent
   * away.
   */
  readonly attempt: number;
  readonly failureCount: number;
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly finishedMs: number | null;
  readonly progress: JobNumbers;
  /** What it did; null until it is done. */
  readonly result: JobNumbers | null;
  /** Of the last failure, also of one that was tried again. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

/** The wake-up call for a runner. Lost, late or repeated, it changes nothing but time. */
export interface JobHint {
  readonly databaseId: number;
  readonly jobId: number;
  readonly kind: JobKind;
}

/** A job as its runner gets it. */
export interface StartedJob {
  readonly job: Job;
  readonly schema: TableSchema;
  /** The job's own files, or all of its table, in order of time. */
  readonly files: readonly LiveFile[];
  /** What earlier attempts have finished; their objects are in the lake. */
  readonly steps: readonly JobStep[];
}

/**
 * A part of a job that need not be done again after a crash: a file, and what stands for it now.
 */
export interface JobStep {
  readonly fileId: number;
  readonly rowsRemoved: number;
  readonly adds: FileChange["adds"];
}
