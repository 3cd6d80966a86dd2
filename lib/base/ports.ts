// What the protocol needs from the world. Nothing in lib/ reaches past these.
//
// In production platform/ fills them with Durable Object storage, R2 and Queues; a simulation
// fills them with a seeded clock, an in-memory SQLite and a store that fails on demand.

/** Wall clock. Correctness never depends on it; only ages, windows and back-off do. */
export interface Clock {
  nowMs(): number;
}

export type SqlValue = string | number | null | Uint8Array | ArrayBuffer;
export type SqlRow = Record<string, SqlValue>;

/** A SQLite database. INTEGERs must stay within ±2^53. */
export interface SqlStore {
  exec<Row = SqlRow>(sql: string, ...parameters: SqlValue[]): Row[];
  /** All or nothing; `work` must not await. One within another is part of it. */
  transact<T>(work: () => T): T;
  /** Resolves when everything written so far would survive the loss of the process. */
  sync(): Promise<void>;
}

/** One alarm, kept durably. Setting it replaces it. It may fire late or twice. */
export interface Alarm {
  /** Part of the current transaction when called inside one. */
  setMs(atMs: number): void;
}

export interface StoredObject {
  readonly key: string;
  readonly byteLength: number;
  /** Hex SHA-256 of the content, where the store was told it at `putIfAbsent`. */
  readonly sha256: string | null;
  readonly uploadedMs: number;
}

/** An object that is written piece by piece, and appears whole or not at all. */
export interface PartWriter {
  /** Resolves when more may be written; the bytes may then be reused. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the object is stored. May throw although it was. */
  finish(): Promise<{ readonly byteLength: number }>;
  /** Gives up what was written. Also after `finish` threw; then the object may remain. */
  abort(): Promise<void>;
}

/**
 * Bytes `[offset, offset + byteLength)` of an object. Refuses: `object_missing`,
 * `store_unavailable`.
 */
export type FetchRange = (key: string, offset: number, byteLength: number) => Promise<Uint8Array>;

/** Immutable objects under unique keys. */
export interface ObjectStore {
  /** False when the key exists already. May throw although the object was stored. */
  putIfAbsent(key: string, bytes: Uint8Array, sha256: string): Promise<boolean>;
  /** For large objects. No other writer may ever use the key; the store is told no hash. */
  createInParts(key: string): PartWriter;
  head(key: string): Promise<StoredObject | null>;
  list(prefix: string, cursor?: string): Promise<{ objects: StoredObject[]; cursor?: string }>;
  remove(keys: string[]): Promise<void>;
}
