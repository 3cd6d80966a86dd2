// What the front door asks of the query Worker.

export interface QueryRequest {
  /** Patterns (`*` is any text) of the databases that the caller may read. */
  readonly databases: readonly string[];
  /** Database of bare table names (header `x-arc-database`); null: `default`. */
  readonly database: string | null;
  readonly sql: string;
  readonly requestId: string;
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
