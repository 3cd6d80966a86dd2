// The writing half of the client: rows and columns become batches, batches go to the outbox.
//
// Per measurement one batch is open. It is closed when it has enough rows or bytes, or is old
// enough, or when somebody waits: for memory, or for a flush.

import { SluiceFlushError, SluiceRequestError } from "./errors.ts";
import type { SluiceBatchError } from "./errors.ts";
import type { EncodableColumns } from "./columns.ts";
import { gatherColumns, sliceColumns } from "./gather-columns.ts";
import type { WritableColumns } from "./gather-columns.ts";
import { checkRows, GatheredRows } from "./gather-rows.ts";
import type { Row } from "./gather-rows.ts";
import { BATCH_BYTES } from "./outbox.ts";
import type { Outbox } from "./outbox.ts";
import { Room } from "./room.ts";

/** Of the rows as they are in memory: some hundred kB when compressed. */
const BATCH_BYTES_MAX = 4_000_000;
/** Errors that nobody has asked for by a flush; beyond it only `onError` has heard of them. */
const REFUSALS_KEPT = 1_000;

export interface RecorderSettings {
  readonly outbox: Outbox;
  readonly batchRowsMax: number;
  readonly batchAgeMaxMs: number;
  readonly memoryBytesMax: number;
  readonly onError: (error: Error) => void;
}

interface OpenBatch {
  readonly rows: GatheredRows;
  readonly timer: ReturnType<typeof setTimeout>;
}

type Outcome = Promise<SluiceBatchError | null>;

export class Recorder {
  readonly #settings: RecorderSettings;
  readonly #room: Room;
  readonly #open = new Map<string, OpenBatch>();
  readonly #floatColumns = new Map<string, Set<string>>();
  /** Of batches that are on their way. */
  readonly #outcomes = new Set<Outcome>();
  /** Refused when no flush was waiting for them. */
  #refusals: SluiceBatchError[] = [];
  readonly #resumed: Promise<void>;

  constructor(settings: RecorderSettings) {
    this.#settings = settings;
    this.#room = new Room(settings.memoryBytesMax);
    this.#resumed = this.#resume();
  }

  async write(measurement: string, rows: readonly Row[]): Promise<void> {
    checkName(measurement);
    const checked = checkRows(measurement, rows);
    await this.#enter(checked.reduce((total, row) => total + row.bytes, 0));
    for (const row of checked) {
      let open = this.#open.get(measurement);
      if (open !== undefined && !open.rows.hasPlaceFor(row)) {
        this.#close(measurement);
        open = undefined;
      }
      open ??= this.#begin(measurement);
      open.rows.add(row);
      const { rowCount, bytes } = open.rows;
      if (rowCount >= this.#settings.batchRowsMax || bytes >= BATCH_BYTES_MAX) {
        this.#close(measurement);
      }
    }
    this.#relieve();
  }

  /** Becomes batches of its own: who has gathered columns need not wait for more. */
  async writeColumns(measurement: string, columns: WritableColumns): Promise<void> {
    checkName(measurement);
    const gathered = gatherColumns(measurement, columns, this.#floatsOf(measurement));
    const { rowCount } = gathered;
    if (rowCount === 0) return;
    const bytes = gathered.bytes + BATCH_BYTES;
    await this.#enter(bytes);
    const rowsByBytes = Math.floor((rowCount * BATCH_BYTES_MAX) / bytes);
    const rowsMax = Math.max(1, Math.min(this.#settings.batchRowsMax, rowsByBytes));
    for (let from = 0; from < rowCount; from += rowsMax) {
      const to = Math.min(rowCount, from + rowsMax);
      const part = from === 0 && to === rowCount ? gathered.columns : undefined;
      const sent = part ?? sliceColumns(gathered.columns, from, to);
      this.#send(measurement, sent, to - from, (bytes * (to - from)) / rowCount);
    }
  }

  /** Resolves when all that was written before is stored; rejects with a SluiceFlushError. */
  async flush(): Promise<void> {
    this.#closeAll();
    await this.#room.afterLine();
    this.#closeAll();
    await this.#resumed;
    const refusals = this.#refusals;
    this.#refusals = [];
    for (const error of await Promise.all(this.#outcomes)) {
      if (error !== null) refusals.push(error);
    }
    // What this flush tells of, the next one need not; another one that waited tells of it, too.
    this.#refusals = this.#refusals.filter((error) => !refusals.includes(error));
    if (refusals.length > 0) throw new SluiceFlushError(refusals);
  }

  async #enter(bytes: number): Promise<void> {
    const wait = this.#room.take(bytes);
    this.#relieve();
    await wait;
  }

  /** When writes wait and no batch is on its way, it is open batches that keep the memory. */
  #relieve(): void {
    if (this.#room.hasLine && this.#outcomes.size === 0) this.#closeAll();
  }

  #begin(measurement: string): OpenBatch {
    const timer = setTimeout(() => this.#close(measurement), this.#settings.batchAgeMaxMs);
    const open = { rows: new GatheredRows(), timer };
    this.#open.set(measurement, open);
    return open;
  }

  #closeAll(): void {
    for (const measurement of this.#open.keys()) this.#close(measurement);
  }

  #close(measurement: string): void {
    const open = this.#open.get(measurement);
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#open.delete(measurement);
    const { rows } = open;
    const columns = rows.columns(this.#floatsOf(measurement));
    this.#send(measurement, columns, rows.rowCount, rows.bytes);
  }

  /** `bytes` are what the rows have taken of the memory. */
  #send(measurement: string, columns: EncodableColumns, rowCount: number, bytes: number): void {
    let heldBytes = bytes;
    const hold = (now: number) => {
      const freed = heldBytes - now;
      heldBytes = now;
      this.#room.give(freed);
    };
    const outcome = this.#settings.outbox.add(measurement, columns, rowCount, hold);
    this.#track(outcome.finally(() => hold(0)));
  }

  #track(outcome: Outcome): void {
    this.#outcomes.add(outcome);
    void outcome.then((error) => {
      this.#outcomes.delete(outcome);
      this.#relieve();
      if (error === null) return;
      if (this.#refusals.length < REFUSALS_KEPT) this.#refusals.push(error);
      this.#settings.onError(error);
    });
  }

  async #resume(): Promise<void> {
    try {
      for (const outcome of await this.#settings.outbox.resume()) this.#track(outcome);
    } catch (cause) {
      const message = `the spool cannot be read: ${(cause as Error).message}`;
      this.#settings.onError(new SluiceRequestError(message, { code: "spool_failed", cause }));
    }
  }

  #floatsOf(measurement: string): Set<string> {
    let names = this.#floatColumns.get(measurement);
    if (names === undefined) {
      names = new Set();
      this.#floatColumns.set(measurement, names);
    }
    return names;
  }
}

/** The server would refuse the whole batch, of which other writes are part. */
function checkName(measurement: string): void {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,127}$/.test(measurement)) return;
  throw new SluiceRequestError(
    `"${measurement}" cannot be a measurement: letters, digits, _ and -, beginning with a letter`,
    { code: "rows_invalid", detail: { measurement } },
  );
}
