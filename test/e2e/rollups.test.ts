// Continuous queries on the real stack, over HTTP alone: the timer, late rows, a chain, back-fill,
// and a crash.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const PATH = "/api/v1/continuous_queries";
const MONDAY = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
const WAIT_MS = 60_000;

const TEN_SECONDS = {
  name: "load by ten seconds",
  source_measurement: "cpu",
  destination_measurement: "cpu_10s",
  query:
    "SELECT time_bucket(INTERVAL '10 seconds', time) AS time, host, sum(load) AS load FROM cpu " +
    "WHERE time >= '{start_time}' AND time < '{end_time}' GROUP BY ALL",
  interval: "10s",
  tag_columns: ["host"],
  retention_days: 30,
};
const HOURLY = {
  name: "load by the hour",
  source_measurement: "cpu_10s",
  destination_measurement: "cpu_1h",
  query:
    "SELECT date_trunc('hour', time) AS time, sum(load) AS load FROM cpu_10s " +
    "WHERE time >= {start_time} AND time < {end_time} GROUP BY 1",
  interval: "1h",
};

type Json = Record<string, unknown>;

let stack: Stack;
let client: HttpClient;
beforeAll(async () => {
  stack = new Stack();
  await stack.start();
  client = new HttpClient(() => stack.url);
}, 120_000);
afterAll(() => stack.remove());

async function write(times: readonly number[]): Promise<void> {
  const columns = { time: times, host: times.map(() => "a"), load: times.map(() => 1) };
  const response = await client.write(encodeBatch("cpu", columns));
  expect(response.status).toBe(204);
  await client.flush();
}

async function call(method: string, path: string, body?: Json): Promise<[number, Json]> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await client.fetch(PATH + path, { method, ...init });
  return [response.status, (await response.json()) as Json];
}

