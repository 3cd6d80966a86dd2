// What became of the requests of a load test, counted while it runs.

import type { LoadBatch } from "./batches.ts";
import type { Outcome } from "./open-loop.ts";

/** Of one pre-generated batch: how often it was sent with which result. */
export interface BatchTally {
  acknowledged: number;
  /** Neither acknowledged nor refused: these may be stored or not. */
  unknown: number;
}

export interface Tally {
  requestsAcknowledged: number;
  requestsFailed: number;
  rowsAcknowledged: number;
  bytesAcknowledged: number;
  /** Failed requests by status or code. */
  readonly errors: Map<string, number>;
  /** Answers with `Retry-After`, and the longest time that one of them asked for. */
  backPressureCount: number;
  retryAfterMsMax: number;
  /** In the order of the batches. */
  readonly batches: readonly BatchTally[];
}

export function newTally(batchCount: number): Tally {
  return {
    requestsAcknowledged: 0,
    requestsFailed: 0,
    rowsAcknowledged: 0,
    bytesAcknowledged: 0,
    errors: new Map(),
    backPressureCount: 0,
    retryAfterMsMax: 0,
    batches: Array.from({ length: batchCount }, () => ({ acknowledged: 0, unknown: 0 })),
  };
}

export function countOutcome(
  tally: Tally,
  batchIndex: number,
  batch: LoadBatch,
  { result, kind, retryAfterMs }: Outcome,
): void {
  if (retryAfterMs !== null) {
    tally.backPressureCount += 1;
    tally.retryAfterMsMax = Math.max(tally.retryAfterMsMax, retryAfterMs);
  }
  if (result === "acknowledged") {
    tally.requestsAcknowledged += 1;
    tally.rowsAcknowledged += batch.rowCount;
    tally.bytesAcknowledged += batch.body.length;
    tally.batches[batchIndex]!.acknowledged += 1;
    return;
  }
  tally.requestsFailed += 1;
  tally.errors.set(kind, (tally.errors.get(kind) ?? 0) + 1);
  if (result === "unknown") tally.batches[batchIndex]!.unknown += 1;
}
