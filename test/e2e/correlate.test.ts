// Correlation on the real stack: what the document's query over all four pillars answers, from the
// sample telemetry of the demo; and what narrows it.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateTelemetry } from "../../clients/samples/generate.ts";
import type { CorrelateAnswer } from "#lib/correlate/answer.ts";
import { type Columns, encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const SQL = new URL(
  "../../scripts/demo/sql/08-complete-correlation-all-four-pillars.sql",
  import.meta.url,
);
const PATH = "/api/v1/correlate";
const NOW = Date.UTC(2026, 0, 1, 12);

const stack = new Stack();
const client = new HttpClient(() => stack.url);

type Told = CorrelateAnswer & { from: string; to: string; code?: string; detail?: object };

async function ask(question: object | string): Promise<Told & { status: number }> {
  const response =
    typeof question === "string"
      ? await client.fetch(`${PATH}?${question}`)
      : await client.post(PATH, question);
  return { ...((await response.json()) as Told), status: response.status };
}

const INCIDENT = {
  incident: {
    measurement: "system_events",
    where: { event_type: "health_check_failed", source: "api-gateway" },
  },
  before: "10m",
  after: "30m",
};

async function write(measurement: string, columns: Columns): Promise<void> {
  const response = await client.write(encodeBatch(measurement, columns));
  expect([measurement, response.status]).toEqual([measurement, 204]);
}

async function post(events: readonly object[]): Promise<void> {
  expect((await client.post("/api/v1/events", events)).status).toBe(201);
}

beforeAll(async () => {
  await stack.start();
  const counts = { events: 20_000, metrics: 5_000, logs: 5_000, traces: 5_000 };
  for (const { name, columns } of generateTelemetry(7, NOW, counts)) {
    const lists = Object.entries(columns).map(([column, list]) => [column, Array.from(list)]);
    await write(name, Object.fromEntries(lists) as Columns);
  }
  await write("notes", { time: [NOW], text: ["no pillar"] });
  const tagged = [
    { tags: ["deployments", "deployments:a"], type: "archive", timestamp: "2025-12-31T20:00:00Z" },
    { tags: ["deployments", "deployments:b"], type: "archive", timestamp: "2025-12-31T20:00:01Z" },
  ];
  await post(tagged);
}, 180_000);
afterAll(() => stack.remove());

describe("around an incident", () => {
  test("the notable rows are those of the document's query", async () => {
    const { data } = await client.query(readFileSync(SQL, "utf8"));
    const measurements = "system_events cpu_metrics application_logs distributed_traces".split(" ");
    const told = await ask({ ...INCIDENT, measurements, notable: true, limit: 10_000 });
    const rows = told.timeline.map(({ data_type: kind, time, detail, severity, value }) => [
      kind,
      time,
      detail === "cpu_metrics" ? "cpu_usage" : detail,
      severity,
      value,
    ]);
    const kinds = new Set(rows.map(([kind]) => kind));
    expect(rows.length).toBeGreaterThan(20);
    expect(kinds.size).toBeGreaterThan(1);
    const sorted = (list: readonly unknown[][]) =>
      list.map((row) => JSON.stringify(row)).toSorted();
    expect(sorted(rows)).toEqual(sorted(data));
    expect(rows.map(([, time]) => time)).toEqual(data.map(([, time]) => time));
    const counts = [told.events, told.metrics, told.logs, told.traces].map((list) => list.length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
  });

  test("may be asked for with the body of a GET, as events are", async () => {
    const body = JSON.stringify({ ...INCIDENT, limit: 5 });
    const headers = {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      "content-length": Buffer.byteLength(body),
    };
    const sent = request(stack.url + PATH, { method: "GET", headers });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const { status: _, ...told } = await ask({ ...INCIDENT, limit: 5 });
    expect(await json(response)).toEqual(told);
  });

  test("all rows are there without notable, and bounds say what was left out", async () => {
    const { from, to, ...all } = await ask(INCIDENT);
    const [count] = await client.row(
      `SELECT count(*) FROM distributed_traces WHERE time BETWEEN '${from}' AND '${to}'`,
    );
    expect(all.traces).toHaveLength(count as number);
    expect(all.truncated).toMatchObject({ traces: false });
    const few = await ask({ ...INCIDENT, limit: 1 });
    expect(few.events).toEqual(all.events.slice(0, 1));
    expect(few.truncated.events).toBe(true);
  });

  test("is refused where there is none, or where it names what is not there", async () => {
    const at = (measurement: string, where: object) => ask({ incident: { measurement, where } });
    expect(await at("system_events", { source: "nobody" })).toMatchObject({
      status: 404,
      code: "incident_unknown",
    });
    expect(await at("nothing", {})).toMatchObject({ status: 404, code: "measurement_unknown" });
    expect(await at("system_events", { colour: "red" })).toMatchObject({
      status: 400,
      detail: { field: "incident.where.colour" },
    });
    expect(await at("system_events", { success: "true" })).toMatchObject({
      status: 400,
      detail: { field: "incident.where.success" },
    });
  });
});

describe("around a moment", () => {
  test("is narrowed by the trace where a measurement knows it", async () => {
    const [trace, time] = await client.row(
      "SELECT trace_id, time FROM application_logs ORDER BY time LIMIT 1 OFFSET 2500",
    );
    const query = `around=${time as string}&window=5m&trace_id=${trace as string}`;
    const told = await ask(query);
    expect(told.traces.length).toBeGreaterThan(0);
    for (const row of [...told.traces, ...told.logs]) expect(row["trace_id"]).toBe(trace);
    expect(told.metrics.length).toBeGreaterThan(0);
  });

  test("is narrowed by tags: those of events, and columns of that name", async () => {
    const query = "from=2025-12-31T19:00:00Z&to=2025-12-31T21:00:00Z&tag=deployments:b";
    const tagged = await ask(`${query}&measurement=tagged_events`);
    expect(tagged.timeline).toMatchObject([
      { data_type: "event", time: "2025-12-31T20:00:01Z", detail: "archive" },
    ]);
    const [host] = await client.row("SELECT host FROM cpu_metrics LIMIT 1");
    const told = await ask(`around=2026-01-01T10:00:00Z&window=1h&tag=host:${host as string}`);
    expect(told.metrics.length).toBeGreaterThan(0);
    for (const row of told.metrics) expect(row["host"]).toBe(host);
  });

  test("looks back from now where it says so, and is empty where nothing was", async () => {
    expect(await ask("around=now&window=1s")).toMatchObject({ status: 200, timeline: [] });
    expect(await ask("from=now-100y&limit=5")).toMatchObject({ truncated: { events: true } });
  });

  test.each([
    ["", "around"],
    ["around=soon", "around"],
    ["around=now&from=now", "around"],
    ["from=now&to=now-1h", "to"],
    ["from=now&window=1h", "window"],
    ["around=now&window=1", "window"],
    ["around=now&window=1h&before=1h", "window"],
    ["around=now&limit=0", "limit"],
    ["around=now&limit=10001", "limit"],
    ["around=now&notable=yes", "notable"],
    ["around=now&tag=", "tags[0]"],
    ["around=now&colour=red", "colour"],
  ])("is refused as ?%s", async (query, field) => {
    expect(await ask(query)).toMatchObject({ status: 400, detail: { field } });
  });
});
