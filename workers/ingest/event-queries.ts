// GET and QUERY /api/v1/events: pages of tagged events, and events summed up.
//
// The question is a body, also of a GET as Elasticsearch has it, or URL parameters, or parts of it
// in each. The answer to a page is a bare list; where it goes on stand in headers.

import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { DEFAULT_DATABASE, unknownDatabase } from "#lib/directory/names.ts";
import { aggregateAnswer, aggregateQuestion, aggregateSql } from "#lib/events/query/aggregate.ts";
import type { Sql } from "#lib/events/query/conditions.ts";
import { eventsOf, eventsSql, findKeys } from "#lib/events/query/page.ts";
import { nextCursor, pageQuestion } from "#lib/events/query/page.ts";
import { eventRequest } from "#lib/events/query/request.ts";
import { eventJson } from "#lib/events/types.ts";
import { type JsonObject, readOptionalJsonObject } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { askRows } from "#platform/ask-query.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

const BODY_BYTES_MAX = 200_000;

export async function queryEvents(arrival: AdmittedArrival): Promise<Response> {
  const body = await readOptionalJsonObject(arrival.request, BODY_BYTES_MAX);
  const request = eventRequest(body, new URL(arrival.request.url).searchParams);
  const nowUs = BigInt(Date.now()) * 1_000n;
  return request["aggregator"] === undefined
    ? answerPage(arrival, request, nowUs)
    : answerAggregate(arrival, request, nowUs);
}

async function answerAggregate(
  arrival: AdmittedArrival,
  request: JsonObject,
  nowUs: bigint,
): Promise<Response> {
  const question = aggregateQuestion(request, nowUs);
  const rows = await rowsOf(arrival, aggregateSql(question));
  return json(aggregateAnswer(rows, question));
}

async function answerPage(
  arrival: AdmittedArrival,
  request: JsonObject,
  nowUs: bigint,
): Promise<Response> {
  const question = pageQuestion(request, databaseOf(arrival), nowUs);
  const position = question.position ?? (await streamPosition(arrival));
  const keys = await findKeys(question, position, (sql) => rowsOf(arrival, sql));
  const shown = keys.slice(0, question.rowsMax);
  const rows = shown.length === 0 ? [] : await rowsOf(arrival, eventsSql(shown));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-event-position": `${position}`,
  };
  const cursor = nextCursor(keys, question, position);
  if (cursor !== null) {
    headers["x-next-cursor"] = cursor;
    headers["link"] = `<${nextPath(arrival.request, cursor)}>; rel="next"`;
  }
  return new Response(`[${eventsOf(shown, rows).map(eventJson).join(",")}]`, { headers });
}

/** The same question as far as it stood in the URL; what stood in a body must be sent again. */
function nextPath(request: Request, cursor: string): string {
  const { pathname, searchParams } = new URL(request.url);
  for (const name of ["p", "page", "position"]) searchParams.delete(name);
  searchParams.set("cursor", cursor);
  return `${pathname}?${searchParams}`;
}

/** How far the stream has come: all up to there can be seen by a query. 0 before the first. */
async function streamPosition({ env, database }: AdmittedArrival): Promise<number> {
  const name = database ?? DEFAULT_DATABASE;
  const found = await findDatabase(name, env.DIRECTORY);
  if (found !== null) {
    return await unwrap(env.EVENT_STREAM.getByName(`${found.databaseId}`).position());
  }
  if (name === DEFAULT_DATABASE) return 0;
  throw unknownDatabase(name);
}

/** None where there is no event yet. */
async function rowsOf(
  arrival: AdmittedArrival,
  { text, params }: Sql,
): Promise<readonly unknown[][]> {
  const { env, requestId, principal } = arrival;
  const { tokenId } = principal;
  const asked = { sql: text, params, database: databaseOf(arrival), requestId, tokenId };
  try {
    return (await askRows(asked, LIMITS.eventAnswerBytesMax, env.QUERY)).rows;
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const isDefault = databaseOf(arrival) === DEFAULT_DATABASE;
    if (error.code === "measurement_unknown") return [];
    if (error.code === "database_unknown" && isDefault) return [];
    throw error;
  }
}

function databaseOf({ database }: AdmittedArrival): string {
  return database ?? DEFAULT_DATABASE;
}
