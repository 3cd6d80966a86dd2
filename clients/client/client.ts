// SluiceClient: recording and asking, in Node, in Workers and in browsers.
//
// What is written is gathered into batches and sent in the background. Each batch has an
// idempotency key before it is sent for the first time, so whatever fails on the way, a row that
// was taken is stored once, or an error says that it is not.

import { DatabasesApi, TokensApi } from "./administration.ts";
import { correlate } from "./correlate.ts";
import type { CorrelateAnswer, CorrelateRequest } from "./correlate.ts";
import { EventsApi } from "./events.ts";
import { SluiceRequestError } from "./errors.ts";
import type { WritableColumns } from "./gather-columns.ts";
import type { Row } from "./gather-rows.ts";
import type { Connection } from "./http.ts";
import { Outbox } from "./outbox.ts";
import { queryArrow, queryBytes, queryRows, streamRows } from "./query.ts";
import type { ArrowTable, QueryFormat, QueryParams } from "./query.ts";
import { Recorder } from "./recorder.ts";
import { openSpool } from "./spool.ts";
import { tailRows } from "./tail.ts";
import type { TailOptions } from "./tail.ts";
import { TriggersApi } from "./triggers.ts";

export interface SluiceClientOptions {
  readonly url: string;
  readonly token: string;
  /** `default` when missing. */
  readonly database?: string;
  /** A batch is sent when it has so many rows, */
  readonly batchRowsMax?: number;
  /** or when its first row is so old. */
  readonly batchAgeMaxMs?: number;
  /** Of rows that are not stored yet. When they are more, `write` waits. */
  readonly memoryBytesMax?: number;
  /** Then a batch that the server does not take is given up. With a spool folder it never is. */
  readonly retryForMs?: number;
  /** Node only. Batches are kept here until they are stored, also when the process ends. */
  readonly spoolFolder?: string;
  readonly fetch?: typeof fetch;
  /** Hears of every batch that is not stored, when it is known. To the console when missing. */
  readonly onError?: (error: Error) => void;
}

const BATCH_ROWS_MAX = 10_000;
const BATCH_AGE_MAX_MS = 1_000;
const MEMORY_BYTES_MAX = 64_000_000;
const RETRY_FOR_MS = 600_000;

export class SluiceClient {
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #recorder: Recorder;
  #isClosed = false;
  readonly #retryForMs: number;
  readonly #onError: (error: Error) => void;
  readonly events: EventsApi;
  readonly databases: DatabasesApi;
  readonly tokens: TokensApi;
  readonly triggers: TriggersApi;

  constructor(options: SluiceClientOptions) {
    const { spoolFolder, onError = (error) => console.error(error.message) } = options;
    this.#onError = onError;
    this.#retryForMs =
      options.retryForMs ?? (spoolFolder === undefined ? RETRY_FOR_MS : Number.POSITIVE_INFINITY);
    this.#connection = {
      url: checkUrl(options.url).replace(/\/+$/, ""),
      token: options.token,
      database: options.database ?? "default",
      // Browsers and Workers refuse a fetch that is called as somebody's method.
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    };
    this.#outbox = new Outbox({
      connection: this.#connection,
      retryForMs: this.#retryForMs,
      spool: spoolFolder === undefined ? null : openSpool(spoolFolder),
      onError,
    });
    this.#recorder = new Recorder({
      outbox: this.#outbox,
      batchRowsMax: options.batchRowsMax ?? BATCH_ROWS_MAX,
      batchAgeMaxMs: options.batchAgeMaxMs ?? BATCH_AGE_MAX_MS,
      memoryBytesMax: options.memoryBytesMax ?? MEMORY_BYTES_MAX,
      onError,
    });
    this.events = new EventsApi(this.#connection, options.retryForMs ?? RETRY_FOR_MS);
    this.databases = new DatabasesApi(this.#connection);
    this.tokens = new TokensApi(this.#connection);
    this.triggers = new TriggersApi(this.#connection);
  }

  /**
   * Resolves when the rows are taken into memory, not when they are stored: that is what `flush` is
   * for. Waits while the memory is full. A call is taken whole, or refused (`rows_invalid`).
   */
  async write(measurement: string, rows: Row | readonly Row[]): Promise<void> {
    this.#checkOpen();
    await this.#recorder.write(measurement, isList(rows) ? rows : [rows]);
  }

  /** The same for columns of equal length. They are sent at once, as batches of their own. */
  async writeColumns(measurement: string, columns: WritableColumns): Promise<void> {
    this.#checkOpen();
    await this.#recorder.writeColumns(measurement, columns);
  }

  /**
   * Resolves when all that was written before is stored. Rejects with a SluiceFlushError that names
   * every batch that is not and will not be, of which no flush has told before.
   */
  flush(): Promise<void> {
    return this.#recorder.flush();
  }

  /**
   * Flushes, and refuses further writes. When the signal is aborted, sending ends, and the
   * rejection names what is not stored; what is in a spool is sent by the next client that opens
   * it.
   */
  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#isClosed = true;
    const end = () => this.#outbox.abort(signal?.reason);
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end);
    try {
      await this.#recorder.flush();
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /**
   * One object per row. Whole numbers beyond 2^53 are bigints, times are texts in RFC 3339. Throws
   * `answer_truncated` rather than give a part of the rows.
   */
  query<T = Record<string, unknown>>(sql: string, params?: QueryParams): Promise<T[]> {
    return queryRows<T>(this.#connection, sql, params);
  }

  /** The same, row by row, as they arrive. */
  rows<T = Record<string, unknown>>(sql: string, params?: QueryParams): AsyncGenerator<T> {
    return streamRows<T>(this.#connection, sql, params);
  }

  /**
   * Needs the package `apache-arrow`, which is the application's to install; its type of a table
   * goes in as `T`.
   */
  arrow<T = ArrowTable>(sql: string, params?: QueryParams): Promise<T> {
    return queryArrow<T>(this.#connection, sql, params);
  }

  queryBytes(
    sql: string,
    format: QueryFormat,
    params?: QueryParams,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return queryBytes(this.#connection, sql, format, params);
  }

  /**
   * Rows as they are stored, from now on. Goes on by itself after a broken connection, where it
   * was. Ends when the signal is aborted. What it cannot show `onError` hears as `tail_gap`.
   */
  tail<T = Record<string, unknown>>(
    measurement: string,
    options: TailOptions = {},
  ): AsyncGenerator<T> {
    return tailRows<T>(this.#connection, measurement, options, this.#retryForMs, this.#onError);
  }

  /** Events, metrics, logs and traces around a moment, an incident, or of a stretch of time. */
  correlate(wanted: CorrelateRequest): Promise<CorrelateAnswer> {
    return correlate(this.#connection, wanted);
  }

  #checkOpen(): void {
    if (this.#isClosed) {
      throw new SluiceRequestError("the client is closed", { code: "client_closed" });
    }
  }
}

/** Sending to what is no address would be tried again and again, like to a server that is down. */
function checkUrl(url: string): string {
  if (/^https?:\/\/./i.test(url) && URL.canParse(url)) return url;
  throw new TypeError(`the url must be like https://sluice.example.org, not "${url}"`);
}

function isList(rows: Row | readonly Row[]): rows is readonly Row[] {
  return Array.isArray(rows);
}
