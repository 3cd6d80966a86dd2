// Every metric is fed: by what the system does in a day, done here in a minute, or by what is rare,
// of which test/lib/telemetry/rare.test.ts has the smallest. And what /metrics says is valid.

import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { METRICS } from "#lib/telemetry/metrics.ts";
import { EventListener } from "../helpers/event-listener.ts";
import { RARE } from "../helpers/rare-metrics.ts";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { readOpenMetrics, type ReadFamily } from "../helpers/metrics-text.ts";
import { Stack } from "../helpers/stack.ts";
import { WebhookReceiver } from "../helpers/webhook-receiver.ts";

const stack = new Stack({
  SEAL_AFTER_MS: "300",
  COMPACT_AFTER_MS: "300",
  METRICS_EVERY_MS: "200",
  EVENT_HEARTBEAT_MS: "200",
  SELF_DATABASE: "self",
});
const client = new HttpClient(() => stack.url);
const receiver = new WebhookReceiver(0);
const DAY_MS = 86_400_000;
const NOW = Date.now();

beforeAll(async () => {
  await stack.start();
  await receiver.start();
}, 120_000);
afterAll(async () => {
  await receiver.stop();
  await stack.remove();
});

async function scrape(): Promise<Map<string, ReadFamily>> {
  const headers = { accept: "application/openmetrics-text;version=1.0.0" };
  const response = await client.fetch("/metrics", { headers });
  expect(response.headers.get("content-type")).toContain("application/openmetrics-text");
  return readOpenMetrics(await response.text());
}

async function call(path: string, body: object, status: number): Promise<{ id: number }> {
  const response = await client.post(path, body);
  const text = await response.text();
  expect([path, response.status, text]).toEqual([path, status, expect.anything()]);
  return text === "" ? { id: 0 } : (JSON.parse(text) as { id: number });
}

function batch(measurement: string, ageDays: number, rowCount = 100) {
  const time = Array.from({ length: rowCount }, (_, i) => NOW - ageDays * DAY_MS + i);
  const host = time.map((_, i) => `host-${i % 3}`);
  return encodeBatch(measurement, { time, host, value: time.map((_, i) => i) });
}

async function writeAndAsk(): Promise<void> {
  for (const age of [400, 40, 2, 2, 2, 0]) {
    expect((await client.write(batch("cpu", age))).status).toBe(204);
    await client.flush();
  }
  const key = "twice";
  await client.write(batch("cpu", 0), { key });
  await client.write(batch("cpu", 0), { key });
  expect((await client.write(batch("cpu", 1), { key })).status).toBe(409);
  const conflict = encodeBatch("cpu", { time: [NOW], host: ["a"], value: ["text"] });
  expect((await client.write(conflict)).ok).toBe(false);
  expect((await client.write(batch("cpu", 0), { token: "nobody" })).status).toBe(401);
  const lines = { method: "POST", body: `mem value=1 ${NOW}000000` };
  expect((await client.fetch("/write?db=default", lines)).status).toBe(204);
  const csv = { method: "POST", body: `time,value\n${NOW},1\n` };
  const imported = "/api/v1/import/csv?measurement=csv&time_format=epoch_ms";
  expect((await client.fetch(imported, csv)).status).toBe(200);
  for (let i = 0; i < 2; i++) {
    await client.row("SELECT host, avg(value) FROM cpu WHERE host = 'host-1' GROUP BY 1");
  }
  await client.write(batch("large", 1, 250_000));
  await client.flush();
  await client.row("SELECT host FROM large WHERE value = 5");
  await client.row(`SELECT count(*) FROM cpu WHERE time < '2001-01-01'`);
  await client.row("SELECT count(*) FROM cpu WHERE value > 1000000");
  expect((await client.fetch("/api/v1/query/cpu?limit=1")).status).toBe(200);
  expect((await client.query("SELECT nothing FROM cpu")).success).toBe(false);
}

