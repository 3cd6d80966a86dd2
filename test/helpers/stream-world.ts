// A stream of events over a real buffer core, with everything between them going wrong at random:
// appends that are lost, refused, answered without being heard, or delivered long after they were
// given up; and objects that crash in the middle, whose appends are still under way.

import { decode } from "@msgpack/msgpack";
import { isRefusal, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { OwnBatch } from "#lib/protocol/own-batch.ts";
import { EventHub } from "#lib/events/hub.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "./memory-world.ts";

export interface StoredRow {
  readonly seq: number;
  readonly id: string;
  readonly value: string | null;
}

export type Fault = "none" | "lost" | "unheard" | "late" | "refused";

export class StreamWorld {
  readonly clock = new ManualClock();
  /** In the order in which they became visible. */
  readonly rows: StoredRow[] = [];
  hub: EventHub;
  /** Chosen anew for each append. */
  nextFault: () => Fault = () => "none";
  /** Asked before each transaction and after each sync of the stream. */
  isDiskFailing: () => boolean = () => false;
  readonly #store = new MemorySqlStore();
  readonly #buffer: BufferCore;
  readonly #late: (() => Promise<unknown>)[] = [];
  /** Number of the life that the object is in. */
  #life = 0;

  constructor() {
    this.#buffer = this.#newBuffer();
    this.hub = this.#newHub();
  }

  /** The object's memory is gone, its tables stay, and so does what it has sent. */
  crash(): void {
    this.#life += 1;
    this.hub = this.#newHub();
  }

  /** Appends that were given up arrive after all. */
  async deliverLate(): Promise<void> {
    for (const deliver of this.#late.splice(0)) await deliver();
  }

  #newHub(): EventHub {
    const life = this.#life;
    const isAlive = () => life === this.#life;
    return new EventHub({
      store: this.#mortalStore(isAlive),
      clock: this.clock,
      append: (_, key, rows) => this.#append(key, rows),
      published: () => {},
      randomBytes: (byteLength) => new Uint8Array(byteLength).fill(7),
      sleep: (ms) => this.#sleep(ms, isAlive),
      report: () => {},
    });
  }

  async #append(key: string, rows: OwnBatch | null): Promise<number> {
    const fault = this.nextFault();
    const deliver = () => this.#deliver(key, rows);
    if (fault === "refused") throw new SluiceError("buffer_full", "planted");
    if (fault === "late") this.#late.push(deliver);
    if (fault === "lost" || fault === "late") throw unheard();
    const rowCount = await deliver();
    if (fault === "unheard") throw unheard();
    return rowCount;
  }

  async #deliver(key: string, rows: OwnBatch | null): Promise<number> {
    const batches = rows === null ? [] : [batchOf(rows)];
    const receipt = await this.#buffer.append({
      databaseId: 1,
      shard: 0,
      requestId: key,
      traceparent: null,
      idempotencyKey: key,
      bodySha256: key,
      batches,
    });
    if (isRefusal(receipt)) throw new Error(receipt.message);
    if (rows !== null && !receipt.isDuplicate) this.rows.push(...decodeRows(rows.bytes));
    return receipt.rowCount;
  }

  /** Time passes only for those who wait: the longest wait of an object takes no real time. */
  async #sleep(ms: number, isAlive: () => boolean): Promise<void> {
    if (ms >= LIMITS.eventOutcomeWaitMs) return new Promise(() => {});
    await new Promise(setImmediate);
    if (!isAlive()) return new Promise(() => {});
    this.clock.advance(ms);
  }

  #mortalStore(isAlive: () => boolean): SqlStore {
    const store = this.#store;
    const demandLife = () => {
      if (!isAlive()) throw new Error("this object is no more");
    };
    const demandDisk = () => {
      if (this.isDiskFailing()) throw new Error("SQLITE_FULL");
    };
    return {
      exec(sql, ...parameters) {
        demandLife();
        return store.exec(sql, ...parameters);
      },
      transact(work) {
        demandLife();
        demandDisk();
        return store.transact(work);
      },
      async sync() {
        demandLife();
        await new Promise(setImmediate);
        demandLife();
        demandDisk();
      },
    };
  }

  #newBuffer(): BufferCore {
    const ports = {
      store: new MemorySqlStore(),
      clock: this.clock,
      alarm: new ManualAlarm(),
      sendHint: async () => {},
      flushHere: async () => {},
      sleep: async () => {},
      report: () => {},
    };
    return new BufferCore(ports, { sealBytes: 8_000_000, sealAfterMs: 60_000 });
  }
}

function batchOf({ scan, bytes }: OwnBatch) {
  const { timeMinMs, timeMaxMs } = scan.time!;
  const { measurement, rowCount } = scan;
  return { tableId: 1, measurement, rowCount, timeMinMs, timeMaxMs, receivedUs: 0, bytes };
}

function decodeRows(bytes: Uint8Array): StoredRow[] {
  const { columns } = decode(decompressBody(bytes, null)) as {
    columns: { seq: number[]; id: string[]; value: (string | null)[] };
  };
  return columns.seq.map((seq, i) => ({ seq, id: columns.id[i]!, value: columns.value[i]! }));
}

function unheard(): SluiceError {
  return new SluiceError("buffer_unavailable", "planted");
}
