// Acknowledged, then queried: at once, while it is being flushed, and as Parquet.

import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

// Small segments, so that tail, segments on their way and files are all met in one run.
const stack = new Stack({ SEAL_BYTES: "300000", SEAL_AFTER_MS: "2000" });
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const ROWS = 10_000;
const T0 = Date.parse("2026-03-01T00:00:00Z");

function batch(n: number) {
  const time = Array.from({ length: ROWS }, (_, i) => T0 + n * ROWS + i);
  return encodeBatch("cpu", {
    time,
    batch: time.map(() => n),
    host: time.map((_, i) => `host-${i % 100}`),
    value: time.map((_, i) => (i % 7 === 0 ? null : Math.sin(i + n))),
    ok: time.map((_, i) => i % 3 === 0),
  });
}

async function countInFiles(): Promise<bigint> {
  const duckdb = await DuckDBInstance.create(":memory:");
  const connection = await duckdb.connect();
  // Of the day of the batches alone: what the archive has is of today.
  const glob = join(stack.folder, "data/r2/sluice-lake/db/*/*/2026-03-01/*.parquet");
  const reader = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${glob}')`);
  connection.closeSync();
  duckdb.closeSync();
  return reader.getRows()[0]![0] as bigint;
}

describe("a batch", () => {
  test("is seen by the next query after its 204, wherever it is by then", async () => {
    for (let n = 0; n < 100; n++) {
      const response = await client.write(batch(n));
      expect([response.status, response.headers.get("x-sluice-rows")]).toEqual([204, String(ROWS)]);
      const [count, batches] = await client.row("SELECT count(*), count(DISTINCT batch) FROM cpu");
      expect([count, batches]).toEqual([(n + 1) * ROWS, n + 1]);
    }
  });

  test("is Parquet after a flush: the tail is empty, the count the same, also for others", async () => {
    await client.flush();
    expect(await client.bufferedRows()).toBe(0);
    const { data, cost } = await client.query("SELECT count(*) FROM cpu");
    expect(data).toEqual([[100 * ROWS]]);
    expect(cost).toMatchObject({ tail_rows: 0 });
    expect(await countInFiles()).toBe(100n * BigInt(ROWS));
  });

  test("has every value it was sent with", async () => {
    const sql = `SELECT sum(value), count(value), count(*) FILTER (WHERE ok), count(DISTINCT host),
      min(time), max(time) FROM cpu WHERE batch = 42`;
    const [sum, values, ok, hosts, min, max] = await client.row(sql);
    const kept = Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 7 !== 0);
    expect(sum).toBeCloseTo(
      kept.reduce((total, i) => total + Math.sin(i + 42), 0),
      6,
    );
    expect([values, ok, hosts]).toEqual([kept.length, Math.ceil(ROWS / 3), 100]);
    expect([min, max]).toEqual(["2026-03-01T00:07:00Z", "2026-03-01T00:07:09.999Z"]);
  });

  test("of 1,000,000 rows is taken, one of 1,000,001 is refused and leaves nothing", async () => {
    const rows = (n: number) =>
      encodeBatch("wide_open", { v: Array.from({ length: n }, (_, i) => i) });
    expect((await client.write(rows(1_000_001))).status).toBe(413);
    expect((await client.query("SELECT count(*) FROM wide_open")).columns).toEqual([]);
    expect((await client.write(rows(1_000_000))).status).toBe(204);
    expect(await client.row("SELECT count(*) FROM wide_open")).toEqual([1_000_000]);
  });
});
