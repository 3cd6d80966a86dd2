// Queries that the system itself asks, of one database, and that no client waits for.

import type { ErrorCode } from "#lib/base/errors.ts";
import { type ErrorDetail, ERRORS, SluiceError } from "#lib/base/errors.ts";
import type { QueryRequest } from "#lib/sql/types.ts";

type QueryWorker = IngestEnv["QUERY"];

interface Asked {
  readonly sql: string;
  /** The only one that the query may read. */
  readonly database: string;
  readonly requestId: string;
}

/** The rows as an Arrow stream. Throws what refuses a query; more than `bytesMax`, too. */
export async function askArrow(
  asked: Asked,
  bytesMax: number,
  worker: QueryWorker,
): Promise<Uint8Array> {
  using held = await worker.open(requestOf(asked, false));
  const response = await answerOf(held);
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

/** How many rows it has. Throws what refuses a query. */
export async function askRowCount(asked: Asked, worker: QueryWorker): Promise<number> {
  using held = await worker.open(requestOf(asked, true));
  const response = await answerOf(held);
  return ((await response.json()) as { estimated_rows: number }).estimated_rows;
}

function requestOf({ sql, database, requestId }: Asked, isEstimate: boolean): QueryRequest {
  return {
    databases: [database],
    database,
    question: { kind: "sql", sql, params: [], isEstimate },
    result: { format: "arrow", areLongsQuoted: false, hasProfile: false },
    requestId,
    queryId: crypto.randomUUID(),
    tokenId: null,
  };
}

async function answerOf(held: { answer(): Promise<Response> }): Promise<Response> {
  const response = await held.answer();
  if (response.ok) return response;
  const body: { error: string; code: string; detail: ErrorDetail } = await response.json();
  const code = body.code in ERRORS ? (body.code as ErrorCode) : "bug";
  throw new SluiceError(code, body.error, body.detail);
}
