// Queries that the system itself asks, of one database: for its own work, or to make another kind
// of answer of their rows.

import type { ErrorCode } from "#lib/base/errors.ts";
import { type ErrorDetail, ERRORS, SluiceError } from "#lib/base/errors.ts";
import type { QueryParams, QueryRequest } from "#lib/sql/types.ts";

type QueryWorker = IngestEnv["QUERY"];

interface Asked {
  readonly sql: string;
  /** None where it is missing. */
  readonly params?: QueryParams;
  /** The only one that the query may read. */
  readonly database: string;
  readonly requestId: string;
  /** Whose request it is for; where it is missing it is for nobody's. */
  readonly tokenId?: number | null;
}

/** The rows as an Arrow stream. Throws what refuses a query; more than `bytesMax`, too. */
export async function askArrow(
  asked: Asked,
  bytesMax: number,
  worker: QueryWorker,
): Promise<Uint8Array> {
  using held = await worker.open(requestOf(asked, "arrow", false));
  return await bytesOf(await answerOf(held), bytesMax);
}

export interface Rows {
  readonly columns: readonly string[];
  /** As in JSON; integers of 64 bits as texts, which no reader rounds. */
  readonly rows: readonly unknown[][];
  /** Of their JSON. */
  readonly byteLength: number;
}

/** The rows as values. Throws what refuses a query; more than `bytesMax`, too. */
export async function askRows(asked: Asked, bytesMax: number, worker: QueryWorker): Promise<Rows> {
  using held = await worker.open(requestOf(asked, "json", false));
  const bytes = await bytesOf(await answerOf(held), bytesMax);
  const { columns, data } = JSON.parse(new TextDecoder().decode(bytes)) as {
    columns: string[];
    data: unknown[][];
  };
  return { columns, rows: data, byteLength: bytes.byteLength };
}

/** How many rows it has. Throws what refuses a query. */
export async function askRowCount(asked: Asked, worker: QueryWorker): Promise<number> {
  using held = await worker.open(requestOf(asked, "json", true));
  const response = await answerOf(held);
  return ((await response.json()) as { estimated_rows: number }).estimated_rows;
}

function requestOf(
  { sql, params = [], database, requestId, tokenId = null }: Asked,
  format: "arrow" | "json",
  isEstimate: boolean,
): QueryRequest {
  return {
    databases: [database],
    database,
    question: { kind: "sql", sql, params, isEstimate },
    result: { format, areLongsQuoted: true, hasProfile: false },
    requestId,
    queryId: crypto.randomUUID(),
    tokenId,
    traceparent: "",
    isSystem: tokenId === null,
  };
}

async function answerOf(held: { answer(): Promise<Response> }): Promise<Response> {
  const response = await held.answer();
  if (response.ok) return response;
  const body: { error: string; code: string; detail: ErrorDetail } = await response.json();
  const code = body.code in ERRORS ? (body.code as ErrorCode) : "bug";
  throw new SluiceError(code, body.error, body.detail);
}

async function bytesOf(response: Response, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  try {
    for await (const part of response.body!) {
      parts.push(part);
      byteLength += part.byteLength;
      if (byteLength > bytesMax) break;
    }
  } catch (cause) {
    throw new SluiceError("store_unavailable", "the query's answer broke off", {}, { cause });
  }
  if (byteLength <= bytesMax) return Buffer.concat(parts);
  const message = `the query answers with more than ${bytesMax} bytes`;
  throw new SluiceError("query_too_large", message, { limit: bytesMax });
}
