// Step 1, continued: the handler of a write, from bytes to acknowledgement.
//
// In this order, because each step is dearer than the one before and trusts it: read under a cap,
// unpack under a cap, scan every byte, ask the schema, append. The 204 is sent only after the
// buffer has the batch on disk; up to then a failure leaves nothing behind but, at most, a new
// column without rows.
//
// The batch is stored as it was received, compressed and undecoded. It is scanned here so that
// whatever is acknowledged can be decoded later; decoding here as well would cost the ack path
// twice.
//
// Next: lib/http/body.ts.

import { createHash } from "node:crypto";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { AppendReceipt } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import { readBody } from "#lib/http/body.ts";
import { decompressBody, releaseBytes } from "#lib/protocol/compression.ts";
import { type BatchScan, scanBatch } from "#lib/protocol/scan-batch.ts";
import { positiveInteger } from "#platform/config.ts";
import { ensureDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { findSchema, rememberSchema } from "./schema-cache.ts";

export async function writeMsgpack(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, requestId, log } = arrival;
  const idempotencyKey = idempotencyKeyOf(request);
  const bytes = await readBody(request, LIMITS.bodyBytesMax);
  const scan = scanBody(bytes, request.headers.get("content-encoding"));

  const name = arrival.database ?? DEFAULT_DATABASE;
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  const database = await ensureDatabase(name, shardCount, env.DIRECTORY);
  const schema = await fitSchema(database, scan, env);
  const receipt = await append(arrival, database, schema, scan, bytes, idempotencyKey);

  log.debug("batch stored", {
    request_id: requestId,
    database: name,
    measurement: scan.measurement,
    rows: receipt.rowCount,
    is_duplicate: receipt.isDuplicate,
  });
  const headers = { "x-sluice-rows": String(receipt.rowCount) };
  const duplicate: Record<string, string> = receipt.isDuplicate
    ? { "x-sluice-duplicate": "true" }
    : {};
  return new Response(null, { status: 204, headers: { ...headers, ...duplicate } });
}

function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (key.length > 0 && key.length <= LIMITS.idempotencyKeyBytesMax && /^[\x21-\x7e]+$/.test(key)) {
    return key;
  }
  const limit = LIMITS.idempotencyKeyBytesMax;
  const message = `Idempotency-Key must be 1 to ${limit} visible ASCII characters`;
  throw new SluiceError("idempotency_key_invalid", message, { limit });
}

function scanBody(bytes: Uint8Array, declaredEncoding: string | null): BatchScan {
  const plain = decompressBody(bytes, declaredEncoding);
  try {
    return scanBatch(plain);
  } finally {
    if (plain !== bytes) releaseBytes(plain);
  }
}

/** The table's schema, which takes the batch; grown for it if need be. Throws on a conflict. */
async function fitSchema(
  database: Database,
  scan: BatchScan,
  env: IngestEnv,
): Promise<TableSchema> {
  const { databaseId } = database;
  const known = findSchema(databaseId, scan.measurement);
  if (known !== null && takes(known, scan)) return known;
  // Unknown, to be grown, or in conflict with a copy that may be old: the catalog decides.
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  const schema = await unwrap(catalog.extendSchema(databaseId, scan.measurement, scan.columns));
  rememberSchema(databaseId, schema);
  return schema;
}

function takes(schema: TableSchema, scan: BatchScan): boolean {
  try {
    return growSchema(schema.columns, scan.columns).length === 0;
  } catch (error) {
    if (isSluiceError(error)) return false;
    throw error;
  }
}

async function append(
  { env, requestId }: AdmittedArrival,
  { databaseId, shardCount }: Database,
  { tableId }: TableSchema,
  scan: BatchScan,
  bytes: Uint8Array,
  idempotencyKey: string | null,
): Promise<AppendReceipt> {
  const nowMs = Date.now();
  const { measurement, rowCount, time } = scan;
  const shard = shardOf(idempotencyKey ?? requestId, shardCount);
  const buffer = env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
  return await unwrap(
    buffer.append({
      databaseId,
      shard,
      requestId,
      idempotencyKey,
      bodySha256: idempotencyKey === null ? null : sha256(bytes),
      batches: [
        {
          tableId,
          measurement,
          rowCount,
          timeMinMs: time?.timeMinMs ?? nowMs,
          timeMaxMs: time?.timeMaxMs ?? nowMs,
          receivedUs: nowMs * 1_000,
          bytes,
        },
      ],
    }),
  );
}

/** The same key always finds the same shard, or a retry would not meet its first try. */
function shardOf(key: string, shardCount: number): number {
  if (shardCount === 1) return 0;
  return createHash("sha256").update(key).digest().readUInt32LE(0) % shardCount;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
