// GET and POST /api/v1/correlate: everything around an incident, out of all four pillars.
//
// One query per measurement, a few at a time: what a measurement is, its columns tell
// (lib/correlate/pillars.ts).

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { Correlation, type CorrelateAnswer } from "#lib/correlate/answer.ts";
import { type PillarTable, pillarTables, schemaNamed } from "#lib/correlate/pillars.ts";
import { correlateBody, type CorrelateRequest } from "#lib/correlate/request.ts";
import { correlateRequest, type Incident, spanAround } from "#lib/correlate/request.ts";
import { incidentSql, rowsSql, type Span } from "#lib/correlate/rows.ts";
import { DEFAULT_DATABASE, unknownDatabase } from "#lib/directory/names.ts";
import type { Sql } from "#lib/events/query/conditions.ts";
import { readOptionalJsonObject } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { isoTime } from "#lib/protocol/text-times.ts";
import { askRows, type Rows } from "#platform/ask-query.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

const BODY_BYTES_MAX = 200_000;
const QUERIES_AT_ONCE = 4;

/** The question is a body, also of a GET, or URL parameters, or some of it in each. */
export async function correlate(arrival: AdmittedArrival): Promise<Response> {
  const body = await readOptionalJsonObject(arrival.request, BODY_BYTES_MAX);
  const parameters = new URL(arrival.request.url).searchParams;
  const request = correlateRequest(correlateBody(body, parameters), BigInt(Date.now()) * 1_000n);
  const schemas = await schemasOf(arrival);
  const tables = pillarTables(schemas, request.measurements);
  const { center } = request;
  const span =
    center.kind === "span" ? center : await findIncident(arrival, center.incident, schemas);
  const found = await rowsAround(arrival, tables, span, request);
  return json({ from: shortTime(span.fromUs), to: shortTime(span.toUs), ...found });
}

/** As the times of rows are shown: with a fraction where there is one. */
function shortTime(us: bigint): string {
  return isoTime(us).replace(".000Z", "Z");
}

async function schemasOf({ env, database }: AdmittedArrival): Promise<TableSchema[]> {
  const name = database ?? DEFAULT_DATABASE;
  const found = await findDatabase(name, env.DIRECTORY);
  if (found === null) {
    if (name === DEFAULT_DATABASE) return [];
    throw unknownDatabase(name);
  }
  const catalog = env.DATABASE_CATALOG.getByName(`${found.databaseId}`);
  const tables = await unwrap(catalog.listTables());
  const schemas = await unwrap(catalog.schemas(tables.map(({ tableId }) => tableId)));
  return schemas.filter((schema) => schema !== null);
}

async function findIncident(
  arrival: AdmittedArrival,
  incident: Incident,
  schemas: readonly TableSchema[],
): Promise<Span> {
  const sql = incidentSql(incident, schemaNamed(schemas, incident.measurement));
  const [row] = (await ask(arrival, sql, LIMITS.eventAnswerBytesMax)).rows;
  if (row !== undefined) return spanAround(BigInt(row[0] as string), incident);
  const message = `no row of "${incident.measurement}" meets the incident's conditions`;
  throw new SluiceError("incident_unknown", message, { measurement: incident.measurement });
}

async function rowsAround(
  arrival: AdmittedArrival,
  tables: readonly PillarTable[],
  span: Span,
  request: CorrelateRequest,
): Promise<CorrelateAnswer> {
  const correlation = new Correlation(request.rowsMax);
  let bytesLeft = LIMITS.eventAnswerBytesMax;
  const waiting = [...tables];
  const runner = async () => {
    for (let table = waiting.shift(); table !== undefined; table = waiting.shift()) {
      const { rows, byteLength } = await ask(arrival, rowsSql(table, span, request), bytesLeft);
      bytesLeft -= byteLength;
      if (bytesLeft < 0) throw tooLarge();
      correlation.add(table, rows);
    }
  };
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, runner));
  return correlation.answer();
}

function ask(arrival: AdmittedArrival, { text, params }: Sql, bytesMax: number): Promise<Rows> {
  const { env, requestId, principal } = arrival;
  const database = arrival.database ?? DEFAULT_DATABASE;
  const { tokenId } = principal;
  return askRows({ sql: text, params, database, requestId, tokenId }, bytesMax, env.QUERY);
}

function tooLarge(): SluiceError {
  const limit = LIMITS.eventAnswerBytesMax;
  const message = `there are more than ${limit} bytes around it: narrow the time, or lower "limit"`;
  return new SluiceError("query_too_large", message, { limit });
}
