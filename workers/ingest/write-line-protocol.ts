// Line protocol, as clients of InfluxDB 1, of InfluxDB 2 and of Arc send it. The three ways in
// differ in the name of the database's parameter, which the route knows, and in nothing else.
//
// Next: write-gathered.ts.

import { releaseBytes } from "#lib/base/release-bytes.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { gatherLines } from "#lib/protocol/gather-lines.ts";
import { parsePrecision } from "#lib/protocol/line-values.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { decompressStage, readStage } from "./write-body.ts";
import { idempotencyKeyOf } from "./write-batches.ts";
import { writeGathered } from "./write-gathered.ts";

export async function writeLineProtocol(arrival: AdmittedArrival): Promise<Response> {
  const { request } = arrival;
  const idempotencyKey = idempotencyKeyOf(request);
  const precision = parsePrecision(new URL(request.url).searchParams.get("precision") || "ns");
  const bytes = await readStage(arrival);
  const plain = decompressStage(arrival, bytes);
  const receivedUs = Date.now() * 1_000;
  const databaseName = arrival.database ?? DEFAULT_DATABASE;
  try {
    const body = { idempotencyKey, bytes };
    return await writeGathered(arrival, databaseName, body, "line", (options) =>
      gatherLines(plain, precision, receivedUs, options),
    );
  } finally {
    if (plain !== bytes) releaseBytes(plain);
  }
}

/** Clients of InfluxDB ask for it before they write; some insist on a version. */
export async function ping(): Promise<Response> {
  return new Response(null, { status: 204, headers: { "x-influxdb-version": "1.8-sluice" } });
}
