// The engine behind its port, under Node: reading through sources, failing, being stopped.

import { readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
import { beforeAll, describe, expect, test } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import type { FileSource } from "#lib/sql/engine.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { openTestEngine } from "../../helpers/duckdb-wasm.ts";

const NONE = new AbortController().signal;
const NO_FILES = new Map<string, FileSource>();

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

async function rows(sql: string, files = NO_FILES, signal = NONE): Promise<unknown[]> {
  const parts: Uint8Array[] = [];
  for await (const part of engine.run(sql, files, signal)) parts.push(part);
  return tableFromIPC(Buffer.concat(parts)).toArray().map(Object.values);
}

describe("the engine", () => {
  test("answers", async () => {
    expect(await rows("select 42 as a, 'x' as b")).toEqual([[42, "x"]]);
  });
  test("file", async () => {
    const bytes = readFileSync("/tmp/query/p/f.parquet");
    let reads = 0;
    const source = { byteLength: bytes.length, read: async (o: number, n: number) => { reads++; await new Promise(r => setTimeout(r, 1)); return bytes.subarray(o, o + n); } };
    for (let i = 0; i < 3; i++) {
      const t = performance.now();
      console.log(await rows("select event_type, count(*), sum(user_id)::double from 'q/1.parquet' group by 1 order by 1", new Map([["q/1.parquet", source]])), reads, performance.now() - t, engine.memoryBytes);
    }
    await expect(rows("from 'q/1.parquet'")).rejects.toThrow();
  });
});
