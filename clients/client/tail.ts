// The live tail of a measurement: rows as they are acknowledged.

import { SluiceRequestError } from "./errors.ts";
import { parseExactJson } from "./exact-json.ts";
import type { Connection } from "./http.ts";
import { serverEvents } from "./server-events.ts";

export interface TailOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Begin with so many of the last rows. */
  readonly rows?: number;
  /** All when missing. */
  readonly columns?: readonly string[];
  /** Only rows that have these values. */
  readonly where?: Readonly<Record<string, string | number | boolean>>;
}

interface Ending {
  readonly code: string;
  readonly message: string;
}

/**
 * Rows in order per shard of the database. `onGap` hears of rows that could not be shown, since
 * they left the server's log before this reader came to them; SQL has them. Rejects when the
 * measurement is dropped or renamed, or the token may not read it any more.
 */
export async function* tailRows<T>(
  connection: Connection,
  measurement: string,
  { signal, rows, columns, where = {} }: TailOptions,
  retryForMs: number,
  onGap: (gap: SluiceRequestError) => void,
): AsyncGenerator<T> {
  const parameters = new URLSearchParams(
    Object.entries(where).map(([column, value]) => ["where", `${column}:${value}`]),
  );
  if (rows !== undefined) parameters.set("rows", String(rows));
  if (columns !== undefined) parameters.set("columns", columns.join());
  const path = `/api/v1/tail/${encodeURIComponent(measurement)}?${parameters}`;
  for await (const { type, data } of serverEvents(connection, path, { signal, retryForMs })) {
    if (type === "message") yield parseExactJson<T>(data);
    else if (type === "gap") onGap(gapError(measurement, data));
    else if (type === "end") throw endError(data);
  }
}

function gapError(measurement: string, data: string): SluiceRequestError {
  const { message, ...detail } = parseExactJson<{ message: string }>(data);
  return new SluiceRequestError(`${measurement}: ${message}`, { code: "tail_gap", detail });
}

function endError(data: string): SluiceRequestError {
  const { code, message, ...detail } = parseExactJson<Ending>(data);
  return new SluiceRequestError(message, { code, detail });
}
