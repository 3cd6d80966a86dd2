// The exporter, read by a strict parser, and by promtool where it is installed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { MetricConnection } from "../../../clients/event-metrics/metric-connection.ts";
import {
  type ExportedMetrics,
  prometheusText,
} from "../../../clients/event-metrics/prometheus-text.ts";
import { parsePrometheus } from "./strict-prometheus.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-metrics-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function open(): MetricConnection {
  return new MetricConnection(join(folder, `metrics-${files++}`));
}

const DECLARED: ExportedMetrics = {
  latency_seconds: { type: "histogram", buckets: [0.1, 1], help: "Time to answer,\nin \\ all." },
  size_bytes: { type: "summary", percentiles: [50, 99] },
  in_flight: { type: "gauge" },
};

async function exportAll(): Promise<string> {
  const connection = open();
  for (const value of [0.05, 0.1, 0.5, 2]) {
    connection.observe("latency_seconds", value, { labels: { route: '/a"\\\n', le: "mine" } });
  }
  connection.observe("latency_seconds", 7);
  for (const value of [1, 2, 3]) connection.observe("size_bytes", value);
  connection.observe("temperature", -1.5e-9, { labels: { "größe.x": "ü" } });
  connection.observe("temperature", 1e21);
  connection.increment("requests", 2, { labels: { status: 200 } });
  connection.increment("requests", 3, { labels: { status: 200 } });
  connection.increment("requests", 1, { labels: { status: 500 } });
  connection.increment("in_flight", 1);
  connection.increment("in_flight", -1);
  connection.observe("9 lives", 9);
  const text = await prometheusText(connection, DECLARED);
  await connection.close();
  return text;
}

describe("prometheusText", () => {
  test("exports counters, gauges, histograms and summaries", async () => {
    const text = await exportAll();
    const families = parsePrometheus(text);
    const types = Object.fromEntries(families.map(({ name, type }) => [name, type]));
    expect(types).toEqual({
      _9_lives: "gauge",
      in_flight: "gauge",
      latency_seconds: "histogram",
      requests_total: "counter",
      size_bytes: "summary",
      temperature: "gauge",
    });
    const samples = (name: string) => {
      const family = families.find((one) => one.name === name)!;
      return family.samples.map((sample) => [sample.name, sample.labels, sample.value]);
    };
    expect(samples("requests_total")).toEqual([
      ["requests_total", { status: "200" }, 5],
      ["requests_total", { status: "500" }, 1],
    ]);
    expect(samples("in_flight")).toEqual([["in_flight", {}, 0]]);
    expect(samples("size_bytes")).toEqual([
      ["size_bytes", { quantile: "0.5" }, 2],
      ["size_bytes", { quantile: "0.99" }, 2.98],
      ["size_bytes_sum", {}, 6],
      ["size_bytes_count", {}, 3],
    ]);
    const labels = { route: '/a"\\\n', exported_le: "mine" };
    expect(samples("latency_seconds").filter(([, found]) => "route" in (found as object))).toEqual([
      ["latency_seconds_bucket", { ...labels, le: "0.1" }, 2],
      ["latency_seconds_bucket", { ...labels, le: "1" }, 3],
      ["latency_seconds_bucket", { ...labels, le: "+Inf" }, 4],
      ["latency_seconds_sum", labels, 2.65],
      ["latency_seconds_count", labels, 4],
    ]);
    expect(samples("temperature")).toEqual([
      ["temperature", { gr__e_x: "ü" }, -1.5e-9],
      ["temperature", {}, 1e21],
    ]);
  });

  test("passes promtool, where it is on the PATH", async ({ skip }) => {
    const { error } = spawnSync("promtool", ["--version"]);
    if (error !== undefined) skip("promtool is not on the PATH");
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: await exportAll(),
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("of nothing is nothing", async () => {
    const connection = open();
    expect(await prometheusText(connection)).toBe("");
    await connection.close();
  });

  test("refuses names and labels that would become one", async () => {
    const [names, labels] = [open(), open()];
    names.observe("a.b", 1);
    names.observe("a_b", 1);
    await expect(prometheusText(names)).rejects.toThrow(
      "a.b and a_b would both be exported as a_b",
    );
    labels.observe("a", 1, { labels: { "x.y": 1, x_y: 2 } });
    await expect(prometheusText(labels)).rejects.toThrow(/label x\.y .* label x_y .* as x_y/);
    await Promise.all([names.close(), labels.close()]);
  });
});
