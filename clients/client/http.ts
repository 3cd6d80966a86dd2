// One request to the server: who asks, how long it may take, and what its errors mean.

import { SluiceRequestError } from "./errors.ts";

export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly database: string;
  readonly fetch: typeof fetch;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal;
}

/**
 * Resolves with an answer that is good. Everything else is a SluiceRequestError, except an abort by
 * the caller's own signal, which rejects with the signal's reason.
 */
export async function request(
  connection: Connection,
  path: string,
  { method = "GET", headers = {}, body, signal }: RequestOptions = {},
): Promise<Response> {
  const { url, token, database } = connection;
  let response: Response;
  try {
    response = await connection.fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "x-arc-database": database, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw unanswered(`${method} ${path}`, cause);
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

/** The body as JSON; null for an empty one. */
export async function requestJson<T>(
  connection: Connection,
  path: string,
  { json, headers, ...options }: RequestOptions & { readonly json?: unknown } = {},
): Promise<T> {
  const sent =
    json === undefined
      ? { ...options, ...(headers === undefined ? {} : { headers }) }
      : {
          ...options,
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(json),
        };
  const text = await readText(await request(connection, path, sent), options.signal);
  return (text === "" ? null : JSON.parse(text)) as T;
}

export async function readText(response: Response, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw unanswered("the body", cause);
  }
}

/** Would the same request, sent again, perhaps be answered otherwise? */
export function isTransient({ status, code }: SluiceRequestError): boolean {
  if (status === null) return code === "unanswered";
  if (code === "query_timeout") return false;
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

export function unanswered(what: string, cause: unknown): SluiceRequestError {
  return new SluiceRequestError(`${what} was not answered: ${reasonOf(cause)}`, {
    code: "unanswered",
    cause,
  });
}

/** Node's fetch says "fetch failed" and has the reason underneath. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? `${error.message}, ${reasonOf(error.cause)}`
    : error.message;
}

async function errorOf(response: Response): Promise<SluiceRequestError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  const { error, code, detail } = shapeOf(text);
  return new SluiceRequestError(error ?? `${status} ${text.slice(0, 200)}`.trim(), {
    code: code ?? `http_${status}`,
    status,
    detail: detail ?? {},
    requestId: headers.get("x-request-id"),
    retryAfterMs: retryAfterMs(headers.get("retry-after")),
  });
}

interface ErrorShape {
  readonly error?: string;
  readonly code?: string;
  readonly detail?: Record<string, unknown>;
}

/** Of a body that something in between has written, too. */
function shapeOf(text: string): ErrorShape {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {};
  }
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
