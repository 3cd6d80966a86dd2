// What Cloudflare asks for the operations that we count: Workers Paid, list prices in dollars,
// without what the plan includes and without taxes. As published on 2026-11-21:
//
//   https://developers.cloudflare.com/workers/platform/pricing/
//   https://developers.cloudflare.com/durable-objects/platform/pricing/
//   https://developers.cloudflare.com/queues/platform/pricing/
//   https://developers.cloudflare.com/r2/pricing/

export const PRICES_DATE = "2026-11-21";

export interface Price {
  readonly dollarsPerMillion: number;
  /**
   * Whether the number of operations is counted, or follows from what each request is known to do.
   */
  readonly isEstimate: boolean;
  readonly what: string;
}

export const PRICES = {
  worker_requests: {
    dollarsPerMillion: 0.3,
    isEstimate: false,
    what: "requests answered by the front door; calls between Workers are free",
  },
  do_requests: {
    dollarsPerMillion: 0.15,
    isEstimate: true,
    what: "calls of Durable Objects: each append, and what each query and flush is known to call",
  },
  do_rows_written: {
    dollarsPerMillion: 1,
    isEstimate: true,
    what: "rows written by Durable Objects: one per batch, one per idempotency key, and per flush",
  },
  queue_operations: {
    dollarsPerMillion: 0.4,
    isEstimate: true,
    what: "write, read and delete of each hint of a segment",
  },
  r2_class_a: {
    dollarsPerMillion: 4.5,
    isEstimate: false,
    what: "objects put by flushes",
  },
  r2_class_b: {
    dollarsPerMillion: 0.36,
    isEstimate: false,
    what: "ranges of objects read by queries",
  },
} as const satisfies Readonly<Record<string, Price>>;

export type CostOperation = keyof typeof PRICES;

/** Dollars for a gigabyte (10^9 bytes) and month. */
export const STORAGE_PRICES = { lake: 0.015, buffers: 0.2 } as const;

/** What is billed and in none of these numbers. */
export const NOT_COUNTED = [
  "CPU time of Workers ($0.02 per million ms): a Worker cannot measure its own",
  "duration of Durable Objects ($12.50 per million GB-s)",
  "rows read by Durable Objects ($0.001 per million)",
  "compaction, retention, deletes, rollups and garbage collection",
  "the telemetry's own reports",
] as const;
