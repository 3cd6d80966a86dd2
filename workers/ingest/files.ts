// The Parquet files of a measurement: what another engine is to read, no more and no less.
//
// Listing the bucket would not do: it also has files that were replaced, which stay for a while for
// those who read an older version, and files that no commit has named yet.

import { LIMITS } from "#lib/base/limits.ts";
import { unknownMeasurement } from "#lib/catalog/table-changes.ts";
import type { LiveFile } from "#lib/catalog/types.ts";
import { unknownDatabase } from "#lib/directory/names.ts";
import { json } from "#lib/http/respond.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { wholeNumber } from "./query.ts";

const LIMIT_DEFAULT = 10_000;

/** GET /api/v1/databases/:database/measurements/:measurement/files?limit=&after= */
export async function listFiles(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, database, params } = arrival;
  const { searchParams } = new URL(request.url);
  const limit = wholeNumber(searchParams, "limit", LIMIT_DEFAULT, LIMITS.filesPerPageMax);
  const after = wholeNumber(searchParams, "after", 0, Number.MAX_SAFE_INTEGER);
  const found = await findDatabase(database!, env.DIRECTORY);
  if (found === null) throw unknownDatabase(database!);
  const catalog = env.DATABASE_CATALOG.getByName(`${found.databaseId}`);
  const measurement = params["measurement"]!;
  const page = await unwrap(catalog.listFiles(measurement, after, limit));
  if (page === null) throw unknownMeasurement(measurement);
  const { version, files } = page;
  const next = files.length === limit ? (files.at(-1)?.fileId ?? null) : null;
  return json({ database, measurement, version, next, files: files.map(toListed) });
}

function toListed({ key, rowCount, byteLength, timeMinMs, timeMaxMs, sha256 }: LiveFile) {
  return {
    key,
    rows: rowCount,
    bytes: byteLength,
    time_min: new Date(timeMinMs).toISOString(),
    time_max: new Date(timeMaxMs).toISOString(),
    sha256,
  };
}
