// What the client throws. Programs go by `code`, the server's own or one of these:
//
//   unanswered          no answer until the time for retries was over
//   http_<status>       an answer that is not the server's, from something in between
//   answer_incomplete   the answer ended too early
//   answer_truncated    the answer has more rows than the server gives in one
//   rows_invalid        something in the rows cannot be sent
//   memory_full         too many writes wait for memory
//   spool_failed        a batch could not be written to the spool, and is kept in memory
//   tail_gap            rows left the log before a tail could show them; SQL has them
//   arrow_missing       the package apache-arrow is not installed
//   client_closed       the client was closed before

export type ErrorDetail = Readonly<Record<string, unknown>>;

/** The server said no, or said nothing. */
export class SluiceRequestError extends Error {
  override readonly name: string = "SluiceRequestError";
  readonly code: string;
  /** null when there was no answer. */
  readonly status: number | null;
  readonly detail: ErrorDetail;
  readonly requestId: string | null;
  /** What the server asked to wait. */
  readonly retryAfterMs: number | null;

  constructor(message: string, facts: RequestFacts) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status ?? null;
    this.detail = facts.detail ?? {};
    this.requestId = facts.requestId ?? null;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}

export interface RequestFacts {
  readonly code: string;
  readonly status?: number;
  readonly detail?: ErrorDetail;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/** A batch that is not stored and will not be sent again by this client. */
export class SluiceBatchError extends Error {
  override readonly name = "SluiceBatchError";
  readonly measurement: string;
  readonly database: string;
  /** The `Idempotency-Key` under which it was sent. */
  readonly key: string;
  readonly code: string;
  readonly status: number | null;
  readonly rowCount: number;
  readonly detail: ErrorDetail;
  /** Where its rows are kept, if the client has a spool folder. */
  readonly file: string | null;

  constructor(batch: BatchFacts, cause: SluiceRequestError, file: string | null) {
    const { database, measurement, key, rowCount } = batch;
    super(
      `${rowCount} rows of ${database}.${measurement} were not stored (batch ${key}, ` +
        `${cause.code}): ${cause.message}`,
      { cause },
    );
    this.measurement = measurement;
    this.database = database;
    this.key = key;
    this.code = cause.code;
    this.status = cause.status;
    this.rowCount = rowCount;
    this.detail = cause.detail;
    this.file = file;
  }
}

export interface BatchFacts {
  readonly database: string;
  readonly measurement: string;
  readonly key: string;
  readonly rowCount: number;
}

/** What `flush` and `close` reject with: every batch that was not stored. */
export class SluiceFlushError extends Error {
  override readonly name = "SluiceFlushError";
  readonly batches: readonly SluiceBatchError[];

  constructor(batches: readonly SluiceBatchError[]) {
    const rowCount = batches.reduce((total, batch) => total + batch.rowCount, 0);
    const first = batches[0]!;
    const others = batches.length > 1 ? ` and ${batches.length - 1} other batches` : "";
    super(`${rowCount} rows were not stored: ${first.message}${others}`, { cause: first });
    this.batches = batches;
  }
}
