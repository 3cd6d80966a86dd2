// The front door's routes: method, path, what the token must be allowed, and who answers.
//
// Deny by default: a route that is not public says which permission it demands, and for what. A
// test walks this table with tokens of every kind.

import { Hono } from "hono";
import { SluiceError } from "#lib/base/errors.ts";
import { checkDatabaseName, DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { demand, demandSomewhere } from "#lib/directory/permissions.ts";
import type { Permission } from "#lib/directory/types.ts";
import { tokenOf } from "#lib/http/credentials.ts";
import { asSluiceError, ERROR_HEADER, errorResponse } from "#lib/http/respond.ts";
import { authenticate } from "#platform/directory.ts";
import * as alerts from "./alerts.ts";
import type { AdmittedArrival, Arrival } from "./arrival.ts";
import * as continuousQueries from "./continuous-queries.ts";
import { correlate } from "./correlate.ts";
import { createDatabase, listDatabases, showDatabase } from "./databases.ts";
import { queryEvents } from "./event-queries.ts";
import { streamEvents, streamStatus } from "./event-stream.ts";
import { storeEvents } from "./events.ts";
import { listFiles } from "./files.ts";
import { dropDatabase, dropMeasurement, renameMeasurement } from "./drops.ts";
import { flushAll, flushDatabase } from "./flush.ts";
import { health, live, ready } from "./health.ts";
import { docsPage } from "./docs-page.ts";
import { openApiAnswer } from "./openapi-document.ts";
import type { RouteFacts } from "./openapi.ts";
import { databaseMeasurements, listMeasurements, showMeasurement } from "./measurements.ts";
import * as arcMetrics from "./arc-metrics.ts";
import { metrics } from "./metrics.ts";
import * as stats from "./stats.ts";
import * as queries from "./queries.ts";
import { query, queryArrow, queryEstimate, queryMeasurement, queryMsgpack } from "./query.ts";
import * as compaction from "./compaction.ts";
import { deleteConfig, deleteRows } from "./delete.ts";
import * as jobs from "./jobs.ts";
import * as retention from "./retention.ts";
import * as schedulers from "./schedulers.ts";
import { listSegments, replaySegment } from "./segments.ts";
import { tailMeasurement } from "./tail.ts";
import * as tokens from "./tokens.ts";
import * as triggers from "./triggers.ts";
import { importCsv, importLineProtocol } from "./import.ts";
import { importParquet } from "./import-parquet.ts";
import { ping, writeLineProtocol } from "./write-line-protocol.ts";
import { writeMsgpack } from "./write.ts";

/**
 * Where the database is named. `header`: in `x-arc-database`. `path`: in the path. `none`: nowhere.
 * `parameter`: in `?database=`, or else in the header.
 * `db`, `bucket`: in the header, or else in the parameter that InfluxDB 1 and 2 have for it.
 * `later`: in the body, or behind an id; who answers finds it, and demands the permission there.
 */
type Scope = "header" | "path" | "none" | "parameter" | "db" | "bucket" | "later";
type Answer = (arrival: AdmittedArrival) => Promise<Response>;
type PublicAnswer = (arrival: Arrival) => Promise<Response>;

export type Route =
  | readonly ["GET", string, "public", PublicAnswer]
  | readonly [
      "GET" | "QUERY" | "POST" | "PUT" | "PATCH" | "DELETE",
      string,
      Permission,
      Scope,
      Answer,
    ];

export const ROUTES: readonly Route[] = [
  ["POST", "/api/v1/write/msgpack", "write", "header", writeMsgpack],
  ["POST", "/api/v1/write/line-protocol", "write", "header", writeLineProtocol],
  ["POST", "/write", "write", "db", writeLineProtocol],
  ["POST", "/api/v2/write", "write", "bucket", writeLineProtocol],
  ["POST", "/api/v1/import/csv", "admin", "db", importCsv],
  ["POST", "/api/v1/import/lp", "admin", "db", importLineProtocol],
  ["POST", "/api/v1/import/parquet", "admin", "db", importParquet],
  ["POST", "/api/v1/query", "read", "header", query],
  ["POST", "/api/v1/query/arrow", "read", "header", queryArrow],
  ["POST", "/api/v1/query/msgpack", "read", "header", queryMsgpack],
  ["POST", "/api/v1/query/estimate", "read", "header", queryEstimate],
  ["GET", "/api/v1/query/:measurement", "read", "parameter", queryMeasurement],
  ["GET", "/api/v1/tail/:measurement", "read", "parameter", tailMeasurement],
  ["GET", "/api/v1/queries/active", "read", "none", queries.listActive],
  ["GET", "/api/v1/queries/history", "read", "none", queries.listEnded],
  ["GET", "/api/v1/queries/:id", "read", "none", queries.show],
  ["DELETE", "/api/v1/queries/:id", "read", "none", queries.cancel],
  ["GET", "/api/v1/measurements", "read", "none", listMeasurements],

  ["GET", "/api/v1/events", "read", "parameter", queryEvents],
  ["QUERY", "/api/v1/events", "read", "parameter", queryEvents],
  ["POST", "/api/v1/events", "write", "parameter", storeEvents],
  ["GET", "/api/v1/events/stream", "read", "parameter", streamEvents],
  ["GET", "/api/v1/events/stream/status", "read", "parameter", streamStatus],
  ["GET", "/api/v1/correlate", "read", "parameter", correlate],
  ["POST", "/api/v1/correlate", "read", "parameter", correlate],

  ["GET", "/api/v1/databases", "read", "none", listDatabases],
  ["POST", "/api/v1/databases", "admin", "none", createDatabase],
  ["GET", "/api/v1/databases/:database", "read", "path", showDatabase],
  ["GET", "/api/v1/databases/:database/measurements", "read", "path", databaseMeasurements],
  ["DELETE", "/api/v1/databases/:database", "admin", "path", dropDatabase],
  ["GET", "/api/v1/databases/:database/measurements/:measurement", "read", "path", showMeasurement],
  ["GET", "/api/v1/databases/:database/measurements/:measurement/files", "read", "path", listFiles],
  [
    "DELETE",
    "/api/v1/databases/:database/measurements/:measurement",
    "delete",
    "path",
    dropMeasurement,
  ],
  [
    "PATCH",
    "/api/v1/databases/:database/measurements/:measurement",
    "admin",
    "path",
    renameMeasurement,
  ],
  ["POST", "/api/v1/databases/:database/flush", "admin", "path", flushDatabase],
  ["GET", "/api/v1/databases/:database/segments", "admin", "path", listSegments],
  ["POST", "/api/v1/databases/:database/segments/:segment/replay", "admin", "path", replaySegment],
  ["POST", "/api/v1/write/line-protocol/flush", "admin", "none", flushAll],

  ["GET", "/api/v1/continuous_queries", "read", "later", continuousQueries.list],
  ["POST", "/api/v1/continuous_queries", "admin", "later", continuousQueries.create],
  ["GET", "/api/v1/continuous_queries/:id", "read", "later", continuousQueries.show],
  ["PUT", "/api/v1/continuous_queries/:id", "admin", "later", continuousQueries.update],
  ["DELETE", "/api/v1/continuous_queries/:id", "admin", "later", continuousQueries.remove],
  ["POST", "/api/v1/continuous_queries/:id/execute", "admin", "later", continuousQueries.execute],
  [
    "GET",
    "/api/v1/continuous_queries/:id/executions",
    "read",
    "later",
    continuousQueries.executions,
  ],

  ["GET", "/api/v1/triggers", "admin", "later", triggers.list],
  ["POST", "/api/v1/triggers", "admin", "later", triggers.create],
  ["GET", "/api/v1/triggers/:id", "admin", "later", triggers.show],
  ["PUT", "/api/v1/triggers/:id", "admin", "later", triggers.update],
  ["DELETE", "/api/v1/triggers/:id", "admin", "later", triggers.remove],

  ["GET", "/api/v1/alerts", "admin", "later", alerts.list],
  ["POST", "/api/v1/alerts", "admin", "later", alerts.create],
  ["GET", "/api/v1/alerts/:id", "admin", "later", alerts.show],
  ["PUT", "/api/v1/alerts/:id", "admin", "later", alerts.update],
  ["DELETE", "/api/v1/alerts/:id", "admin", "later", alerts.remove],
  ["GET", "/api/v1/alerts/:id/history", "admin", "later", alerts.history],
  ["POST", "/api/v1/alerts/:id/run", "admin", "later", alerts.run],
  ["POST", "/api/v1/alerts/:id/silence", "admin", "later", alerts.silence],

  ["GET", "/api/v1/retention", "read", "later", retention.list],
  ["POST", "/api/v1/retention", "admin", "later", retention.create],
  ["GET", "/api/v1/retention/:id", "read", "later", retention.show],
  ["PUT", "/api/v1/retention/:id", "admin", "later", retention.update],
  ["DELETE", "/api/v1/retention/:id", "admin", "later", retention.remove],
  ["POST", "/api/v1/retention/:id/execute", "admin", "later", retention.execute],
  ["GET", "/api/v1/retention/:id/executions", "read", "later", retention.executions],
  ["POST", "/api/v1/delete", "delete", "later", deleteRows],
  ["GET", "/api/v1/delete/config", "delete", "later", deleteConfig],
  ["GET", "/api/v1/compaction/status", "read", "later", compaction.status],
  ["GET", "/api/v1/compaction/stats", "read", "later", compaction.stats],
  ["GET", "/api/v1/compaction/candidates", "read", "later", compaction.candidates],
  ["GET", "/api/v1/compaction/jobs", "read", "later", compaction.jobs],
  ["GET", "/api/v1/compaction/history", "read", "later", compaction.history],
  ["POST", "/api/v1/compaction/trigger", "admin", "later", compaction.trigger],
  ["GET", "/api/v1/compaction/jobs/:id", "read", "later", jobs.show],
  ["DELETE", "/api/v1/compaction/jobs/:id", "admin", "later", jobs.cancel],
  ["GET", "/api/v1/schedulers", "read", "later", schedulers.list],
  ["POST", "/api/v1/schedulers/retention/trigger", "admin", "later", schedulers.triggerRetention],

  ["GET", "/api/v1/auth/verify", "public", tokens.verify],
  ["GET", "/api/v1/auth/tokens", "admin", "none", tokens.list],
  ["POST", "/api/v1/auth/tokens", "admin", "none", tokens.create],
  ["GET", "/api/v1/auth/tokens/:id", "admin", "none", tokens.show],
  ["PATCH", "/api/v1/auth/tokens/:id", "admin", "none", tokens.update],
  ["DELETE", "/api/v1/auth/tokens/:id", "admin", "none", tokens.remove],
  ["POST", "/api/v1/auth/tokens/:id/rotate", "admin", "none", tokens.rotate],
  ["POST", "/api/v1/auth/tokens/:id/revoke", "admin", "none", tokens.revoke],

  ["GET", "/health", "public", health],
  ["GET", "/ready", "public", ready],
  ["GET", "/live", "public", live],
  ["GET", "/ping", "public", ping],
  ["GET", "/metrics", "public", metrics],
  ["GET", "/api/v1/metrics", "public", arcMetrics.snapshot],
  ["GET", "/api/v1/metrics/memory", "public", arcMetrics.memory],
  ["GET", "/api/v1/metrics/endpoints", "public", arcMetrics.endpoints],
  ["GET", "/api/v1/metrics/query-pool", "public", arcMetrics.queryPool],
  ["GET", "/api/v1/metrics/timeseries/:type", "public", arcMetrics.timeseries],
  ["GET", "/api/v1/stats/overview", "read", "none", stats.overview],
  ["GET", "/api/v1/stats/queries", "read", "none", stats.queries],
  ["GET", "/api/v1/stats/streams", "read", "none", stats.streams],
  ["GET", "/api/v1/stats/resources", "admin", "none", stats.resources],
  ["GET", "/api/v1/stats/costs", "admin", "none", stats.costs],
  ["GET", "/openapi.json", "public", async () => openApiAnswer(ROUTE_FACTS)],
  ["GET", "/docs", "public", async () => docsPage(ROUTE_FACTS)],
];

export const ROUTE_FACTS: readonly RouteFacts[] = ROUTES.map(([method, path, permission]) => ({
  method,
  path,
  permission,
}));

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET,QUERY,POST,PUT,PATCH,DELETE,OPTIONS",
  "access-control-allow-headers":
    "Origin, Content-Type, Accept, Authorization, x-api-key, x-arc-database, Content-Encoding, " +
    "Idempotency-Key, Last-Event-ID, traceparent, tracestate, x-request-id",
  "access-control-expose-headers": "Link, x-next-cursor, x-event-position, x-request-id",
};

