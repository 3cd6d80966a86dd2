// The protocol's ports over things in memory: SQLite from Node, a clock that is set by hand, a lake
// in a map. What a crash leaves behind is the store, the alarm and the lake; objects are made anew.

import { DatabaseSync } from "node:sqlite";
import type { Alarm, Clock, ObjectStore, PartWriter } from "#lib/base/ports.ts";
import type { SqlStore, SqlValue } from "#lib/base/ports.ts";

export class ManualClock implements Clock {
  #nowMs: number;

  constructor(startMs = 1_750_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

export class ManualAlarm implements Alarm {
  atMs: number | null = null;

  setMs(atMs: number): void {
    this.atMs = atMs;
  }

  clear(): void {
    this.atMs = null;
  }

  /** True when it was due: it is then used up, as the platform does before it calls the handler. */
  takeIfDue(nowMs: number): boolean {
    if (this.atMs === null || this.atMs > nowMs) return false;
    this.atMs = null;
    return true;
  }
}

export class MemorySqlStore implements SqlStore {
  readonly #database = new DatabaseSync(":memory:");
  /** Once that many more INSERTs into a log were made the next throws, as on a full disk. */
  insertsUntilFull = Infinity;
  #depth = 0;

  exec<Row>(sql: string, ...parameters: SqlValue[]): Row[] {
    if (sql.startsWith("INSERT INTO log_") && this.insertsUntilFull-- <= 0) {
      this.insertsUntilFull = Infinity;
      throw new Error("SQLITE_FULL");
    }
    if (parameters.length === 0 && sql.includes(";")) {
      this.#database.exec(sql);
      return [];
    }
    const bound = parameters.map((one) => (one instanceof ArrayBuffer ? new Uint8Array(one) : one));
    return this.#database.prepare(sql).all(...bound) as Row[];
  }

  transact<T>(work: () => T): T {
    const name = `transaction_${this.#depth++}`;
    this.#database.exec(`SAVEPOINT ${name}`);
    try {
      const result = work();
      this.#database.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  async sync(): Promise<void> {}
}

interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly sha256: string | null;
  readonly uploadedMs: number;
}

export class MemoryLake implements ObjectStore {
  readonly objects = new Map<string, MemoryObject>();
  readonly #clock: Clock;
  /** What the next put does beside its work. `after`: stores, and then fails all the same. */
  nextPut: "ok" | "fail-before" | "fail-after" = "ok";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async putIfAbsent(key: string, bytes: Uint8Array, sha256: string): Promise<boolean> {
    return this.#put(key, bytes, sha256);
  }

  createInParts(key: string): PartWriter {
    const parts: Uint8Array[] = [];
    return {
      write: async (bytes) => void parts.push(bytes.slice()),
      finish: async () => {
        const bytes = new Uint8Array(Buffer.concat(parts));
        if (!this.#put(key, bytes, null)) throw new Error(`object ${key} exists`);
        return { byteLength: bytes.length };
      },
      abort: async () => void parts.splice(0),
    };
  }

  #put(key: string, bytes: Uint8Array, sha256: string | null): boolean {
    const fault = this.nextPut;
    this.nextPut = "ok";
    if (fault === "fail-before") throw new Error("connection reset before the put");
    const isNew = !this.objects.has(key);
    if (isNew) this.objects.set(key, { bytes, sha256, uploadedMs: this.#clock.nowMs() });
    if (fault === "fail-after") throw new Error("connection reset after the put");
    return isNew;
  }

  async head(key: string) {
    const object = this.objects.get(key);
    if (object === undefined) return null;
    const { bytes, sha256, uploadedMs } = object;
    return { key, byteLength: bytes.byteLength, sha256, uploadedMs };
  }

  /** For tests of queries, whose reads do not go through the port. */
  async read(key: string, offset: number, byteLength: number): Promise<Uint8Array> {
    return this.objects.get(key)!.bytes.subarray(offset, offset + byteLength);
  }

  /** Three to a page, so that every caller has to follow the cursor. */
  async list(prefix: string, cursor = "") {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor);
    const page = keys.toSorted().slice(0, 3);
    const objects = await Promise.all(page.map(async (key) => (await this.head(key))!));
    return page.length < keys.length ? { objects, cursor: page.at(-1)! } : { objects };
  }

  async remove(keys: string[]): Promise<void> {
    for (const key of keys) this.objects.delete(key);
  }
}
