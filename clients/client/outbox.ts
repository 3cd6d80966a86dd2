// Batches on their way to the server.
//
// Each has its key before it is sent for the first time, and is sent again under it, byte by byte
// the same, until the server says yes, or says no for good. A batch that waits to be sent again
// holds up nobody: its place is taken by the next one.

import { backOffMs, sleep } from "./back-off.ts";
import type { EncodableColumns } from "./columns.ts";
import { compress, encodingHeaders } from "./compress.ts";
import { encodeColumns } from "./encode-columns.ts";
import { SluiceBatchError, SluiceRequestError } from "./errors.ts";
import type { BatchFacts } from "./errors.ts";
import { isTransient, readText, request } from "./http.ts";
import type { Connection } from "./http.ts";
import { newKey } from "./keys.ts";
import { Slots } from "./slots.ts";
import type { Spool } from "./spool.ts";

/** Below the six connections that a Worker, or a browser for one host, may have. */
const REQUESTS_MAX = 4;
/** Batches that are sent or wait to be sent again; later ones stay behind them. */
const DELIVERIES_MAX = 64;
const REQUEST_MS_MAX = 60_000;
/** A compressor takes some hundred kB, whatever it is given. */
const COMPRESSED_AT_ONCE_MAX = 4;
/** About what a batch takes in memory beside its rows. */
export const BATCH_BYTES = 4_000;

export interface OutboxSettings {
  readonly connection: Connection;
  readonly retryForMs: number;
  /** null: batches are kept in memory alone. */
  readonly spool: Promise<Spool> | null;
  readonly onError: (error: Error) => void;
}

interface Batch extends BatchFacts {
  /** null: it is in the file. */
  body: Uint8Array<ArrayBuffer> | null;
  file: string | null;
}

export class Outbox {
  readonly #settings: OutboxSettings;
  readonly #compressors = new Slots(COMPRESSED_AT_ONCE_MAX);
  readonly #requests = new Slots(REQUESTS_MAX);
  readonly #deliveries = new Slots(DELIVERIES_MAX);
  readonly #end = new AbortController();

  constructor(settings: OutboxSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves when the batch is stored, with null, or will never be, with the reason; never rejects.
   * The columns are encoded before this returns. `onHeld` hears how many bytes of memory the batch
   * takes, each time that this changes.
   */
  async add(
    measurement: string,
    columns: EncodableColumns,
    rowCount: number,
    onHeld: (bytes: number) => void,
  ): Promise<SluiceBatchError | null> {
    const { database } = this.#settings.connection;
    const facts = { database, measurement, key: newKey(), rowCount };
    try {
      const plain = encodeColumns(measurement, columns, "us");
      const body = await this.#compressors.run(() => compress(plain));
      const batch: Batch = { ...facts, body, file: null };
      await this.#keep(batch, facts);
      onHeld(BATCH_BYTES + (batch.body?.length ?? 0));
      return await this.#deliveries.run(() => this.#deliver(batch));
    } catch (cause) {
      return new SluiceBatchError(facts, unexpected(cause), null);
    }
  }

  /** The batches of earlier processes, each with its outcome. */
  async resume(): Promise<Promise<SluiceBatchError | null>[]> {
    const { spool, onError } = this.#settings;
    const onBroken = (file: string, cause: unknown) =>
      onError(spoolError(`${file} is no batch, and stays`, cause));
    const batches = (await (await spool)?.list(onBroken)) ?? [];
    return batches.map((batch) =>
      this.#deliveries.run(() => this.#deliver({ ...batch, body: null })),
    );
  }

  /** Ends all tries. What is not stored then is reported as unanswered. */
  abort(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** Onto the disk, out of memory. A disk that fails does not keep a batch from being sent. */
  async #keep(batch: Batch, facts: BatchFacts): Promise<void> {
    try {
      const spool = await this.#settings.spool;
      if (spool === null) return;
      batch.file = await spool.put(facts, batch.body!);
      batch.body = null;
    } catch (cause) {
      this.#settings.onError(spoolError(`batch ${batch.key} is in memory alone`, cause));
    }
  }

  async #deliver(batch: Batch): Promise<SluiceBatchError | null> {
    const { retryForMs } = this.#settings;
    const { signal } = this.#end;
    const startMs = Date.now();
    for (let attempt = 0; ; attempt++) {
      const problem = await this.#requests.run(() => this.#try(batch));
      if (problem === null) {
        await this.#forget(batch);
        return null;
      }
      const waitMs = backOffMs(attempt, problem.retryAfterMs);
      const isLate = Date.now() + waitMs - startMs > retryForMs;
      if (!isTransient(problem)) return this.#refused(batch, problem);
      // By a signal of its own: Node 20 warns of more than ten listeners on one.
      if (!isLate) await sleep(waitMs, AbortSignal.any([signal]));
      if (isLate || signal.aborted) return this.#unanswered(batch, problem);
    }
  }

  /** null: the batch is stored. */
  async #try(batch: Batch): Promise<SluiceRequestError | null> {
    try {
      const body = batch.body ?? (await (await this.#settings.spool)!.read(batch.file!));
      if (body === null) return null;
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
      const response = await request(this.#settings.connection, "/api/v1/write/msgpack", {
        method: "POST",
        body,
        signal,
        headers: {
          "content-type": "application/msgpack",
          ...encodingHeaders(body),
          "idempotency-key": batch.key,
          "x-arc-database": batch.database,
        },
      });
      await readText(response, signal);
      return null;
    } catch (error) {
      return error instanceof SluiceRequestError ? error : unexpected(error);
    }
  }

  async #forget({ file }: Batch): Promise<void> {
    if (file === null) return;
    try {
      await (await this.#settings.spool)!.remove(file);
    } catch (cause) {
      this.#settings.onError(spoolError(`${file} is stored but could not be removed`, cause));
    }
  }

  async #refused(batch: Batch, problem: SluiceRequestError): Promise<SluiceBatchError> {
    const { file } = batch;
    if (file === null) return new SluiceBatchError(batch, problem, null);
    try {
      const aside = await (await this.#settings.spool)!.putAside(file);
      return new SluiceBatchError(batch, problem, aside);
    } catch (cause) {
      this.#settings.onError(spoolError(`${file} is refused but could not be put aside`, cause));
      return new SluiceBatchError(batch, problem, file);
    }
  }

  /** A file stays, and is sent by whoever opens the spool next. */
  #unanswered(batch: Batch, problem: SluiceRequestError): SluiceBatchError {
    const cause = new SluiceRequestError(problem.message, {
      code: "unanswered",
      detail: problem.detail,
      cause: problem,
      ...(problem.status === null ? {} : { status: problem.status }),
    });
    return new SluiceBatchError(batch, cause, batch.file);
  }
}

/** The time for one try was over, or the spool or the memory failed. */
function unexpected(cause: unknown): SluiceRequestError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new SluiceRequestError(message, { code: "unanswered", cause });
}

function spoolError(what: string, cause: unknown): SluiceRequestError {
  const { message } = unexpected(cause);
  return new SluiceRequestError(`${what}: ${message}`, { code: "spool_failed", cause });
}
