// A query at the front door: who asks and what is known here; the query Worker does the rest.

import { LIMITS } from "#lib/base/limits.ts";
import { readJsonObject, textField } from "#lib/http/json-body.ts";
import type { AdmittedArrival } from "./arrival.ts";

/** JSON may escape each byte of SQL with up to six characters. */
const BODY_BYTES_MAX = 6 * LIMITS.sqlBytesMax + 100_000;

export async function query(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, requestId, principal, database } = arrival;
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const sql = textField(body, "sql");
  const { databases } = principal;
  // Let go of when this request ends, also when it ends because nobody waits for it any more.
  using held = await env.QUERY.open({ databases, database, sql, requestId });
  return await held.answer();
}
