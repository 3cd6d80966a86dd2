// The tiny server: Prometheus's text, the page, and what the page draws.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { MetricConnection, Units } from "../../../clients/event-metrics/metric-connection.ts";
import { type MetricsServer, serveMetrics } from "../../../clients/event-metrics/metrics-server.ts";
import { type Plot, plotOf } from "../../../clients/event-metrics/plot.ts";
import { parsePrometheus } from "./strict-prometheus.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-metrics-"));
let connection: MetricConnection;
let server: MetricsServer;

beforeAll(async () => {
  connection = new MetricConnection(join(folder, "metrics"));
  connection.observe("latency", 1, { labels: { service: "a" } });
  connection.observe("latency", 3, { labels: { service: "b" } });
  const timestamp = Date.now() - 2 * Units.hours;
  connection.observe("latency", 99, { labels: { service: "a" }, timestamp });
  server = await serveMetrics(connection, {
    metrics: { latency: { type: "histogram", buckets: [1, 10] } },
  });
});

afterAll(async () => {
  await server.close();
  await connection.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("serveMetrics", () => {
  test("answers a scrape", async () => {
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const [family] = parsePrometheus(await response.text());
    expect(family).toMatchObject({ name: "latency", type: "histogram" });
  });

  test("draws what was asked for", async () => {
    const plot = async (query: string) => {
      const response = await fetch(`${server.url}/plot?${query}`);
      return (await response.json()) as Plot;
    };
    expect(await plot("name=latency")).toMatchObject({ count: 3, min: 1, max: 99, last: 3 });
    expect(await plot("name=latency&minutes=60")).toMatchObject({ count: 2, max: 3, mean: 2 });
    const labels = encodeURIComponent('{"service":"a"}');
    expect(await plot(`name=latency&minutes=60&labels=${labels}`)).toMatchObject({ count: 1 });
    expect(await plot("name=nothing")).toMatchObject({ count: 0, mean: null, steps: [] });
  });

  test("lists the series", async () => {
    const response = await fetch(`${server.url}/series`);
    expect(await response.json()).toEqual([
      { name: "latency", kind: "observation", labels: { service: "a" } },
      { name: "latency", kind: "observation", labels: { service: "b" } },
    ]);
  });

  test("gives a page that needs nothing from elsewhere and fits a phone", async () => {
    const response = await fetch(server.url);
    const page = await response.text();
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page).not.toMatch(/\b(?:src|href)="(?!data:)|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page).toContain('content="width=device-width, initial-scale=1"');
    expect(page).toContain("prefers-color-scheme: dark");
    // Every element that the script looks up is in the page.
    const ids = [...page.matchAll(/find\("(\w+)"\)/g)].map(([, id]) => id);
    expect(ids.filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
    expect(() => new Script(/<script>([^]*)<\/script>/.exec(page)![1]!)).not.toThrow();
  });

  test("refuses what it does not know", async () => {
    const status = async (path: string, init?: RequestInit) =>
      (await fetch(server.url + path, init)).status;
    expect(await status("/nothing")).toBe(404);
    expect(await status("/metrics", { method: "POST" })).toBe(405);
    for (const query of [
      "",
      "?name=a&minutes=-1",
      "?name=a&labels=[]",
      '?name=a&labels={"b":{}}',
    ]) {
      expect(await status(`/plot${query}`)).toBe(400);
    }
  });
});

describe("plotOf", () => {
  test("shows an outlier among many, and counts every point", () => {
    const times = Float64Array.from({ length: 100_000 }, (_, i) => i);
    const values = Float64Array.from(times, (time) => (time === 54_321 ? 1_000 : Math.sin(time)));
    const { count, steps, histogram, percentiles } = plotOf([times, values]);
    expect(count).toBe(100_000);
    expect(steps).toHaveLength(240);
    expect(steps.filter(({ max }) => max === 1_000)).toHaveLength(1);
    expect(histogram.reduce((sum, bar) => sum + bar.count, 0)).toBe(100_000);
    expect(histogram.at(-1)).toMatchObject({ to: 1_000, count: 1 });
    expect(Object.fromEntries(percentiles)[50]).toBeCloseTo(0, 2);
  });

  test("draws a single point, and points of one time", () => {
    const one = plotOf([Float64Array.of(5), Float64Array.of(7)]);
    expect(one.steps).toMatchObject([{ min: 7, mean: 7, max: 7 }]);
    expect(one.histogram).toEqual([{ from: 7, to: 7, count: 1 }]);
    const two = plotOf([Float64Array.of(5, 5), Float64Array.of(1, 2)]);
    expect(two.steps).toMatchObject([{ min: 1, mean: 1.5, max: 2 }]);
  });
});
