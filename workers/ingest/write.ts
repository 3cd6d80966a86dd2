// Step 1, continued: the handler of a write, from bytes to acknowledgement.
//
// In this order, because each step is dearer than the one before and trusts it: read under a cap,
// unpack under a cap, scan every byte, ask the schema, append. The 204 is sent only after the
// buffer has the batch on disk.
//
// A batch in columns is stored as it was received, compressed and undecoded. It is scanned here so
// that whatever is acknowledged can be decoded later; decoding here as well would cost the ack path
// twice. The other forms of a body are turned into such batches: write-gathered.ts.
//
// Next: lib/http/body.ts.

import { releaseBytes } from "#lib/base/release-bytes.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { gatherItems, holdsItems } from "#lib/protocol/gather-items.ts";
import { type BatchScan, scanBatch } from "#lib/protocol/scan-batch.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { decompressStage, readStage } from "./write-body.ts";
import { databaseFor, fitSchemas, idempotencyKeyOf, offerScans } from "./write-batches.ts";
import { receiptHeaders, type RequestBody, storeBatches } from "./write-batches.ts";
import { isPartialWrite, writeGathered } from "./write-gathered.ts";

export async function writeMsgpack(arrival: AdmittedArrival): Promise<Response> {
  const { request, telemetry } = arrival;
  const idempotencyKey = idempotencyKeyOf(request);
  const bytes = await readStage(arrival);
  const body = { idempotencyKey, bytes };
  const plain = decompressStage(arrival, bytes);
  let scan: BatchScan;
  try {
    if (isPartialWrite(request) || holdsItems(plain)) {
      return await writeItems(arrival, body, plain);
    }
    using _scan = telemetry.stage("scan");
    scan = scanBatch(plain);
  } finally {
    if (plain !== bytes) releaseBytes(plain);
  }
  return await writeColumns(arrival, body, scan);
}

async function writeColumns(
  arrival: AdmittedArrival,
  body: RequestBody,
  scan: BatchScan,
): Promise<Response> {
  const { env, telemetry } = arrival;
  const databaseName = arrival.database ?? DEFAULT_DATABASE;
  offerScans(telemetry, databaseName, [{ scan }]);
  const schemaStage = telemetry.stage("schema");
  const database = await databaseFor(databaseName, env);
  const [schema] = await fitSchemas(database, [scan], env);
  schemaStage[Symbol.dispose]();
  const batch = { tableId: schema!.tableId, scan, bytes: body.bytes };
  const receipt = await storeBatches(arrival, database, [batch], body);
  return new Response(null, { status: 204, headers: receiptHeaders(receipt) });
}

async function writeItems(
  arrival: AdmittedArrival,
  body: RequestBody,
  plain: Uint8Array,
): Promise<Response> {
  const receivedUs = Date.now() * 1_000;
  const databaseName = arrival.database ?? DEFAULT_DATABASE;
  return await writeGathered(arrival, databaseName, body, "item", (options) =>
    gatherItems(plain, receivedUs, options),
  );
}
