// What the front door asks of the query Worker.

import type { TableSchema } from "#lib/catalog/schema.ts";
import type { ResultOptions } from "./results/format.ts";

export interface QueryRequest {
  /** Patterns (`*` is any text) of the databases that the caller may read. */
  readonly databases: readonly string[];
  /** Database of bare table names (header `x-arc-database`); null: `default`. */
  readonly database: string | null;
  readonly question: Question;
  readonly result: ResultOptions;
  readonly requestId: string;
  /** Unlike the request's, which clients may choose, it is the only one of its kind. */
  readonly queryId: string;
  /** Whose query it is; null: the admin token from the environment. */
  readonly tokenId: number | null;
  /** The trace that it is part of, as the header of that name has it. */
  readonly traceparent: string;
  /** Our own queries are not counted as those of clients. */
  readonly isSystem: boolean;
}

export type Question = SqlQuestion | TableQuestion | MatchQuestion;

export interface SqlQuestion {
  readonly kind: "sql";
  readonly sql: string;
  readonly params: QueryParams;
  /** True: how many rows it has is asked, and not for them. */
  readonly isEstimate: boolean;
}

/** Values of `?` and `$1` in order, or of `$name` by name. */
export type QueryParams = readonly QueryParam[] | Readonly<Record<string, QueryParam>>;

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

/** Numbers of the rows of a file for which `where` is true. The file is told apart from it. */
export interface MatchQuestion {
  readonly kind: "match";
  readonly schema: TableSchema;
  readonly where: string;
  /** What `now()` means in it. */
  readonly nowMs: number;
}

/** What an answer cost, as told in it. */
export interface QueryCost extends ReadCost {
  /** Files of all tables, a table counted once for each place that reads it. */
  readonly filesConsidered: number;
  /** Those of them that were left out by their time, and by the statistics of other columns. */
  readonly filesPrunedByTime: number;
  readonly filesPrunedByStatistics: number;
  readonly tailRows: number;
  readonly snapshotVersion: number;
  /** Milliseconds per stage. */
  readonly stages: Readonly<Record<string, number>>;
}

/** What of it the files cost. */
export interface ReadCost {
  filesRead: number;
  /** Of the files that were read. */
  rowGroupsConsidered: number;
  rowGroupsPruned: number;
  /** From the object store. */
  bytesRead: number;
  bytesFromCache: number;
  /** Ranges of files, from the object store. */
  rangesRead: number;
  rangesFromCache: number;
}
