// The last steps of every write: the schemas take the batches, the buffer stores them.
//
// All batches of a request are stored or none: the catalog takes their columns in one transaction,
// the buffer their rows. Up to there a failure leaves nothing behind but, at most, a new column
// without rows.
//
// Next: platform/append-batches.ts.

import { createHash } from "node:crypto";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { AppendReceipt } from "#lib/buffer/types.ts";
import type { BatchColumns } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { Database } from "#lib/directory/types.ts";
import { append, type BatchToStore, fitDatabase } from "#platform/append-batches.ts";
import { PASSING, patiently } from "#platform/append-batches.ts";
import { positiveInteger } from "#platform/config.ts";
import { ensureDatabase, forgetDatabase } from "#platform/directory.ts";
import { forgetSchema } from "#platform/schema-cache.ts";
import type { AdmittedArrival } from "./arrival.ts";
import type { OfferedRows, RequestTelemetry } from "./request-telemetry.ts";

/** The request as it came, for the buffer to know it again. */
export interface RequestBody {
  readonly idempotencyKey: string | null;
  readonly bytes: Uint8Array;
}

/** The database of that name, made when there is none. */
export async function databaseFor(name: string, env: IngestEnv): Promise<Database> {
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return await patiently(PASSING, () => ensureDatabase(name, shardCount, env.DIRECTORY));
}

export async function databaseAnew(name: string, env: IngestEnv): Promise<Database> {
  forgetDatabase(name);
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return await ensureDatabase(name, shardCount, env.DIRECTORY);
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
  return await patiently(PASSING, async (isRepeat) => {
    const current = isRepeat ? await databaseAnew(database.name, env) : database;
    return await fitDatabase(current, scans, env);
  });
}

/**
 * Resolves once the batches are durable. The ids of their tables are those of `database`, and are
 * looked up anew together with it, if need be: an id of one database means nothing to another.
 */
export async function storeBatches(
  { env, requestId, log, telemetry }: AdmittedArrival,
  database: Database,
  batches: readonly BatchToStore[],
  { idempotencyKey, bytes }: RequestBody,
): Promise<AppendReceipt> {
  const bodySha256 = idempotencyKey === null ? null : sha256(bytes);
  offerScans(telemetry, database.name, batches);
  using stage = telemetry.stage("append");
  const traceparent = stage.recordedTrace;
  const origin = { requestId, traceparent, idempotencyKey, bodySha256 };
  const receipt = await patiently(PASSING, async (isRepeat) => {
    if (!isRepeat) return await append(database, batches, origin, env);
    const current = await databaseAnew(database.name, env);
    const scans = batches.map(({ scan }) => scan);
    for (const { measurement } of scans) forgetSchema(current.databaseId, measurement);
    const schemas = await fitDatabase(current, scans, env);
    const fitted = batches.map((batch, i) => ({ ...batch, tableId: schemas[i]!.tableId }));
    return await append(current, fitted, origin, env);
  });
  telemetry.settle(receipt);
  log.debug("batches stored", {
    request_id: requestId,
    database: database.name,
    measurements: batches.map(({ scan }) => scan.measurement).join(","),
    rows: receipt.rowCount,
    is_duplicate: receipt.isDuplicate,
  });
  return receipt;
}

/** Before the first step that may refuse them. */
export function offerScans(
  telemetry: RequestTelemetry,
  database: string,
  batches: readonly { readonly scan: OfferedRows }[],
): void {
  telemetry.offer(
    database,
    batches.map(({ scan }) => scan),
  );
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

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
