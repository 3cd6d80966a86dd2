// The last steps of every write: the schemas take the batches, the buffer stores them.
//
// All batches of a request are stored or none: the catalog takes their columns in one transaction,
// the buffer their rows. Up to there a failure leaves nothing behind but, at most, a new column
// without rows.
//
// What is known here of databases and tables is some seconds old. When the buffer or the catalog
// says that one was dropped or renamed meanwhile, nothing was stored: it is looked up anew, and the
// rows go where their names lead now. Names in the middle of a change are waited for, a little.
//
// Next: lib/catalog/schema-rules.ts.

import { createHash } from "node:crypto";
import { type ErrorCode, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { AppendReceipt } from "#lib/buffer/types.ts";
import type { BatchColumns } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import type { Database } from "#lib/directory/types.ts";
import type { BatchScan } from "#lib/protocol/scan-batch.ts";
import { sleep } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { ensureDatabase, forgetDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { findSchema, forgetSchema, rememberSchema } from "./schema-cache.ts";

export interface BatchToStore {
  readonly tableId: number;
  readonly scan: BatchScan;
  /** As it is stored, compressed or not. */
  readonly bytes: Uint8Array;
}

/** The request as it came, for the buffer to know it again. */
export interface RequestBody {
  readonly idempotencyKey: string | null;
  readonly bytes: Uint8Array;
}

/** The database of that name, made when there is none. */
export async function databaseFor(name: string, env: IngestEnv): Promise<Database> {
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return await patiently(() => ensureDatabase(name, shardCount, env.DIRECTORY));
}

/**
 * The tables' schemas in the order of the batches, which they take; grown for them if need be.
 * Throws on a conflict, which names the measurement; then none has grown.
 */
export async function fitSchemas(
  database: Database,
  scans: readonly BatchColumns[],
  env: IngestEnv,
): Promise<TableSchema[]> {
  return await patiently(async (isRepeat) => {
    const current = isRepeat ? await databaseAnew(database.name, env) : database;
    return await fitOnce(current, scans, env);
  });
}

async function databaseAnew(name: string, env: IngestEnv): Promise<Database> {
  forgetDatabase(name);
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return await ensureDatabase(name, shardCount, env.DIRECTORY);
}

async function fitOnce(
  { databaseId }: Database,
  scans: readonly BatchColumns[],
  env: IngestEnv,
): Promise<TableSchema[]> {
  const known = scans.map((scan) => knownSchema(databaseId, scan));
  // Unknown, to be grown, or in conflict with a copy that may be old: the catalog decides.
  const unfit = scans.filter((_, i) => known[i] === null);
  if (unfit.length === 0) return known as TableSchema[];
  const batches = unfit.map(({ measurement, columns }) => ({ measurement, columns }));
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  const grown = await unwrap(catalog.extendSchemas(databaseId, batches));
  for (const schema of grown) rememberSchema(databaseId, schema);
  const rest = grown.values();
  return known.map((schema) => schema ?? rest.next().value!);
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

/**
 * Resolves once the batches are durable. The ids of their tables are those of `database`, and are
 * looked up anew together with it, if need be: an id of one database means nothing to another.
 */
export async function storeBatches(
  arrival: AdmittedArrival,
  database: Database,
  batches: readonly BatchToStore[],
  body: RequestBody,
): Promise<AppendReceipt> {
  return await patiently(async (isRepeat) => {
    if (!isRepeat) return await append(arrival, database, batches, body);
    const current = await databaseAnew(database.name, arrival.env);
    const scans = batches.map(({ scan }) => scan);
    for (const { measurement } of scans) forgetSchema(current.databaseId, measurement);
    const schemas = await fitOnce(current, scans, arrival.env);
    const fitted = batches.map((batch, i) => ({ ...batch, tableId: schemas[i]!.tableId }));
    return await append(arrival, current, fitted, body);
  });
}

async function append(
  { env, requestId, log }: AdmittedArrival,
  { databaseId, shardCount, name }: Database,
  batches: readonly BatchToStore[],
  body: RequestBody,
): Promise<AppendReceipt> {
  const nowMs = Date.now();
  const { idempotencyKey } = body;
  const shard = shardOf(idempotencyKey ?? requestId, shardCount);
  const buffer = env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
  const receipt = await unwrap(
    buffer.append({
      databaseId,
      shard,
      requestId,
      idempotencyKey,
      bodySha256: idempotencyKey === null ? null : sha256(body.bytes),
      batches: batches.map(({ tableId, scan, bytes }) => ({
        tableId,
        measurement: scan.measurement,
        rowCount: scan.rowCount,
        timeMinMs: scan.time?.timeMinMs ?? nowMs,
        timeMaxMs: scan.time?.timeMaxMs ?? nowMs,
        receivedUs: nowMs * 1_000,
        bytes,
      })),
    }),
  );
  log.debug("batches stored", {
    request_id: requestId,
    database: name,
    measurements: batches.map(({ scan }) => scan.measurement).join(","),
    rows: receipt.rowCount,
    is_duplicate: receipt.isDuplicate,
  });
  return receipt;
}

/** Refusals that nothing was stored under, and that end when a drop or a rename does. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "schema_stale",
  "measurement_changing",
  "database_unknown",
  "database_dropping",
]);
const TRIES_MAX = 8;
const FIRST_PAUSE_MS = 20;

/** After the first refusal at once, then after pauses that double: some 2.5 s in all. */
async function patiently<T>(work: (isRepeat: boolean) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work(tries > 1);
    } catch (error) {
      const isPassing = isSluiceError(error) && PASSING.has(error.code);
      if (!isPassing || tries === TRIES_MAX) throw error;
    }
    if (tries > 1) await sleep(FIRST_PAUSE_MS * 2 ** (tries - 2));
  }
}

export function receiptHeaders({ rowCount, isDuplicate }: AppendReceipt): Record<string, string> {
  const headers: Record<string, string> = { "x-sluice-rows": String(rowCount) };
  if (isDuplicate) headers["x-sluice-duplicate"] = "true";
  return headers;
}

export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (key.length > 0 && key.length <= LIMITS.idempotencyKeyBytesMax && /^[\x21-\x7e]+$/.test(key)) {
    return key;
  }
  const limit = LIMITS.idempotencyKeyBytesMax;
  const message = `Idempotency-Key must be 1 to ${limit} visible ASCII characters`;
  throw new SluiceError("idempotency_key_invalid", message, { limit });
}

/** The same key always finds the same shard, or a retry would not meet its first try. */
function shardOf(key: string, shardCount: number): number {
  if (shardCount === 1) return 0;
  return createHash("sha256").update(key).digest().readUInt32LE(0) % shardCount;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
