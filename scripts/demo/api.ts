// The few calls of the HTTP API that the demo makes beside sending batches.

import type { Answer } from "../../clients/cli/query/table.ts";

export interface Caller {
  readonly url: string;
  readonly token: string;
}

/** Runs SQL in `database`; rejects with the server's own words when it is refused. */
export async function runQuery(caller: Caller, database: string, sql: string): Promise<Answer> {
  const headers = { "X-Arc-Database": database };
  return (await callApi(caller, "POST", "/api/v1/query", { sql }, headers)) as Answer;
}

/** A token that may read and write every database; only this answer ever shows it. */
export async function createToken(admin: Caller, name: string): Promise<string> {
  const permissions = ["read", "write", "delete", "admin"];
  const created = await callApi(admin, "POST", "/api/v1/auth/tokens", { name, permissions });
  return (created as { token: string }).token;
}

/** Resolves when every row acknowledged so far lies in a Parquet file. */
export async function flush(admin: Caller): Promise<void> {
  await callApi(admin, "POST", "/api/v1/write/line-protocol/flush");
}

/** The answer of the call; rejects with the server's own words when it is refused. */
export async function callApi(
  { url, token }: Caller,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
