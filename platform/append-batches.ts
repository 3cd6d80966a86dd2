// Batches to a database's schemas and buffer, for whoever has rows to store: the front door for its
// clients, objects for events and logs of our own.
//
// What is known here of databases and tables is some seconds old. When the buffer or the catalog
// says that one was dropped or renamed meanwhile, nothing was stored: it is looked up anew, and the
// rows go where their names lead now. Names in the middle of a change are waited for, a little.
//
// Next: lib/catalog/schema-rules.ts.

import { createHash } from "node:crypto";
import { type ErrorCode, isSluiceError } from "#lib/base/errors.ts";
import type { AppendReceipt } from "#lib/buffer/types.ts";
import type { BatchColumns } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import type { Database } from "#lib/directory/types.ts";
import type { BatchScan } from "#lib/protocol/scan-batch.ts";
import { sleep } from "./clock.ts";
import { unwrap } from "./rpc.ts";
import { findSchema, forgetSchema, rememberSchema } from "./schema-cache.ts";

export type BatchStores = Pick<IngestEnv, "DATABASE_BUFFER" | "DATABASE_CATALOG">;

/** What has to be known of a database to store rows in it. */
export type Shards = Pick<Database, "databaseId" | "shardCount">;

export interface BatchToStore {
  readonly tableId: number;
  readonly scan: BatchScan;
  /** As it is stored, compressed or not. */
  readonly bytes: Uint8Array;
}

/** Of the request that the batches come from. */
export interface AppendOrigin {
  readonly requestId: string;
  /** Of its trace, where that is recorded. */
  readonly traceparent: string | null;
  /** null: a repeated append is a new one. */
  readonly idempotencyKey: string | null;
  /** Hex SHA-256, to tell a repeat from another request under the same key. */
  readonly bodySha256: string | null;
}

/**
 * Stores all rows of one batch, or nothing under the same key (null). Names are looked up anew if
 * need be, the database is not: once it is dropped, this throws `database_unknown`.
 */
export async function appendRows(
  database: Shards,
  batch: Omit<BatchToStore, "tableId"> | null,
  origin: AppendOrigin,
  stores: BatchStores,
): Promise<AppendReceipt> {
  if (batch === null) return await append(database, [], origin, stores);
  return await patiently(TABLE_PASSING, async (isRepeat) => {
    if (isRepeat) forgetSchema(database.databaseId, batch.scan.measurement);
    const [schema] = await fitDatabase(database, [batch.scan], stores);
    return await append(database, [{ ...batch, tableId: schema!.tableId }], origin, stores);
  });
}

/** The tables' schemas in the order of the batches, which they take; grown for them if need be. */
export async function fitDatabase(
  { databaseId }: Shards,
  scans: readonly BatchColumns[],
  stores: BatchStores,
): Promise<TableSchema[]> {
  const known = scans.map((scan) => knownSchema(databaseId, scan));
  // Unknown, to be grown, or in conflict with a copy that may be old: the catalog decides.
  const unfit = scans.filter((_, i) => known[i] === null);
  if (unfit.length === 0) return known as TableSchema[];
  const batches = unfit.map(({ measurement, columns }) => ({ measurement, columns }));
  const catalog = stores.DATABASE_CATALOG.getByName(`${databaseId}`);
  const grown = await unwrap(catalog.extendSchemas(databaseId, batches));
  for (const schema of grown) rememberSchema(databaseId, schema);
  const rest = grown.values();
  return known.map((schema) => schema ?? rest.next().value!);
}

/** Resolves once the batches are durable: all of them, or none. */
export async function append(
  { databaseId, shardCount }: Shards,
  batches: readonly BatchToStore[],
  origin: AppendOrigin,
  stores: BatchStores,
): Promise<AppendReceipt> {
  const nowMs = Date.now();
  const shard = shardOf(origin.idempotencyKey ?? origin.requestId, shardCount);
  const buffer = stores.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
  const toAppend = batches.map(({ tableId, scan, bytes }) => ({
    tableId,
    measurement: scan.measurement,
    rowCount: scan.rowCount,
    timeMinMs: scan.time?.timeMinMs ?? nowMs,
    timeMaxMs: scan.time?.timeMaxMs ?? nowMs,
    receivedUs: nowMs * 1_000,
    bytes,
  }));
  return await unwrap(buffer.append({ databaseId, shard, ...origin, batches: toAppend }));
}

/** Refusals that nothing was stored under, and that end when a drop or a rename does. */
export const TABLE_PASSING: ReadonlySet<ErrorCode> = new Set([
  "schema_stale",
  "measurement_changing",
]);
export const PASSING: ReadonlySet<ErrorCode> = new Set([
  ...TABLE_PASSING,
  "database_unknown",
  "database_dropping",
]);
const TRIES_MAX = 8;
const FIRST_PAUSE_MS = 20;

/** After the first such refusal at once, then after pauses that double: some 2.5 s in all. */
export async function patiently<T>(
  passing: ReadonlySet<ErrorCode>,
  work: (isRepeat: boolean) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work(tries > 1);
    } catch (error) {
      const isPassing = isSluiceError(error) && passing.has(error.code);
      if (!isPassing || tries === TRIES_MAX) throw error;
    }
    if (tries > 1) await sleep(FIRST_PAUSE_MS * 2 ** (tries - 2));
  }
}

function knownSchema(databaseId: number, scan: BatchColumns): TableSchema | null {
  const known = findSchema(databaseId, scan.measurement);
  return known !== null && takes(known, scan) ? known : null;
}

function takes(schema: TableSchema, scan: BatchColumns): boolean {
  try {
    return growSchema(schema.columns, scan.columns).length === 0;
  } catch (error) {
    if (isSluiceError(error)) return false;
    throw error;
  }
}

/** The same key always finds the same shard, or a retry would not meet its first try. */
function shardOf(key: string, shardCount: number): number {
  if (shardCount === 1) return 0;
  return createHash("sha256").update(key).digest().readUInt32LE(0) % shardCount;
}
