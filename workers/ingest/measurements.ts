// Measurements as Arc lists them: of one database, or of all that the caller may read.

import type { TableSummary } from "#lib/catalog/types.ts";
import { checkDatabaseName } from "#lib/directory/names.ts";
import { demand, mayDo } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { unknownDatabase } from "./flush.ts";

/** GET /api/v1/measurements?database= */
export async function listMeasurements(arrival: AdmittedArrival): Promise<Response> {
  const startMs = Date.now();
  const databases = await databasesAsked(arrival);
  const lists = await Promise.all(databases.map((database) => listOf(database, arrival.env)));
  const measurements = lists.flat();
  const count = measurements.length;
  return json({ success: true, measurements, count, execution_time_ms: Date.now() - startMs });
}

/** GET /api/v1/databases/:database/measurements */
export async function databaseMeasurements({ env, database }: AdmittedArrival): Promise<Response> {
  const found = await findDatabase(database!, env.DIRECTORY);
  if (found === null) throw unknownDatabase(database!);
  const measurements = (await tablesOf(found, env)).map(
    ({ measurement, fileCount, rowCount, byteLength }) => ({
      name: measurement,
      file_count: fileCount,
      row_count: rowCount,
      total_size_mb: megabytes(byteLength),
    }),
  );
  return json({ database, measurements, count: measurements.length });
}

/** A database that does not exist has no measurements. */
async function databasesAsked({ request, env, principal }: AdmittedArrival): Promise<Database[]> {
  const named = new URL(request.url).searchParams.get("database") || null;
  if (named === null) {
    const all = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
    return all.filter(({ name }) => mayDo(principal, "read", name));
  }
  demand(principal, "read", checkDatabaseName(named));
  const found = await findDatabase(named, env.DIRECTORY);
  return found === null ? [] : [found];
}

async function listOf(database: Database, env: IngestEnv) {
  const tables = await tablesOf(database, env);
  return tables.map(({ measurement, fileCount, byteLength }) => ({
    database: database.name,
    measurement,
    file_count: fileCount,
    total_size_mb: megabytes(byteLength),
    storage_path: `${database.name}/${measurement}`,
  }));
}

function tablesOf({ databaseId }: Database, env: IngestEnv): Promise<TableSummary[]> {
  return unwrap(env.DATABASE_CATALOG.getByName(`${databaseId}`).listTables());
}

function megabytes(byteLength: number): number {
  return Math.round(byteLength / 10_000) / 100;
}
