// Dropping a measurement or a database, and renaming a measurement.
//
// Nothing goes without `?confirm=true`; with `?dry_run=true` nothing goes at all, and the answer
// says what would. How it is done without losing a row of anybody who writes meanwhile:
// lib/catalog/table-changes.ts, lib/directory/database-drops.ts.

import { SluiceError } from "#lib/base/errors.ts";
import type { TableTotals } from "#lib/catalog/types.ts";
import { unknownDatabase } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import { readJsonObject, textField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { measurementNameFault } from "#lib/protocol/walk-batch.ts";
import { findDatabase, forgetDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

const BODY_BYTES_MAX = 10_000;

/** DELETE /api/v1/databases/:database/measurements/:measurement?confirm=&dry_run= */
export async function dropMeasurement(arrival: AdmittedArrival): Promise<Response> {
  const measurement = arrival.params["measurement"]!;
  const database = await databaseOf(arrival);
  const { databaseId, shardCount, name } = database;
  const catalog = arrival.env.DATABASE_CATALOG.getByName(`${databaseId}`);
  const what = `Measurement '${measurement}'`;
  if (isDryRun(arrival)) {
    return answer(
      `${what} would be deleted`,
      await unwrap(catalog.weighTable(measurement, shardCount)),
    );
  }
  demandConfirmation(arrival);
  const dropped = await unwrap(catalog.dropTable(measurement, database));
  note(arrival, "measurement dropped", { database: name, measurement, ...dropped });
  return answer(`${what} deleted`, dropped);
}

/** PATCH /api/v1/databases/:database/measurements/:measurement {"name"} */
export async function renameMeasurement(arrival: AdmittedArrival): Promise<Response> {
  const measurement = arrival.params["measurement"]!;
  const newName = textField(await readJsonObject(arrival.request, BODY_BYTES_MAX), "name");
  const fault = measurementNameFault(newName);
  if (fault !== null) throw new SluiceError("name_invalid", fault, { measurement: newName });
  const database = await databaseOf(arrival);
  const { databaseId, name } = database;
  const catalog = arrival.env.DATABASE_CATALOG.getByName(`${databaseId}`);
  await unwrap(catalog.renameTable(measurement, newName, database));
  note(arrival, "measurement renamed", { database: name, measurement, new_name: newName });
  const message = `Measurement '${measurement}' renamed to '${newName}'`;
  return json({ message, database: name, name: newName });
}

/** DELETE /api/v1/databases/:database?confirm=&dry_run= */
export async function dropDatabase(arrival: AdmittedArrival): Promise<Response> {
  const { env } = arrival;
  const database = await databaseOf(arrival);
  const { name } = database;
  if (!isDryRun(arrival)) demandConfirmation(arrival);
  const totals = await weighDatabase(database, env);
  if (isDryRun(arrival)) return answer(`Database '${name}' would be deleted`, totals);
  await unwrap(env.DIRECTORY.getByName("directory").dropDatabase(name));
  forgetDatabase(name);
  note(arrival, "database dropped", { database: name, ...totals });
  return answer(`Database '${name}' deleted`, totals);
}

/** As the directory knows it now: what is dropped must not be what a copy said some seconds ago. */
async function databaseOf({ env, database }: AdmittedArrival): Promise<Database> {
  forgetDatabase(database!);
  const found = await findDatabase(database!, env.DIRECTORY);
  if (found === null) throw unknownDatabase(database!);
  return found;
}

/** Buffers first, catalog second: rows that are committed between the two are counted once. */
async function weighDatabase(
  { databaseId, shardCount }: Database,
  env: IngestEnv,
): Promise<TableTotals> {
  const buffers = Array.from({ length: shardCount }, (_, shard) =>
    env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`),
  );
  const statuses = await Promise.all(buffers.map((buffer) => unwrap(buffer.status())));
  const segments = statuses.flatMap((status) => status.segments);
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  const tailSegmentIds = segments.map(({ segmentId }) => segmentId);
  const snapshot = await unwrap(catalog.snapshot({ tables: [], tailSegmentIds }));
  const tables = await unwrap(catalog.listTables());
  const committed = new Set(snapshot.committedSegmentIds);
  const waiting = segments.filter(({ segmentId }) => !committed.has(segmentId));
  return {
    fileCount: tables.reduce((sum, { fileCount }) => sum + fileCount, 0),
    rowCount: [...tables, ...waiting].reduce((sum, { rowCount }) => sum + rowCount, 0),
    byteLength: tables.reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

function isDryRun({ request }: AdmittedArrival): boolean {
  return new URL(request.url).searchParams.get("dry_run") === "true";
}

function demandConfirmation({ request }: AdmittedArrival): void {
  if (new URL(request.url).searchParams.get("confirm") === "true") return;
  const message =
    "this cannot be undone: confirm it with ?confirm=true, or look with ?dry_run=true";
  throw new SluiceError("confirmation_required", message, { field: "confirm" });
}

function answer(message: string, { fileCount, rowCount, byteLength }: TableTotals): Response {
  const deleted = { files_deleted: fileCount, rows_deleted: rowCount, bytes_deleted: byteLength };
  return json({ message, ...deleted });
}

function note(
  { log, requestId }: AdmittedArrival,
  event: string,
  fields: Readonly<Record<string, string | number>>,
): void {
  log.info(event, { request_id: requestId, ...fields });
}
