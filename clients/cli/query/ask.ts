// One query and where its answer goes: a table, or the server's bytes as they come.

import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { once } from "node:events";

import { parseExactJson } from "../../client/exact-json.ts";
import { readText, request, unanswered, type Connection } from "../../client/http.ts";
import { readLines } from "../../client/lines.ts";
import { CommandFailed } from "../command.ts";
import { paint, print, startProgress, widthOf } from "../terminal.ts";
import { formatTable, type Answer } from "./table.ts";

export const FORMATS = ["table", "csv", "json", "ndjson", "parquet", "arrow"] as const;

export type Format = (typeof FORMATS)[number];

export interface Question {
  readonly sql: string;
  /** Values of `?` in order. */
  readonly params: readonly unknown[];
  readonly signal?: AbortSignal;
}

const TABLE_ROWS_MAX = 1_000;

interface JsonAnswer extends Answer {
  readonly row_count: number;
  readonly execution_time_ms: number;
  readonly truncated?: boolean;
}

/** Prints the answer as a table, and on standard error what it took. */
export async function showTable(connection: Connection, question: Question): Promise<void> {
  const response = await ask(connection, question, "json");
  const answer = parseExactJson<JsonAnswer>(await readText(response, question.signal));
  const lines = formatTable(answer, widthOf(process.stdout), TABLE_ROWS_MAX);
  await print(`${lines.join("\n")}\n`);
  if (answer.columns.length === 0) {
    process.stderr.write("(there is no such measurement, or no row was ever written to it)\n");
    return;
  }
  const rows = `${answer.row_count.toLocaleString("en-US")} row${answer.row_count === 1 ? "" : "s"}`;
  const more = answer.truncated === true ? ", and there are more" : "";
  const summary = `(${rows}${more}, ${answer.execution_time_ms} ms)`;
  process.stderr.write(`${paint(process.stderr, "dim", summary)}\n`);
}

/** Prints the answer in the server's own words. Fails when it is not whole. */
export async function printAnswer(
  connection: Connection,
  question: Question,
  format: Exclude<Format, "table">,
): Promise<void> {
  const response = await ask(connection, question, format);
  for await (const chunk of wholeAnswer(response, format)) await print(chunk);
}

/** The file appears when the answer is whole, and not before. */
export async function saveAnswer(
  connection: Connection,
  question: Question,
  format: Exclude<Format, "table">,
  path: string,
): Promise<void> {
  const partPath = `${path}.part`;
  const progress = startProgress();
  try {
    const response = await ask(connection, question, format);
    const file = createWriteStream(partPath);
    const closed = once(file, "close");
    let bytes = 0;
    for await (const chunk of wholeAnswer(response, format)) {
      bytes += chunk.length;
      progress.update(`${path}: ${(bytes / 1e6).toFixed(1)} MB`);
      if (!file.write(chunk)) await once(file, "drain");
    }
    file.end();
    await closed;
    await rename(partPath, path);
    progress.end();
    process.stderr.write(`${path}: ${bytes.toLocaleString("en-US")} bytes\n`);
  } catch (error) {
    progress.end();
    await rm(partPath, { force: true });
    throw error;
  }
}

function ask(connection: Connection, { sql, params, signal }: Question, format: string) {
  return request(connection, "/api/v1/query", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql, format, ...(params.length > 0 ? { params } : {}) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* wholeAnswer(
  response: Response,
  format: Exclude<Format, "table">,
): AsyncGenerator<string | Uint8Array> {
  if (response.body === null) return;
  try {
    if (format === "ndjson") yield* wholeLines(response.body);
    else yield* response.body;
  } catch (error) {
    if (error instanceof CommandFailed || (error as Error).name === "AbortError") throw error;
    throw unanswered("the whole query", error);
  }
}

/** An error after the answer has begun is the last line, so each line waits for the next one. */
async function* wholeLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let last: string | null = null;
  for await (const line of readLines(body)) {
    if (last !== null) yield `${last}\n`;
    last = line;
  }
  if (last === null) return;
  const { error, code, truncated, row_count } = parseExactJson<Record<string, unknown>>(last);
  if (typeof error === "string" && typeof code === "string") {
    throw new CommandFailed(`the query broke off: ${error} (${code})`);
  }
  if (truncated === true) {
    throw new CommandFailed(`the answer ends after ${String(row_count)} rows, and there are more`);
  }
  yield `${last}\n`;
}
