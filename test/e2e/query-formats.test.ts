// The formats of results and the endpoints that Arc's clients call, over HTTP, on the whole stack.

import { decode } from "@msgpack/msgpack";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { readWithHyparquet } from "../helpers/parquet-readers.ts";
import { Stack } from "../helpers/stack.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const stack = new Stack();
const client = new HttpClient(() => stack.url);
const START = 1_767_225_600_000;
const BIG = 9_007_199_254_740_993n;

beforeAll(async () => {
  await stack.start();
  const columns = {
    time: [START, START + 1],
    host: ["a", "ü"],
    v: [1.5, null],
    n: [BIG, -1n],
  };
  await client.write(encodeBatch("cpu", columns));
  const other = encodeBatch("mem", { time: [START], v: [1] });
  await client.write(other, { database: "events" });
});
afterAll(() => stack.remove());

const SQL = "SELECT host, v, n, time, sum(n) OVER () AS total FROM cpu ORDER BY time";

async function ask(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await client.post(path, body, headers);
  return { status: response.status, headers: response.headers, response };
}

describe("a query's answer", () => {
  test("is JSON, with every digit, or its integers as text", async () => {
    const { response } = await ask("/api/v1/query", { sql: SQL, limit: 5, whatever: true });
    expect(await response.text()).toContain(
      `[["a",1.5,${BIG},"2026-01-01T00:00:00Z",${BIG - 1n}],`,
    );
    const quoted = await ask("/api/v1/query", { sql: SQL, int64: "string" });
    const { data } = (await quoted.response.json()) as { data: unknown[][] };
    expect(data[1]).toEqual(["ü", null, "-1", "2026-01-01T00:00:00.001Z", String(BIG - 1n)]);
  });

  test("is NDJSON or CSV, by `format` or by Accept", async () => {
    const ndjson = await ask("/api/v1/query", { sql: SQL, format: "ndjson" });
    expect(ndjson.headers.get("content-type")).toBe("application/x-ndjson");
    const [first] = (await ndjson.response.text()).split("\n");
    expect(first).toBe(
      `{"host":"a","v":1.5,"n":${BIG},"time":"2026-01-01T00:00:00Z","total":${BIG - 1n}}`,
    );
    const csv = await ask("/api/v1/query", { sql: SQL }, { accept: "text/csv;q=0.9" });
    expect(csv.headers.get("content-type")).toContain("text/csv");
    expect(await csv.response.text()).toBe(
      `host,v,n,time,total\na,1.5,${BIG},2026-01-01T00:00:00Z,${BIG - 1n}\n` +
        `ü,,-1,2026-01-01T00:00:00.001Z,${BIG - 1n}\n`,
    );
  });

  test("is an Arrow stream whose sum of integers is an int64", async () => {
    const { headers, response } = await ask("/api/v1/query/arrow", { sql: SQL, format: "dict" });
    expect(headers.get("content-type")).toBe("application/vnd.apache.arrow.stream");
    expect(Number(headers.get("arc-execution-time-ms"))).toBeGreaterThanOrEqual(0);
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "host Utf8",
      "v Float64",
      "n Int64",
      "time Timestamp<MICROSECOND>",
      "total Int64",
    ]);
    expect(table.getChild("n")!.toJSON()).toEqual([BIG, -1n]);
    expect(table.getChild("total")!.get(0)).toBe(BIG - 1n);
    expect(table.getChild("host")!.toJSON()).toEqual(["a", "ü"]);
  });

  test("is a Parquet file, by `format` or by Accept", async () => {
    const accept = "application/vnd.apache.parquet";
    for (const [body, headers] of [
      [{ sql: SQL, format: "parquet" }, {}],
      [{ sql: SQL }, { accept }],
    ] as const) {
      const answer = await ask("/api/v1/query", body, headers);
      expect(answer.headers.get("content-type")).toBe(accept);
      expect(answer.headers.get("content-disposition")).toContain("result.parquet");
      const content = await readWithHyparquet(await answer.response.bytes());
      expect([...content]).toEqual([
        ["host", ["a", "ü"]],
        ["v", [1.5, null]],
        ["n", [BIG, -1n]],
        ["time", [BigInt(START) * 1_000n, BigInt(START + 1) * 1_000n]],
        ["total", [BIG - 1n, BIG - 1n]],
      ]);
    }
    const got = await client.fetch("/api/v1/query/mem?database=events&format=parquet");
    expect((await readWithHyparquet(await got.bytes())).get("v")).toEqual([1n]);
  });

  test("is MessagePack in Arc's columns", async () => {
    const { response } = await ask("/api/v1/query/msgpack", { sql: SQL });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const answer = decode(bytes, { useBigInt64: true }) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual([
      "success",
      "columns",
      "types",
      "data",
      "row_count",
      "execution_time_ms",
      "timestamp",
    ]);
    expect(answer).toMatchObject({
      success: true,
      columns: ["host", "v", "n", "time", "total"],
      types: ["utf8", "float64", "int64", "timestamp[us]", "int64"],
      data: [
        ["a", "ü"],
        [1.5, null],
        [BIG, -1n],
        [new Date(START), new Date(START + 1)],
        [BIG - 1n, BIG - 1n],
      ],
      row_count: 2,
    });
  });

  test("tells its cost as a profile when asked", async () => {
    const { response } = await ask("/api/v1/query", { sql: SQL }, { "x-arc-profile": "true" });
    expect(await response.json()).toMatchObject({ profile: { tail_rows: 2 } });
  });

  test("is refused in JSON whatever the format", async () => {
    for (const path of ["query", "query/arrow", "query/msgpack", "query/estimate"]) {
      const { status, response } = await ask(`/api/v1/${path}`, { sql: "SELEKT" });
      expect(status, path).toBe(400);
      expect(await response.json(), path).toMatchObject({ success: false, code: "sql_invalid" });
    }
    const odd = await ask("/api/v1/query", { sql: SQL, format: "xml" });
    expect(await odd.response.json()).toMatchObject({
      code: "parameter_invalid",
      detail: { field: "format" },
    });
  });
});

