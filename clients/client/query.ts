// SQL over HTTP: rows at once, row by row, as an Arrow table, or as bytes in any format.

import { retrying } from "./back-off.ts";
import { SluiceRequestError } from "./errors.ts";
import { parseExactJson } from "./exact-json.ts";
import { readText, request, unanswered } from "./http.ts";
import type { Connection } from "./http.ts";
import { readLines } from "./lines.ts";

/**
 * Of `?` or `$1` in order, or of `$name`. Values are never read as SQL. A bigint or a Date is sent
 * as text: `?::BIGINT`, `?::TIMESTAMP`.
 */
export type QueryParams = readonly QueryParam[] | Readonly<Record<string, QueryParam>>;
export type QueryParam = string | number | bigint | boolean | Date | null;
export type QueryFormat = "json" | "ndjson" | "csv" | "arrow" | "parquet" | "msgpack";

const RETRY_FOR_MS = 10_000;

interface JsonAnswer {
  readonly columns: readonly string[];
  readonly data: readonly (readonly unknown[])[];
  readonly truncated?: boolean;
}

/** Whole numbers beyond 2^53 are bigints; times are texts in RFC 3339. */
export async function queryRows<T>(
  connection: Connection,
  sql: string,
  params?: QueryParams,
): Promise<T[]> {
  const response = await ask(connection, sql, "json", params);
  const answer = parseExactJson<JsonAnswer>(await readText(response));
  if (answer.truncated === true) throw truncated(answer.data.length);
  const names = uniqueNames(answer.columns);
  return answer.data.map(
    (cells) => Object.fromEntries(names.map((name, at) => [name, cells[at]])) as T,
  );
}

/** As they arrive: an answer of any size is never whole in memory. */
export async function* streamRows<T>(
  connection: Connection,
  sql: string,
  params?: QueryParams,
): AsyncGenerator<T> {
  const response = await ask(connection, sql, "ndjson", params);
  let columns: string | null = null;
  for await (const line of answerLines(response)) {
    const row = parseExactJson<Record<string, unknown>>(line);
    const names = Object.keys(row).join();
    columns ??= names;
    // Errors come as a last line, which has not the columns of a row.
    if (names !== columns) throw lateError(row);
    yield row as T;
  }
}

/** What is common to the tables of all versions of `apache-arrow`. */
export interface ArrowTable {
  readonly numRows: number;
  readonly numCols: number;
  getChild(name: string): { get(row: number): unknown; toArray(): ArrayLike<unknown> } | null;
  toArray(): unknown[];
}

/** Needs the package `apache-arrow`, which is the application's to install. */
export async function queryArrow<T>(
  connection: Connection,
  sql: string,
  params?: QueryParams,
): Promise<T> {
  const arrow = await import("apache-arrow").catch((cause: unknown) => {
    throw new SluiceRequestError("the package apache-arrow is not installed", {
      code: "arrow_missing",
      cause,
    });
  });
  return arrow.tableFromIPC(await queryBytes(connection, sql, "arrow", params)) as T;
}

export async function queryBytes(
  connection: Connection,
  sql: string,
  format: QueryFormat,
  params?: QueryParams,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await ask(connection, sql, format, params);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unanswered("the whole body", cause);
  }
}

/** A query changes nothing: it is asked again when the server is busy or cannot be reached. */
function ask(
  connection: Connection,
  sql: string,
  format: QueryFormat,
  params: QueryParams | undefined,
): Promise<Response> {
  const body = JSON.stringify({ sql, format, ...(params === undefined ? {} : { params }) }, asText);
  const headers = { "content-type": "application/json" };
  return retrying(RETRY_FOR_MS, () =>
    request(connection, "/api/v1/query", { method: "POST", headers, body }),
  );
}

/** Dates become RFC 3339 by their own toJSON. */
function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

async function* answerLines(response: Response): AsyncGenerator<string> {
  try {
    if (response.body !== null) yield* readLines(response.body);
  } catch (cause) {
    throw unanswered("the whole body", cause);
  }
}

function lateError(line: Record<string, unknown>): SluiceRequestError {
  const { error, code, detail, row_count: rowCount } = line;
  if (line["truncated"] === true) return truncated(rowCount as number);
  if (typeof code !== "string") {
    const message = `the rows do not have the same columns: ${Object.keys(line)}`;
    return new SluiceRequestError(message, { code: "answer_incomplete" });
  }
  return new SluiceRequestError(String(error), {
    code,
    detail: (detail ?? {}) as Record<string, unknown>,
  });
}

function truncated(rowCount: number): SluiceRequestError {
  return new SluiceRequestError(
    `the answer has more than its first ${rowCount} rows: ask for fewer, by LIMIT or by time`,
    { code: "answer_truncated", detail: { row_count: rowCount } },
  );
}

/** As the server names them in NDJSON: the second `x` is `x_1`. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let count = 1; taken.has(unique); count++) unique = `${name}_${count}`;
    taken.add(unique);
    return unique;
  });
}
