// The bodies of a load test, made before it begins: making them takes more time than sending them.
//
// As many distinct batches as the run needs, up to a bound in number and bytes; a longer run sends
// them again in turn, each time under a key of its own. A run that is to be verified gets two more
// columns, by which its rows are told from all others, and sums to compare them by.

import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Columns, ColumnValues } from "../../client/columns.ts";
import { encodeColumns } from "../../client/encode-columns.ts";
import { generateLoadBatch, PILLARS, type Pillar } from "../../samples/load-batches.ts";
import { checksumsOf, type Checksums } from "./checksums.ts";

export type LoadKind = Pillar | "mixed";

export interface BatchPlan {
  readonly kind: LoadKind;
  readonly seed: number;
  readonly rowsPerBatch: number;
  /** How many requests the run will make if the server keeps up. */
  readonly requestCount: number;
  /** Time of the first row, and how much time the rows of one batch take. */
  readonly startMs: number;
  readonly sliceMs: number;
  /** Rows get the columns `load_run`, which is this, and `load_batch`; null: no more columns. */
  readonly runId: string | null;
}

export interface LoadBatch {
  readonly measurement: string;
  readonly rowCount: number;
  readonly body: Uint8Array;
  /** Null when the run is not to be verified. */
  readonly checksums: Checksums | null;
}

export const BATCHES_MAX = 500;
const BYTES_MAX = 512e6;

/** Calls `onProgress` with a share from 0 to 1. */
export async function makeBatches(
  plan: BatchPlan,
  onProgress: (share: number) => void,
): Promise<LoadBatch[]> {
  const count = Math.min(BATCHES_MAX, plan.requestCount);
  const batches: LoadBatch[] = [];
  let bytes = 0;
  while (batches.length < count && bytes < BYTES_MAX) {
    const batch = await makeBatch(plan, batches.length);
    batches.push(batch);
    bytes += batch.body.length;
    onProgress(Math.max(batches.length / count, bytes / BYTES_MAX));
  }
  return batches;
}

async function makeBatch(plan: BatchPlan, index: number): Promise<LoadBatch> {
  const { kind, seed, rowsPerBatch: rowCount, startMs: runStartMs, sliceMs, runId } = plan;
  const startMs = Math.floor(runStartMs + index * sliceMs);
  const pillar = kind === "mixed" ? PILLARS[index % PILLARS.length]! : kind;
  const endMs = startMs + Math.max(1, Math.ceil(sliceMs));
  const { name, columns } = generateLoadBatch(pillar, { seed, index, startMs, endMs, rowCount });
  const sent = runId === null ? columns : { ...columns, ...marks(runId, index, rowCount) };
  return {
    measurement: name,
    rowCount,
    body: await promisify(gzip)(encodeColumns(name, sent)),
    checksums: runId === null ? null : checksumsOf(columns),
  };
}

function marks(runId: string, index: number, rowCount: number): Columns {
  const repeat = (value: string | number): ColumnValues =>
    Array.from({ length: rowCount }, () => value);
  return { load_run: repeat(runId), load_batch: repeat(index) };
}