async function keepUp(): Promise<void> {
  const database = "default";
  const query =
    "SELECT date_trunc('hour', time) AS time, sum(value) AS value FROM cpu " +
    "WHERE time >= {start_time} AND time < {end_time} GROUP BY 1";
  const rollup = { name: "hourly", query, interval: "1h", database };
  const between = { source_measurement: "cpu", destination_measurement: "cpu_1h" };
  const { id } = await call("/api/v1/continuous_queries", { ...rollup, ...between }, 201);
  const span = { start_time: new Date(NOW - 3 * DAY_MS).toISOString() };
  const execution = await client.post(`/api/v1/continuous_queries/${id}/execute`, span);
  expect(execution.ok, await execution.text()).toBe(true);
  const where = "host = 'host-2'";
  await call("/api/v1/delete", { database, measurement: "cpu", where, confirm: true }, 200);
  const policy = { name: "old", database, measurement: "cpu", retention_days: 300, buffer_days: 0 };
  const made = await call("/api/v1/retention", { ...policy, is_active: true }, 201);
  await call(`/api/v1/retention/${made.id}/execute`, { confirm: true, dry_run: false }, 200);
}

async function tellOfEvents(): Promise<void> {
  const order = { tags: ["orders"], value: 1 };
  let seen = 0;
  const listener = new EventListener(`${stack.url}/api/v1/events/stream`, () => void seen++);
  expect(await listener.opened).toBe(200);
  const trigger = { name: "hook", tags: ["orders"], url: receiver.url, database: "default" };
  await call("/api/v1/triggers", trigger, 201);
  await call("/api/v1/events", order, 201);
  await vi.waitUntil(() => seen > 0 && receiver.deliveries.length > 0, { timeout: 20_000 });
  await scrape().then((families) => noteGauges(families));
  listener.cut();
  receiver.answer = (count) => (count < 3 ? 500 : 410);
  await call("/api/v1/events", order, 201);
  await vi.waitUntil(() => receiver.deliveries.length > 3, { timeout: 60_000, interval: 100 });
}

async function watch(): Promise<void> {
  const hot = {
    name: "hot",
    kind: "condition",
    sql: "SELECT max(value) AS value FROM cpu",
    condition: { operator: ">", threshold: 0 },
    every: "1h",
  };
  const rule = await call("/api/v1/alerts", hot, 201);
  await call(`/api/v1/alerts/${rule.id}/run`, {}, 200);
  const rows = { name: "rows", kind: "metric", sql: "SELECT count(*) AS rows FROM cpu" };
  const metrics = await call("/api/v1/alerts", { ...rows, every: "1h" }, 201);
  await call(`/api/v1/alerts/${metrics.id}/run`, {}, 200);
}

/** Gauges that have said something at one scrape or another: some are there for a moment only. */
const gauges = new Set<string>();

function noteGauges(families: Map<string, ReadFamily>): void {
  for (const { name, type, samples } of families.values()) {
    if (type === "gauge" && samples.length > 0) gauges.add(name);
  }
}

/** Metrics without a single count, or, gauges, without a value. */
async function unfed(): Promise<string[]> {
  const families = await scrape();
  noteGauges(families);
  const isFed = ({ name, type, samples }: ReadFamily) =>
    type === "gauge" ? gauges.has(name) : samples.some(({ value }) => value > 0);
  return [...families.values()]
    .filter((family) => !isFed(family))
    .map(({ name, type }) => (type === "counter" ? `${name}_total` : name))
    .filter((name) => RARE[name] === undefined);
}

describe("metrics", () => {
  test("are all there, at least a hundred, and every one is fed", async () => {
    const story = Promise.all([writeAndAsk().then(keepUp).then(watch), tellOfEvents()]);
    while ((await Promise.race([story, sleep(150)])) === undefined) noteGauges(await scrape());
    const names = METRICS.flatMap(({ metrics }) => metrics).map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(100);
    const shown = [...(await scrape()).values()];
    const shownNames = shown.map(({ name, type }) => (type === "counter" ? `${name}_total` : name));
    expect(new Set(shownNames)).toEqual(new Set(names));
    await expect.poll(unfed, { timeout: 60_000, interval: 500 }).toEqual([]);
  }, 240_000);

  test("are what promtool calls valid", async ({ skip }) => {
    const input = await (await client.fetch("/metrics")).text();
    const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
      input,
      encoding: "utf8",
    });
    if (error !== undefined) skip("promtool is not on PATH");
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });
});
