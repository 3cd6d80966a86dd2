// Queries that last: listed, and ended by request. An admin sees all of them, others their own.

import type { EndedQuery, QueryStatus, QueryViewer } from "#lib/queries/types.ts";
import { mayDo } from "#lib/directory/permissions.ts";
import { json } from "#lib/http/respond.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

export async function listActive(arrival: AdmittedArrival): Promise<Response> {
  return answerOf(await unwrap(registry(arrival).listActive(viewerOf(arrival))));
}

export async function listEnded(arrival: AdmittedArrival): Promise<Response> {
  return answerOf(await unwrap(registry(arrival).listEnded(viewerOf(arrival))));
}

export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { query } = await unwrap(registry(arrival).find(idOf(arrival), viewerOf(arrival)));
  return json({ success: true, query: describe(query) });
}

export async function cancel(arrival: AdmittedArrival): Promise<Response> {
  await unwrap(registry(arrival).cancel(idOf(arrival), viewerOf(arrival)));
  return json({ success: true, id: idOf(arrival), message: "The query ends within a second" }, 202);
}

function registry({ env }: AdmittedArrival) {
  return env.QUERY_REGISTRY.getByName("queries");
}

function viewerOf({ principal }: AdmittedArrival): QueryViewer {
  return { tokenId: principal.tokenId, isAdmin: mayDo(principal, "admin", null) };
}

function idOf({ params }: AdmittedArrival): string {
  return params["id"]!;
}

function answerOf(queries: readonly (QueryStatus | EndedQuery)[]): Response {
  return json({ success: true, queries: queries.map(describe), count: queries.length });
}

function describe(query: QueryStatus | EndedQuery) {
  const isEnded = "outcome" in query;
  const untilMs = isEnded ? query.endedMs : Date.now();
  return {
    id: query.queryId,
    database: query.database,
    sql: query.sql,
    status: isEnded ? "ended" : query.stage,
    started_at: new Date(query.startedMs).toISOString(),
    elapsed_ms: Math.max(0, untilMs - query.startedMs),
    row_count: query.rowCount,
    token_id: query.tokenId,
    ...(isEnded ? { outcome: query.outcome, ended_at: new Date(query.endedMs).toISOString() } : {}),
  };
}
