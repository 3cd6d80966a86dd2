// What a client does, and nothing more: batches and SQL over HTTP.

import { gzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { ADMIN_TOKEN } from "./stack.ts";

export type Columns = Readonly<Record<string, readonly unknown[]>>;

export interface WriteOptions {
  readonly database?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface QueryAnswer {
  readonly success: boolean;
  readonly columns: string[];
  readonly data: unknown[][];
  readonly row_count: number;
  readonly code?: string;
  readonly error?: string;
  readonly cost?: Record<string, number>;
}

export function encodeBatch(measurement: string, columns: Columns): Uint8Array<ArrayBuffer> {
  const bytes = encode({ m: measurement, columns }, { useBigInt64: true });
  return gzipSync(bytes, { level: 1 });
}

export class HttpClient {
  readonly #url: () => string;
  readonly #token: string;

  /** `url` is asked each time: a restarted server may have another one. */
  constructor(url: () => string, token = ADMIN_TOKEN) {
    this.#url = url;
    this.#token = token;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${this.#token}`);
    return fetch(this.#url() + path, { ...init, headers });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  }

  write(body: Uint8Array<ArrayBuffer>, options: WriteOptions = {}): Promise<Response> {
    const headers: Record<string, string> = { "content-type": "application/msgpack" };
    if (options.database !== undefined) headers["x-arc-database"] = options.database;
    if (options.key !== undefined) headers["idempotency-key"] = options.key;
    if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
    return this.fetch("/api/v1/write/msgpack", { method: "POST", body, headers });
  }

  async query(sql: string, database = "default"): Promise<QueryAnswer> {
    const response = await this.post("/api/v1/query", { sql }, { "x-arc-database": database });
    return (await response.json()) as QueryAnswer;
  }

  /** The first row of an answer that must not fail. */
  async row(sql: string, database = "default"): Promise<unknown[]> {
    const answer = await this.query(sql, database);
    if (!answer.success) throw new Error(`${sql}: ${answer.error}`);
    return answer.data[0] ?? [];
  }

  async flush(): Promise<void> {
    const response = await this.post("/api/v1/write/line-protocol/flush", {});
    if (!response.ok) throw new Error(`flush: ${response.status} ${await response.text()}`);
  }

  /** Rows that are not in Parquet yet. */
  async bufferedRows(database = "default"): Promise<number> {
    const response = await this.fetch(`/api/v1/databases/${database}`);
    const { buffer } = (await response.json()) as { buffer: { rows: number } };
    return buffer.rows;
  }
}
