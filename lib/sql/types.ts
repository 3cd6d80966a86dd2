// What the front door asks of the query Worker.

import type { ResultOptions } from "./results/format.ts";

export interface QueryRequest {
  /** Patterns (`*` is any text) of the databases that the caller may read. */
  readonly databases: readonly string[];
  /** Database of bare table names (header `x-arc-database`); null: `default`. */
  readonly database: string | null;
  readonly question: Question;
  readonly result: ResultOptions;
  readonly requestId: string;
}

export type Question = SqlQuestion | TableQuestion;

export interface SqlQuestion {
  readonly kind: "sql";
  readonly sql: string;
  /** Values of `?` and `$1` in order. */
  readonly params: readonly QueryParam[];
  /** True: how many rows it has is asked, and not for them. */
  readonly isEstimate: boolean;
}

export type QueryParam = string | number | boolean | null;

/** Rows of one measurement of the request's database. `where` and `orderBy` are pieces of SQL. */
export interface TableQuestion {
  readonly kind: "table";
  readonly measurement: string;
  readonly where: string | null;
  readonly orderBy: string;
  readonly limit: number;
  readonly offset: number;
}

/** What an answer cost, as told in it. */
export interface QueryCost {
  filesConsidered: number;
  filesRead: number;
  bytesRead: number;
  tailRows: number;
  snapshotVersion: number;
  /** Milliseconds per stage. */
  readonly stages: Record<string, number>;
}
