// Who caused which of the operations that Cloudflare bills, and what they cost.

import type { MetricView } from "./metric-view.ts";
import * as buffer from "./metrics/buffer.ts";
import * as catalog from "./metrics/catalog.ts";
import { costOperations } from "./metrics/runtime.ts";
import { type CostOperation, NOT_COUNTED, PRICES, PRICES_DATE, STORAGE_PRICES } from "./prices.ts";

/** The admin token of the environment, which has no number. */
export const ADMIN = "admin";
/** What no single token causes: flushes write rows of many. */
export const SHARED = "_shared";
/** Requests without a token, or without a database. */
export const NONE = "_none";

/** What one operation of ours is known to cost; test/e2e/stats.test.ts holds it. */
export const WRITE_COSTS = { do_requests: 1 } as const;
/** Snapshot of the catalog, tail of the buffer, and the registry twice: begun and ended. */
export const QUERY_COSTS = { do_requests: 4 } as const;
/**
 * Calls: read, commit, release. Rows: the buffer makes the segment's log (2), counts it (1), notes
 * it as open, sealed, hinted, gone (4) and where its rows went (1), and sets two alarms (2); the
 * catalog notes it (1) and has a new version (1). One hint. Trouble costs more.
 */
export const FLUSH_COSTS = { do_requests: 3, do_rows_written: 12, queue_operations: 3 } as const;
/** A row of the catalog with its two indexes. */
export const FILE_COSTS = { do_rows_written: 3, r2_class_a: 1 } as const;

export function tokenLabel(tokenId: number | null): string {
  return tokenId === null ? ADMIN : String(tokenId);
}

export interface CostFilter {
  readonly database: string | null;
  readonly token: string | null;
}

export interface CostLine {
  readonly database: string;
  readonly token: string;
  readonly operations: Readonly<Record<string, number>>;
  readonly dollars: number;
}

export function costStats(view: MetricView, filter: CostFilter) {
  const lines = costLines(view, filter);
  const operations = Object.entries(PRICES).map(([operation, price]) => {
    const count = lines.reduce((sum, line) => sum + (line.operations[operation] ?? 0), 0);
    return {
      operation,
      count,
      dollars_per_million: price.dollarsPerMillion,
      dollars: dollarsOf(operation as CostOperation, count),
      is_estimate: price.isEstimate,
      what: price.what,
    };
  });
  return {
    prices_of: PRICES_DATE,
    dollars: operations.reduce((sum, { dollars }) => sum + dollars, 0),
    operations,
    by: lines,
    storage_per_month: storageCosts(view, filter),
    not_counted: NOT_COUNTED,
  };
}

function costLines(view: MetricView, { database, token }: CostFilter): CostLine[] {
  const wanted = view.series(costOperations).filter(({ labels }) => {
    return (database ?? labels[0]) === labels[0] && (token ?? labels[1]) === labels[1];
  });
  const byWhom = Map.groupBy(wanted, ({ labels }) => JSON.stringify(labels.slice(0, 2)));
  return [...byWhom.values()].map((series) => {
    const [by, caller] = series[0]!.labels as [string, string];
    const counts = series.map(({ labels, value }) => [labels[2]!, Number(value)] as const);
    const dollars = counts.reduce(
      (sum, [operation, count]) => sum + dollarsOf(operation as CostOperation, count),
      0,
    );
    return { database: by, token: caller, operations: Object.fromEntries(counts), dollars };
  });
}

function dollarsOf(operation: CostOperation, count: number): number {
  return (count * PRICES[operation].dollarsPerMillion) / 1e6;
}

/** If it stays as it is. Belongs to a database and to no token. */
function storageCosts(view: MetricView, { database, token }: CostFilter) {
  if (token !== null) return null;
  const where: Record<string, string> = database === null ? {} : { database };
  const lakeBytes = view.total(catalog.fileBytes, where);
  const bufferBytes = view.total(buffer.bytes, where);
  return {
    lake_bytes: lakeBytes,
    lake_dollars: (lakeBytes / 1e9) * STORAGE_PRICES.lake,
    buffer_bytes: bufferBytes,
    buffer_dollars: (bufferBytes / 1e9) * STORAGE_PRICES.buffers,
  };
}
