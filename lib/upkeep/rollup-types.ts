// Rollups, and what passes between the catalog, which has them, and the runner, which computes.

import type { DataFile, LiveFile } from "#lib/catalog/types.ts";
import type { JobTicket } from "./jobs.ts";
import type { TimeRange } from "./rollup-slots.ts";

/** What a user says of a rollup. */
export interface RollupFields {
  readonly name: string;
  readonly description: string;
  /** Of source and destination. */
  readonly database: string;
  readonly source: string;
  readonly destination: string;
  /** SQL with `{start_time}` and `{end_time}` in it (rollup-query.ts). */
  readonly query: string;
  /** As it was written. */
  readonly interval: string;
  /** Width of the query's buckets, and how often it is looked for changes. */
  readonly intervalMs: number;
  /** Kept and shown, as the two below. */
  readonly tagColumns: readonly string[];
  readonly retentionDays: number | null;
  readonly deleteSourceAfterDays: number | null;
  readonly isActive: boolean;
}

export interface Rollup extends RollupFields {
  readonly rollupId: number;
  readonly sourceTableId: number;
  readonly destinationTableId: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** A rollup's job as its runner gets it. */
export interface StartedRollup extends JobTicket {
  readonly rollup: Rollup;
  /** What changed up to this version of the catalog is computed by this start of the job. */
  readonly version: number;
}

/** Neighbouring slots that are computed together. */
export interface RollupChunk {
  readonly range: TimeRange;
  readonly slotCount: number;
  /** Files of the destination with rows in the range, or with neighbours of some. */
  readonly files: readonly LiveFile[];
}

/** What becomes of a chunk: these files in the place of those that it told. */
export interface RollupChange {
  readonly version: number;
  readonly chunk: RollupChunk;
  readonly adds: readonly DataFile[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
}