describe("SHOW", () => {
  test("answers in Arrow and MessagePack, too", async () => {
    const arrow = await ask("/api/v1/query/arrow", { sql: "SHOW DATABASES" });
    const table = tableFromIPC(new Uint8Array(await arrow.response.arrayBuffer()));
    expect(table.toArray().map((row) => row.database as string)).toEqual(["default", "events"]);
    const msgpack = await ask("/api/v1/query/msgpack", { sql: "SHOW TABLES FROM events;" });
    expect(decode(new Uint8Array(await msgpack.response.arrayBuffer()))).toMatchObject({
      columns: ["database", "table_name", "storage_path", "file_count", "total_size_mb"],
      types: ["utf8", "utf8", "utf8", "int64", "float64"],
      data: [["events"], ["mem"], ["events/mem"], [0], [0]],
    });
  });
});

describe("the endpoints beside it", () => {
  test("estimate the rows", async () => {
    const { response } = await ask("/api/v1/query/estimate", { sql: "SELECT * FROM cpu" });
    expect(await response.json()).toMatchObject({
      success: true,
      estimated_rows: 2,
      warning_level: "none",
    });
    const many = await ask("/api/v1/query/estimate", { sql: "SELECT * FROM range(200000);" });
    expect(await many.response.json()).toMatchObject({
      estimated_rows: 200_000,
      warning_level: "medium",
    });
    const show = await ask("/api/v1/query/estimate", { sql: "SHOW TABLES" });
    expect(show.status).toBe(400);
  });

  test("give a measurement's rows, by parameters that are SQL and no more than it", async () => {
    const get = async (query: string) => {
      const response = await client.fetch(`/api/v1/query/${query}`);
      return (await response.json()) as { data: unknown[][]; code?: string };
    };
    expect((await get("cpu")).data.map(([time]) => time)).toEqual([
      "2026-01-01T00:00:00.001Z",
      "2026-01-01T00:00:00Z",
    ]);
    const where = encodeURIComponent("host = 'a' OR v > 7 -- yes");
    expect((await get(`cpu?where=${where}&order_by=host&limit=5`)).data).toHaveLength(1);
    expect((await get("cpu?limit=1&offset=1")).data).toHaveLength(1);
    expect((await get("mem?database=events")).data).toHaveLength(1);
    expect((await get("nothing")).data).toEqual([]);
    for (const bad of [
      "cpu?where=1=1) UNION (SELECT 1",
      "cpu?where=1) FROM mem WHERE (1",
      "cpu?order_by=time LIMIT 1",
      "cpu?order_by=time; DROP TABLE cpu",
      "cpu?where=getenv('HOME') = ''",
    ]) {
      expect((await get(bad)).code, bad).toMatch(/^sql_/);
    }
    expect((await get("cpu?limit=-1")).code).toBe("parameter_invalid");
    expect((await get("cpu?limit=1000001")).code).toBe("parameter_invalid");
  });

  test("list the measurements of a database, or of all", async () => {
    const get = async (path: string) => (await client.fetch(path)).json();
    const cpu = { database: "default", measurement: "cpu", file_count: 0, total_size_mb: 0 };
    const mem = { ...cpu, database: "events", measurement: "mem" };
    expect(await get("/api/v1/measurements")).toMatchObject({
      success: true,
      measurements: [cpu, mem],
      count: 2,
    });
    expect(await get("/api/v1/measurements?database=events")).toMatchObject({ count: 1 });
    expect(await get("/api/v1/measurements?database=nowhere")).toMatchObject({ count: 0 });
    expect(await get("/api/v1/databases/default/measurements")).toMatchObject({
      database: "default",
      measurements: [{ name: "cpu", file_count: 0 }],
      count: 1,
    });
  });
});

describe("a long answer", () => {
  const rows = "SELECT i, repeat('x', 100) AS t FROM range(50000) r(i)";

  test("is streamed whole in every format", async () => {
    const text = async (format: string) =>
      (await ask("/api/v1/query", { sql: rows, format })).response.text();
    expect(JSON.parse(await text("json"))).toMatchObject({ row_count: 50_000 });
    expect((await text("ndjson")).split("\n")).toHaveLength(50_001);
    expect((await text("csv")).split("\n")).toHaveLength(50_002);
    const { response } = await ask("/api/v1/query/arrow", { sql: rows });
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    expect(table.numRows).toBe(50_000);
    expect(table.getChild("i")!.get(49_999)).toBe(49_999n);
  });
});