const app = new Hono<{ Bindings: Arrival }>({ strict: false });

for (const route of ROUTES) {
  const [method, path] = route;
  app.on(method, path, (context) => {
    context.env.telemetry.routed(path);
    if (route[2] === "public") return route[3](context.env);
    const [, , permission, scope, reply] = route;
    return admit(context.env, permission, scope, context.req.param()).then(reply);
  });
}
app.options("*", () => new Response(null, { status: 204 }));
app.notFound((context) => {
  const { method, path } = context.req;
  const allowed = methodsOf(path);
  const error =
    allowed.length === 0
      ? new SluiceError("route_unknown", `no such route: ${method} ${path}`)
      : new SluiceError("method_not_allowed", `${path} is not for ${method}`, {
          allowed: allowed.join(", "),
        });
  const response = errorResponse(error, context.env.requestId);
  if (allowed.length > 0) response.headers.set("allow", allowed.join(", "));
  return response;
});
app.onError((thrown, context) => refuse(thrown, context.env));

/** Methods that some route of this path has. */
function methodsOf(path: string): string[] {
  const parts = partsOf(path);
  const isMeant = ([, pattern]: Route) => {
    const wanted = partsOf(pattern);
    return (
      wanted.length === parts.length &&
      wanted.every((part, at) => part.startsWith(":") || part === parts[at])
    );
  };
  return [...new Set(ROUTES.filter(isMeant).map(([method]) => method))];
}

