// What Arc's clients send, as they send it, and what they read of the answer. Recorded from the
// clients' sources; `npm run test:interop` runs those that can be installed.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);
const T0 = Date.parse("2026-03-01T10:00:00Z");

beforeAll(async () => {
  await stack.start();
  const time = Array.from({ length: 120 }, (_, i) => T0 + i * 1_000);
  const columns = { time, host: time.map((_, i) => `h${i % 2}`), value: time.map((_, i) => i) };
  await client.write(encodeBatch("cpu", columns));
});
afterAll(() => stack.remove());

function send(path: string, headers: Record<string, string>, body: BodyInit): Promise<Response> {
  return fetch(stack.url + path, { method: "POST", headers, body });
}

describe("the Python function of Arc's events document", () => {
  test("gets 204, and its rows come back", async () => {
    const url = new URL("../fixtures/requests/seed-python.msgpack.gz", import.meta.url);
    const headers = {
      "Content-Type": "application/msgpack",
      "Content-Encoding": "gzip",
      Authorization: `Bearer ${ADMIN_TOKEN}`,
      "X-Arc-Database": "events",
    };
    const response = await send("/api/v1/write/msgpack", headers, readFileSync(url));
    expect([response.status, await response.text()]).toEqual([204, ""]);
    const { data } = await client.query(
      `SELECT time, event_type, duration_ms, success, amount, metadata::json->>'replicas'
       FROM system_events ORDER BY time`,
      "events",
    );
    expect(data).toEqual([
      ["2025-10-28T14:00:00Z", "deployment_started", 0, true, 0, "5"],
      ["2025-10-28T14:03:00Z", "deployment_completed", 180_000, true, 0, "5"],
    ]);
  });
});

describe("Grafana's data source", () => {
  const headers = {
    Authorization: `Bearer ${ADMIN_TOKEN}`,
    "X-Arc-Database": "default",
    "Content-Type": "application/json",
  };
  const arrow = async (sql: string) => {
    const response = await send("/api/v1/query/arrow", headers, JSON.stringify({ sql }));
    expect([sql, response.status]).toEqual([sql, 200]);
    expect(response.headers.get("content-type")).toBe("application/vnd.apache.arrow.stream");
    return tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  };

  test("finds it healthy, by SHOW over Arrow", async () => {
    const databases = await arrow("SHOW DATABASES");
    expect(databases.getChildAt(0)?.toArray()).toContain("default");
    const tables = await arrow("SHOW TABLES");
    expect(tables.schema.fields[1]!.name).toBe("table_name");
    expect([...tables.getChildAt(1)!]).toContain("cpu");
  });

  test("draws a series, with its macros written out", async () => {
    const table = await arrow(`SELECT
        to_timestamp((epoch_ns(time) // 1000000000 // 60) * 60) AS time, avg(value) AS value
      FROM cpu WHERE time >= '2026-03-01T10:00:00Z' AND time < '2026-03-01T10:02:00Z'
      GROUP BY 1 ORDER BY 1`);
    expect([...table.getChild("value")!]).toEqual([29.5, 89.5]);
  });

  test("shows the error text of a query that fails", async () => {
    const body = JSON.stringify({ sql: "SELECT nothing FROM cpu" });
    const response = await send("/api/v1/query/arrow", headers, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ success: false, error: /nothing/ });
  });
});

describe("Telegraf", () => {
  test("writes through outputs.arc: an array of column maps", async () => {
    const metrics = [
      { m: "net", columns: { time: [T0 * 1_000], host: ["a"], bytes: [1] } },
      { m: "disk", columns: { time: [T0 * 1_000], host: ["a"], used: [2.5] } },
    ];
    const headers = {
      "x-api-key": ADMIN_TOKEN,
      "x-arc-database": "telegraf",
      "Content-Type": "application/msgpack",
      "Content-Encoding": "gzip",
    };
    const body = new Uint8Array(gzipSync(encode(metrics)));
    expect((await send("/api/v1/write/msgpack", headers, body)).status).toBe(204);
    expect(await client.row("SELECT bytes FROM net", "telegraf")).toEqual([1]);
    expect(await client.row("SELECT used FROM disk", "telegraf")).toEqual([2.5]);
  });

  test("writes line protocol through outputs.influxdb_v2", async () => {
    const lines = `mem,host=a\\ b used_percent=23.4,active=10i ${T0}000000\n`;
    const headers = {
      Authorization: `Token ${ADMIN_TOKEN}`,
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Encoding": "gzip",
    };
    const path = "/api/v2/write?bucket=telegraf&org=example";
    const body = new Uint8Array(gzipSync(lines));
    expect((await send(path, headers, body)).status).toBe(204);
    const row = await client.row("SELECT time, host, used_percent, active FROM mem", "telegraf");
    expect(row).toEqual(["2026-03-01T10:00:00Z", "a b", 23.4, 10]);
  });
});

describe("Superset's dialects", () => {
  const headers = { "X-API-Key": ADMIN_TOKEN, "Content-Type": "application/json" };

  test.each([
    ["SELECT 1", [[1]]],
    ["SELECT 1 as ping", [[1]]],
    ["SELECT host, value FROM default.cpu ORDER BY time LIMIT 1", [["h0", 0]]],
  ])("run %s with their extra keys", async (sql, data) => {
    const body = JSON.stringify({ sql, limit: 1000, format: "json" });
    const response = await send("/api/v1/query", headers, body);
    expect([response.status, await response.json()]).toMatchObject([200, { data }]);
  });

  test("discover tables and columns", async () => {
    const show = await client.query("SHOW TABLES FROM default");
    expect(show.columns.slice(0, 2)).toEqual(["database", "table_name"]);
    expect((await client.query("SELECT * FROM cpu LIMIT 1")).columns).toEqual([
      "time",
      "host",
      "value",
    ]);
  });
});
