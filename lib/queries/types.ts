// A query as others see it while it lasts, and afterwards.

export interface QueryStatus {
  readonly queryId: string;
  /** null: the admin token from the environment. */
  readonly tokenId: number | null;
  readonly database: string;
  /** Cut to `LIMITS.querySqlShownChars`. */
  readonly sql: string;
  readonly startedMs: number;
  /** Waits for the engine, or has it. */
  readonly stage: "queued" | "running";
  /** Rows that were answered so far. */
  readonly rowCount: number;
}

export interface EndedQuery extends QueryStatus {
  readonly endedMs: number;
  /** `done`, or the code of the error that ended it. */
  readonly outcome: string;
}

/** Who wants to see or cancel queries: an admin all of them, others those of their own token. */
export interface QueryViewer {
  readonly tokenId: number | null;
  readonly isAdmin: boolean;
}