/** A slash at the end says nothing. */
function partsOf(path: string): string[] {
  return path.replace(/\/$/, "").split("/");
}

/** Never throws: what goes wrong on the way becomes an answer and a log line. */
export async function answer(arrival: Arrival): Promise<Response> {
  const { request, telemetry } = arrival;
  const response = await app.fetch(request, arrival);
  telemetry.finish(response.status, response.headers.get(ERROR_HEADER));
  const headers = new Headers(response.headers);
  headers.set("traceparent", telemetry.traceparent);
  headers.set("x-request-id", arrival.requestId);
  headers.set("x-content-type-options", "nosniff");
  for (const [name, value] of Object.entries(CORS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

/** Who is it, which database is meant, and may they? */
async function admit(
  arrival: Arrival,
  permission: Permission,
  scope: Scope,
  params: Record<string, string>,
): Promise<AdmittedArrival> {
  const { request, env } = arrival;
  const text = tokenOf(request);
  if (text === null) throw new SluiceError("token_missing", "Authentication required");
  const principal = await authenticate(text, env.ADMIN_TOKEN, env.DIRECTORY);
  const named = databaseNamed(request, scope, params);
  const database = named === null ? null : checkDatabaseName(named);
  arrival.telemetry.admitted(principal.tokenId, database);
  // A query may name its databases in its SQL alone; then the query Worker asks for each of them.
  const isInSql = permission === "read" && scope === "header" && database === null;
  const isAnywhere = scope === "none" || isInSql;
  if (scope === "later") {
    demandSomewhere(principal, permission);
    return { ...arrival, principal, database, params };
  }
  demand(principal, permission, isAnywhere ? null : (database ?? DEFAULT_DATABASE));
  return { ...arrival, principal, database, params };
}

/** null: the request names none. */
function databaseNamed(
  { headers, url }: Request,
  scope: Scope,
  params: Record<string, string>,
): string | null {
  if (scope === "path") return params["database"]!;
  const header = headers.get("x-arc-database") || null;
  const { searchParams } = new URL(url);
  if (scope === "parameter") return searchParams.get("database") || header;
  if (header !== null || (scope !== "db" && scope !== "bucket")) return header;
  return searchParams.get(scope) || null;
}

function refuse(thrown: unknown, { request, requestId, log, telemetry }: Arrival): Response {
  const error = asSluiceError(thrown);
  const path = new URL(request.url).pathname;
  // Neither the path nor the reason: both may quote what the client sent.
  const fields = { request_id: requestId, method: request.method, route: telemetry.route };
  if (error.code === "bug") log.error("request failed", error.cause, fields);
  else log.info("request refused", { ...fields, code: error.code });
  // Clients of InfluxDB 2 show what stands under this name.
  const more = path === "/api/v2/write" ? { message: error.message } : {};
  return errorResponse(error, requestId, more);
}
