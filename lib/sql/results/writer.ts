// An answer's bytes, part by part: what each format of results does in its own way.

import { SluiceError } from "#lib/base/errors.ts";
import type { ArrowBatch, ArrowField } from "#lib/sql/arrow-stream.ts";
import type { QueryCost } from "#lib/sql/types.ts";

export interface ResultWriter {
  readonly contentType: string;
  /** What a browser would save the answer as; undefined where it can show it. */
  readonly fileName?: string;
  /** Once, before everything else. A table that does not exist has no fields. */
  begin(fields: readonly ArrowField[]): Uint8Array;
  /** May keep them for later. */
  rows(batch: ArrowBatch): Uint8Array;
  end(end: AnswerEnd): Uint8Array;
  /** How an answer that has begun says that it failed. Without it the stream is broken off. */
  readonly fail?: (error: SluiceError) => Uint8Array;
}

export interface AnswerEnd {
  readonly rowCount: number;
  /** True: there were more rows than an answer may have. */
  readonly isTruncated: boolean;
  readonly executionMs: number;
  readonly nowMs: number;
  /** null: nothing was read. */
  readonly cost: QueryCost | null;
}

export const NO_BYTES = new Uint8Array(0);

const UTF8 = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return UTF8.encode(text);
}

/** For formats with no place to say that rows are missing: none may be. */
export function refuseTruncated({ isTruncated, rowCount }: AnswerEnd): void {
  if (!isTruncated) return;
  const message = `the answer has more than ${rowCount} rows; add a LIMIT or narrow the time range`;
  throw new SluiceError("query_too_large", message, { limit: rowCount });
}

/** The names, each with a number behind it where an earlier one is the same. */
export function distinctNames(fields: readonly ArrowField[]): string[] {
  const taken = new Set<string>();
  return fields.map(({ name }) => {
    let own = name;
    for (let count = 1; taken.has(own); count++) own = `${name}_${count}`;
    taken.add(own);
    return own;
  });
}

export function costFields(cost: QueryCost): Record<string, unknown> {
  return {
    files_considered: cost.filesConsidered,
    files_pruned_by_time: cost.filesPrunedByTime,
    files_pruned_by_statistics: cost.filesPrunedByStatistics,
    files_read: cost.filesRead,
    row_groups_considered: cost.rowGroupsConsidered,
    row_groups_pruned: cost.rowGroupsPruned,
    bytes_read: cost.bytesRead,
    bytes_from_cache: cost.bytesFromCache,
    tail_rows: cost.tailRows,
    snapshot_version: cost.snapshotVersion,
    ms: cost.stages,
  };
}

/** Seconds, as Go's RFC3339. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
