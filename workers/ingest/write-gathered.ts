// Writes whose rows are gathered into columns here: rows, lists, line protocol.
//
// The schema judges columns, after they were gathered. What it refuses is blamed on items or lines;
// in a partial write those are left out and the rest is gathered again, some rounds at most.
//
// Next: write-batches.ts.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { blame } from "#lib/protocol/blame.ts";
import { compressBatch } from "#lib/protocol/compression.ts";
import { checkRejections, type Gathered, type GatheredBatch } from "#lib/protocol/gather.ts";
import type { GatherOptions, PlaceNoun, Rejections } from "#lib/protocol/gather.ts";
import type { BatchToStore } from "#platform/append-batches.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { databaseFor, fitSchemas, offerScans, receiptHeaders } from "./write-batches.ts";
import { type RequestBody, storeBatches } from "./write-batches.ts";

/** Each round can leave out all rows of one kind in one column; hardly any request needs two. */
const ROUNDS_MAX = 16;

/** 204, or with `?partial=1` 200 and what was left out. `gather` may be called several times. */
export async function writeGathered(
  arrival: AdmittedArrival,
  databaseName: string,
  body: RequestBody,
  noun: PlaceNoun,
  gather: (options: GatherOptions) => Gathered,
): Promise<Response> {
  const isPartial = isPartialWrite(arrival.request);
  const first = gatherStage(arrival, () => gather({ noun, isPartial, rejected: new Map() }));
  offerScans(arrival.telemetry, databaseName, first.batches);
  const database = await databaseFor(databaseName, arrival.env);
  const regather = (rejected: Rejections) => gather({ noun, isPartial, rejected });
  const fitted = await fitGathered(database, first, noun, isPartial ? regather : null, arrival.env);
  const { gathered, batches } = fitted;
  for (const { code } of gathered.rejected.values()) arrival.telemetry.leftOut(databaseName, code);
  if (batches.length === 0) {
    offerScans(arrival.telemetry, databaseName, []);
    return partialAnswer(gathered, 0, noun, {});
  }
  const receipt = await storeBatches(arrival, database, batches, body);
  const headers = receiptHeaders(receipt);
  if (isPartial) return partialAnswer(gathered, receipt.rowCount, noun, headers);
  return new Response(null, { status: 204, headers });
}

function gatherStage({ telemetry }: AdmittedArrival, gather: () => Gathered): Gathered {
  using _gather = telemetry.stage("gather");
  return gather();
}

/** What does not compress may have grown beyond what one append can carry. */
export function checkSize(batches: readonly BatchToStore[]): void {
  const limit = LIMITS.bodyBytesMax;
  const byteLength = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (byteLength <= limit) return;
  const message = `as columns the body has ${byteLength} bytes, more than ${limit}`;
  throw new SluiceError("batch_too_large", message, { limit });
}

export function isPartialWrite(request: Request): boolean {
  const value = new URL(request.url).searchParams.get("partial");
  return value === "1" || value === "true";
}

/**
 * What is to be stored, and what it was made of.
 * `regather`: without what is rejected by then; null where nothing may be left out.
 */
export async function fitGathered(
  database: Database,
  first: Gathered,
  noun: PlaceNoun,
  regather: ((rejected: Rejections) => Gathered) | null,
  env: IngestEnv,
): Promise<{ gathered: Gathered; batches: BatchToStore[] }> {
  let gathered = first;
  for (let round = 1; ; round++) {
    try {
      const scans = gathered.batches.map(({ scan }) => scan);
      const schemas = await fitSchemas(database, scans, env);
      return { gathered, batches: compressed(gathered, schemas) };
    } catch (error) {
      const batch = isSluiceError(error) ? batchOf(gathered, error) : undefined;
      if (batch === undefined) throw error;
      const blamed = blame(batch, error as SluiceError, noun);
      if (regather === null || round === ROUNDS_MAX) throw [...blamed.values()][0]!;
      const rejected = new Map([...gathered.rejected, ...blamed]);
      checkRejections(noun, rejected);
      gathered = regather(rejected);
    }
  }
}

function compressed({ batches }: Gathered, schemas: readonly TableSchema[]): BatchToStore[] {
  const toStore = batches.map(({ bytes, scan }, i) => {
    return { tableId: schemas[i]!.tableId, scan, bytes: compressBatch(bytes) };
  });
  checkSize(toStore);
  return toStore;
}

/** undefined: the error is none of the schema's. */
function batchOf({ batches }: Gathered, { detail }: SluiceError): GatheredBatch | undefined {
  return batches.find(({ scan }) => scan.measurement === detail["measurement"]);
}

function partialAnswer(
  { acceptedCount, rejected }: Gathered,
  rowCount: number,
  noun: PlaceNoun,
  headers: Record<string, string>,
): Response {
  const inOrder = [...rejected].toSorted(([a], [b]) => a - b);
  const refusals = inOrder.map(([place, { message, code, detail }]) => {
    return { [noun]: place, error: message, code, detail };
  });
  return json({ accepted: acceptedCount, rows: rowCount, rejected: refusals }, 200, headers);
}
