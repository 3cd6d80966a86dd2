// Measurements as Arc lists them: of one database, or of all that the caller may read.

import { type ErrorCode, SluiceError } from "#lib/base/errors.ts";
import { unknownMeasurement } from "#lib/catalog/table-changes.ts";
import type { ColumnView, TableView } from "#lib/catalog/table-view.ts";
import type { TableSummary, TimeSpanMs } from "#lib/catalog/types.ts";
import type { StatisticValue } from "#lib/columnar/statistics.ts";
import { checkDatabaseName, unknownDatabase } from "#lib/directory/names.ts";
import { demand, mayDo } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { isoTime } from "#lib/protocol/text-times.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

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

/** GET /api/v1/databases/:database/measurements/:measurement?distinct= */
export async function showMeasurement(arrival: AdmittedArrival): Promise<Response> {
  const { env, params } = arrival;
  const name = arrival.database!;
  const measurement = params["measurement"]!;
  const found = await findDatabase(name, env.DIRECTORY);
  if (found === null) throw unknownDatabase(name);
  const catalog = env.DATABASE_CATALOG.getByName(`${found.databaseId}`);
  const view = await unwrap(catalog.viewTable(measurement));
  if (view === null) throw unknownMeasurement(measurement);
  const isDistinctAsked = new URL(arrival.request.url).searchParams.get("distinct") === "true";
  const distinct = isDistinctAsked ? await countDistinct(arrival, view) : null;
  return json({
    database: name,
    name: measurement,
    file_count: view.fileCount,
    row_count: view.rowCount,
    byte_count: view.byteLength,
    ...timeFields("time_min", "time_max", view.time),
    columns: view.columns.map((column, at) => ({
      name: column.name,
      type: column.type,
      null_count: column.nullCount,
      null_share: view.rowCount === 0 ? null : column.nullCount / view.rowCount,
      ...timeFields("first_seen", "last_seen", column.seen),
      min: bound(column, column.min),
      max: bound(column, column.max),
      ...(distinct === null ? {} : { distinct_estimate: distinct[at] }),
    })),
  });
}

/** By the query Worker, over files and buffers: it reads every row. */
async function countDistinct(
  { env, principal, database, requestId, telemetry }: AdmittedArrival,
  { schema, columns }: TableView,
): Promise<number[]> {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const counts = columns.map(({ name }) => `approx_count_distinct(${quoted(name)})`);
  const sql = `SELECT ${counts.join(", ")} FROM ${quoted(schema.measurement)}`;
  const request = {
    databases: principal.databases,
    database,
    question: { kind: "sql", sql, params: [], isEstimate: false },
    result: { format: "json", areLongsQuoted: false, hasProfile: false },
    requestId,
    queryId: crypto.randomUUID(),
    tokenId: principal.tokenId,
    traceparent: telemetry.traceparent,
    isSystem: false,
  } as const;
  using held = await env.QUERY.open(request);
  const response = await held.answer();
  const answer = (await response.json()) as { data?: number[][]; code?: string; error?: string };
  const [row] = answer.data ?? [];
  if (row !== undefined) return row;
  const message = answer.error ?? "there is nothing to count";
  throw new SluiceError((answer.code ?? "query_failed") as ErrorCode, message);
}

function timeFields(min: string, max: string, span: TimeSpanMs | null) {
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return { [min]: iso(span?.timeMinMs), [max]: iso(span?.timeMaxMs) };
}

/** Moments as text; integers as the text that they are kept as, which no reader rounds. */
function bound({ type }: ColumnView, value: StatisticValue): StatisticValue {
  return type === "timestamp" && value !== null ? isoTime(BigInt(value)) : value;
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