/** The rows of both, once they are the same and so many, or after a minute. */
async function rowsOf(destination: string, source: string, rowCount: number) {
  const untilMs = Date.now() + WAIT_MS;
  for (;;) {
    const { data: made } = await client.query(destination);
    const { data: wanted } = await client.query(source);
    const isEqual = JSON.stringify(made) === JSON.stringify(wanted) && made.length === rowCount;
    if (isEqual || Date.now() > untilMs) return { made, wanted, rowCount: made.length };
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const MADE_10S = "SELECT time, host, load FROM cpu_10s ORDER BY time";
const WANTED_10S = `SELECT time_bucket(INTERVAL '10 seconds', time) AS time, host,
  sum(load) AS load FROM cpu GROUP BY ALL ORDER BY time`;
const MADE_1H = "SELECT time, load FROM cpu_1h ORDER BY time";
const WANTED_1H = `SELECT date_trunc('hour', time) AS time, sum(load) AS load FROM cpu
  GROUP BY 1 ORDER BY time`;

describe("a continuous query", () => {
  let id: number;
  let hourlyId: number;

  test("is made, shown and listed in Arc's shape, and begins with what there is", async () => {
    await write([MONDAY, MONDAY + 1, MONDAY + 10_000, MONDAY + 2 * HOUR]);
    const [status, made] = await call("POST", "", TEN_SECONDS);
    expect([status, made]).toMatchObject([201, { ...TEN_SECONDS, is_active: true }]);
    id = made["id"] as number;
    expect((await call("GET", `/${id}`))[1]).toMatchObject({ id, database: "default" });
    const [, listed] = await call("GET", "?database=default");
    expect(listed).toMatchObject([{ id }]);
    const rows3 = await rowsOf(MADE_10S, WANTED_10S, 3);
    expect([rows3.made, rows3.rowCount]).toEqual([rows3.wanted, 3]);
  }, 120_000);

  test("takes in late rows by its timer, through a crash", async () => {
    await write([MONDAY + 2, MONDAY - 5 * HOUR, MONDAY + 2 * HOUR + 1]);
    await stack.restart();
    const rows4 = await rowsOf(MADE_10S, WANTED_10S, 4);
    expect([rows4.made, rows4.rowCount]).toEqual([rows4.wanted, 4]);
  }, 180_000);

  test("is the source of another one, which is brought up to date on request", async () => {
    const [, made] = await call("POST", "", HOURLY);
    hourlyId = made["id"] as number;
    const rows3 = await rowsOf(MADE_1H, WANTED_1H, 3);
    expect([rows3.made, rows3.rowCount]).toEqual([rows3.wanted, 3]);
    await write([MONDAY + 3, MONDAY + 9 * HOUR]);
    for (const one of [id, hourlyId]) {
      const [status, executed] = await call("POST", `/${one}/execute`, {});
      expect([status, executed]).toMatchObject([200, { query_id: one, status: "completed" }]);
    }
    const rows4 = await rowsOf(MADE_1H, WANTED_1H, 4);
    expect([rows4.made, rows4.rowCount]).toEqual([rows4.wanted, 4]);
  }, 180_000);

  test("computes a stretch of time again, and says before what that would be", async () => {
    const stretch = { start_time: "2026-01-05T00:30:00Z", end_time: "2026-01-05T02:00:00Z" };
    const [, preview] = await call("POST", `/${id}/execute`, { ...stretch, dry_run: true });
    expect(preview).toMatchObject({
      dry_run: true,
      records_read: 5,
      records_written: 2,
      start_time: "2026-01-05T00:00:00Z",
      end_time: "2026-01-05T02:00:00Z",
    });
    expect(preview["executed_query"]).toContain("time >= '2026-01-05T00:00:00Z'");
    const [status, executed] = await call("POST", `/${id}/execute`, stretch);
    expect([status, executed]).toMatchObject([
      200,
      { status: "completed", records_read: 5, records_written: 2, dry_run: false },
    ]);
    const rows5 = await rowsOf(MADE_10S, WANTED_10S, 5);
    expect([rows5.made, rows5.rowCount]).toEqual([rows5.wanted, 5]);
    const [, { executions }] = await call("GET", `/${id}/executions?limit=1`);
    expect(executions).toMatchObject([
      {
        execution_id: executed["execution_id"],
        start_time: "2026-01-05T00:00:00Z",
        records_written: 2,
        windows: 2,
        error_message: null,
      },
    ]);
  }, 120_000);

  test("is brought up to date without a body, and not where the body is wrong", async () => {
    const [status, executed] = await call("POST", `/${id}/execute`);
    expect([status, executed]).toMatchObject([200, { status: "completed", start_time: null }]);
    const [refused, answer] = await call("POST", `/${id}/execute`, { dry_run: "true" });
    expect([refused, answer]).toMatchObject([400, { detail: { field: "dry_run" } }]);
    const description = "x".repeat(1_001);
    expect((await call("PUT", `/${id}`, { description }))[0]).toBe(400);
  }, 120_000);

  test("loses what is deleted from its source", async () => {
    const body = { database: "default", measurement: "cpu", where: `time > '2026-01-05 08:00:00'` };
    const response = await client.post("/api/v1/delete", { ...body, confirm: true });
    expect([response.status, await response.json()]).toMatchObject([200, { deleted_count: 1 }]);
    const rows = await rowsOf(MADE_10S, WANTED_10S, 4);
    expect([rows.made, rows.rowCount]).toEqual([rows.wanted, 4]);
  }, 120_000);

  test("refuses rows of clients in what it makes", async () => {
    const response = await client.write(encodeBatch("cpu_10s", { time: [MONDAY], load: [1] }));
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "measurement_is_derived" });
  });

  test("that fails says why, and is right after it was changed", async () => {
    const wrong = { ...HOURLY, query: HOURLY.query.replace("sum(load)", "sum(nothing)") };
    expect((await call("PUT", `/${hourlyId}`, wrong))[0]).toBe(200);
    const [status, refused] = await call("POST", `/${hourlyId}/execute`, {});
    expect(status).toBeGreaterThanOrEqual(400);
    expect(refused["error"]).toContain("nothing");
    const [, shown] = await call("GET", `/${hourlyId}`);
    expect(shown).toMatchObject({ last_execution_status: "failed" });
    expect((await call("PUT", `/${hourlyId}`, HOURLY))[0]).toBe(200);
    expect((await call("POST", `/${hourlyId}/execute`, {}))[0]).toBe(200);
    const rows3 = await rowsOf(MADE_1H, WANTED_1H, 3);
    expect([rows3.made, rows3.rowCount]).toEqual([rows3.wanted, 3]);
  }, 120_000);

  test.each([
    ["a query without its times", { query: "SELECT 1" }, 400, "parameter_invalid"],
    ["an interval that is none", { interval: "often" }, 400, "parameter_invalid"],
    ["a name that is taken", {}, 409, "rollup_exists"],
    [
      "a source that is not there",
      { name: "x", source_measurement: "no", destination_measurement: "x" },
      404,
      "measurement_unknown",
    ],
    ["a database that is not there", { name: "x", database: "no" }, 404, "database_unknown"],
  ])("is refused with %s", async (_, change, status, code) => {
    expect(await call("POST", "", { ...TEN_SECONDS, ...change })).toMatchObject([status, { code }]);
  });

  test("is deleted, and its rows stay", async () => {
    expect((await call("DELETE", `/${hourlyId}`))[0]).toBe(200);
    expect(await call("GET", `/${hourlyId}`)).toMatchObject([404, { code: "rollup_unknown" }]);
    expect((await client.query(MADE_1H)).row_count).toBe(3);
    expect((await call("GET", "/123"))[0]).toBe(404);
  });
});
