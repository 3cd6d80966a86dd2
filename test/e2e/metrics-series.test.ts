// Labels that users choose: how many there may be, and what may be in them.

import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { readOpenMetrics, type ReadFamily } from "../helpers/metrics-text.ts";
import { Stack } from "../helpers/stack.ts";

const MEASUREMENTS = 5_000;
const PER_REQUEST = 500;
const T0 = Date.parse("2026-03-01T10:00:00Z");

const stack = new Stack({ METRICS_EVERY_MS: "200" });
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

async function scrape(): Promise<{ text: string; families: Map<string, ReadFamily> }> {
  const headers = { accept: "application/openmetrics-text" };
  const text = await (await client.fetch("/metrics", { headers })).text();
  return { text, families: readOpenMetrics(text) };
}

/** Of what was written here, and not of our own events. */
function totalOf(families: Map<string, ReadFamily>, name: string): number {
  const { samples } = families.get(name)!;
  const ours = samples.filter(({ labels }) => labels["measurement"] !== "tagged_events");
  return ours.reduce((total, { value }) => total + value, 0);
}

test(`the text stays bounded beyond ${LIMITS.metricSeriesMax} measurements, and its totals right`, async () => {
  for (let from = 0; from < MEASUREMENTS; from += PER_REQUEST) {
    const lines = Array.from({ length: PER_REQUEST }, (_, i) => `m${from + i} value=1 ${T0}`);
    const init = { method: "POST", body: lines.join("\n") };
    const path = "/api/v1/write/line-protocol?precision=ms";
    expect((await client.fetch(path, init)).status).toBe(204);
  }
  const names = ["sluice_ingest_rows_accepted", "sluice_ingest_rows_offered"];
  names.push("sluice_buffer_rows_stored");
  const totals = async () => {
    const { families } = await scrape();
    return names.map((name) => totalOf(families, name));
  };
  await expect.poll(totals, { timeout: 10_000 }).toEqual(names.map(() => MEASUREMENTS));
  const { text, families } = await scrape();
  for (const name of names) {
    const { samples } = families.get(name)!;
    expect(samples).toHaveLength(LIMITS.metricSeriesMax + 1);
    const [rest] = samples.filter(({ labels }) => labels["measurement"] === "_other");
    expect(rest!.value).toBeGreaterThanOrEqual(MEASUREMENTS - LIMITS.metricSeriesMax);
  }
  // Three metrics by measurement, a line of about a hundred bytes each, and all the others.
  expect(text.length).toBeLessThan(names.length * 150 * LIMITS.metricSeriesMax + 200_000);
}, 120_000);

test("a name with quotes and backslashes is one label value", async () => {
  const name = 'a "quoted" \\ name\\n",x="';
  const sql = "SELECT 7 AS value";
  const rule = { name, kind: "metric", sql, every: "1h" };
  const made = await client.post("/api/v1/alerts", rule);
  const { id } = (await made.json()) as { id: number };
  expect(made.status).toBe(201);
  expect((await client.post(`/api/v1/alerts/${id}/run`, {})).status).toBe(200);
  const custom = async () => (await scrape()).families.get("sluice_custom_value")!.samples;
  await expect
    .poll(custom, { timeout: 10_000 })
    .toMatchObject([{ labels: { rule: name }, value: 7 }]);
});
