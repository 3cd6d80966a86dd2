// Queries at the front door: who asks, for what, in which format. The query Worker does the rest.

import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { type JsonObject, readJsonObject, textField } from "#lib/http/json-body.ts";
import { chooseFormat, type ResultFormat, type ResultOptions } from "#lib/sql/results/format.ts";
import type { QueryParams, Question } from "#lib/sql/types.ts";
import type { AdmittedArrival } from "./arrival.ts";

/** JSON may escape each byte of SQL with up to six characters; parameters come on top. */
const BODY_BYTES_MAX = 6 * LIMITS.sqlBytesMax + 400_000;
const LIMIT_DEFAULT = 100;
const ORDER_DEFAULT = "time DESC";

export async function query(arrival: AdmittedArrival): Promise<Response> {
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  const format = chooseFormat(body["format"], arrival.request.headers.get("accept"));
  return ask(arrival, sqlQuestion(body), resultOptions(arrival.request, format, body["int64"]));
}

export async function queryArrow(arrival: AdmittedArrival): Promise<Response> {
  return queryAs("arrow", arrival);
}

export async function queryMsgpack(arrival: AdmittedArrival): Promise<Response> {
  return queryAs("msgpack", arrival);
}

export async function queryEstimate(arrival: AdmittedArrival): Promise<Response> {
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  const question = { ...sqlQuestion(body), isEstimate: true };
  return ask(arrival, question, resultOptions(arrival.request, "json"));
}

/** The path fixes the format; a `format` in the body is one of the keys that are ignored. */
async function queryAs(format: ResultFormat, arrival: AdmittedArrival): Promise<Response> {
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  return ask(arrival, sqlQuestion(body), resultOptions(arrival.request, format));
}

/** GET /api/v1/query/:measurement?limit=&offset=&order_by=&where=&format= */
export async function queryMeasurement(arrival: AdmittedArrival): Promise<Response> {
  const { searchParams } = new URL(arrival.request.url);
  const named = searchParams.get("format") ?? undefined;
  const format = chooseFormat(named, arrival.request.headers.get("accept"));
  const question: Question = {
    kind: "table",
    measurement: arrival.params["measurement"]!,
    where: searchParams.get("where") || null,
    orderBy: searchParams.get("order_by") || ORDER_DEFAULT,
    limit: wholeNumber(searchParams, "limit", LIMIT_DEFAULT, LIMITS.queryRowsMax),
    offset: wholeNumber(searchParams, "offset", 0, Number.MAX_SAFE_INTEGER),
  };
  const int64 = searchParams.get("int64") ?? undefined;
  return ask(arrival, question, resultOptions(arrival.request, format, int64));
}

async function ask(
  { env, requestId, principal, database, telemetry }: AdmittedArrival,
  question: Question,
  result: ResultOptions,
): Promise<Response> {
  const { databases, tokenId } = principal;
  const queryId = crypto.randomUUID();
  const { traceparent } = telemetry;
  const asked = { databases, database, question, result, requestId, queryId, tokenId };
  const request = { ...asked, traceparent, isSystem: false };
  // Let go of when this request ends, also when it ends because nobody waits for it any more.
  using held = await env.QUERY.open(request);
  return await held.answer();
}

function sqlQuestion(body: JsonObject) {
  const sql = textField(body, "sql");
  return { kind: "sql", sql, params: paramsOf(body["params"] ?? []), isEstimate: false } as const;
}

function paramsOf(value: unknown): QueryParams {
  if (typeof value !== "object" || value === null)
    throw wrongParameter("params", "a list or an object");
  const odd = Object.entries(value).find(([, one]) => typeof one === "object" && one !== null);
  if (odd === undefined) return value as QueryParams;
  throw wrongParameter(`params[${odd[0]}]`, "a number, text, boolean or null");
}

function resultOptions(request: Request, format: ResultFormat, int64?: unknown): ResultOptions {
  if (int64 !== undefined && int64 !== "string" && int64 !== "number") {
    throw wrongParameter("int64", "string or number");
  }
  const hasProfile = request.headers.get("x-arc-profile") === "true";
  return { format, areLongsQuoted: int64 === "string", hasProfile };
}

/** Of a parameter that may be missing. Throws `parameter_invalid`. */
export function wholeNumber(
  parameters: URLSearchParams,
  field: string,
  fallback: number,
  max: number,
): number {
  const text = parameters.get(field);
  if (text === null || text === "") return fallback;
  if (/^\d{1,16}$/.test(text) && Number(text) <= max) return Number(text);
  throw wrongParameter(field, `a whole number up to ${max}`);
}
