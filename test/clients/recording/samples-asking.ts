// The code samples of the telemetry reference about asking, each under the name of its section.

import { describe, expect, test } from "vitest";
import { Graph, Node, TelemetryManager } from "../../../clients/recording/index.ts";
import {
  cacheHitRates,
  costByModel,
  fiveMinuteAverages,
  incompleteCheckpoints,
  percentile,
  requestsPerMinute,
  statistics,
} from "./recipes.ts";
import type { Stage } from "./stage.ts";

const MINUTE_MS = 60_000;
/** The beginning of an hour of today or yesterday: buckets must not be cut by the clock. */
const HOUR_AGO = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000);

/** What the analyses are about, the same in each test. */
export function recordLastHour(manager: TelemetryManager): void {
  const at = (minutes: number) => new Date(HOUR_AGO.getTime() + minutes * MINUTE_MS);
  for (let i = 0; i < 40; i++) {
    const timestamp = at(i / 2);
    const counter = { value: 1, unit: "count", aggregationType: "counter", timestamp } as const;
    manager.recordMetric({ name: "requests_total", ...counter });
    manager.recordMetric({ name: "cpu_percent", value: i, unit: "percent", timestamp });
    const cache = { ...counter, attributes: { node_id: `cache_${i % 3}` } };
    manager.recordMetric({ name: i % 4 === 0 ? "cache_misses" : "cache_hits", ...cache });
    const value = (((i * 7) % 40) + 1) / 100;
    manager.recordMetric({ name: "operation_latency", value, unit: "seconds", timestamp });
    const attributes = { model: i % 5 === 0 ? "large-1" : "small-1" };
    manager.recordMetric({ ...counter, name: "llm_api_cost", value: 0.25, attributes });
  }
  const checkpoint = (traceId: string, stage: string) =>
    manager.recordEvent({ traceId, eventType: "checkpoint", name: stage, attributes: { stage } });
  for (const stage of ["data_loaded", "data_validated", "data_saved"]) checkpoint("whole", stage);
  checkpoint("halted", "data_loaded");
  checkpoint("late", "data_saved");
}

export function askingSamples(stage: Stage): void {
  async function recorded(): Promise<TelemetryManager> {
    const manager = TelemetryManager.getInstance(stage.fresh());
    recordLastHour(manager);
    await manager.flush();
    return manager;
  }

  describe(`samples of querying events, ${stage.name}`, () => {
    test("Query All Events", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      for (let i = 0; i < 150; i++) {
        manager.recordEvent({ eventType: "custom", name: `Event ${i}` });
      }
      await manager.flush();

      const events = await manager.queryEvents({ limit: 100 });
      const lines = events.map((e) => `${e.timestamp.toISOString()}: ${e.name} (${e.type})`);
      expect(lines).toHaveLength(100);
      expect(lines[0]).toMatch(/^\d{4}-.*Z: Event 149 \(custom\)$/);
      expect(lines[99]).toContain("Event 50 ");
    });

    test("Filter by Event Type", async () => {
      class BrokenNode extends Node {
        async process(): Promise<never> {
          throw new TypeError("no such column");
        }
      }
      const start = new BrokenNode({ nodeId: "broken_1" });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      await expect(graph.run({ traceId: "t1" })).rejects.toThrow("no such column");
      const manager = TelemetryManager.getInstance();
      await manager.flush();

      const failures = await manager.queryEvents({ eventType: "node_failed" });
      expect(failures).toHaveLength(1);
      expect(failures[0]!.traceId).toBe("t1");
      expect(failures[0]!.attributes).toMatchObject({
        node_id: "broken_1",
        error: "no such column",
        error_type: "TypeError",
      });
      const errors = await manager.queryMetrics({ name: "node_error_count" });
      expect(errors.map((metric) => metric.value)).toEqual([1]);
      expect(await manager.queryEvents({ eventType: "graph_failed" })).toHaveLength(1);
    });

    test("Filter by Time Range", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const now = Date.now();
      for (const minutes of [0, 10, 59, 61, 600]) {
        const timestamp = new Date(now - minutes * MINUTE_MS);
        manager.recordEvent({ eventType: "custom", name: `${minutes}`, timestamp });
      }
      await manager.flush();

      const startTime = new Date(now - 60 * MINUTE_MS);
      const recent = await manager.queryEvents({ startTime, limit: 1000 });
      expect(recent.map((event) => event.name)).toEqual(["0", "10", "59"]);
      const endTime = new Date(now - 61 * MINUTE_MS);
      const early = await manager.queryEvents({ endTime });
      expect(early.map((event) => event.name)).toEqual(["61", "600"]);
      const both = { startTime: endTime, endTime };
      expect((await manager.queryEvents(both)).map((event) => event.name)).toEqual(["61"]);
    });

    test("times as milliseconds, types by either name; no condition that there is not", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const timestamp = Date.now() - MINUTE_MS;
      manager.recordEvent({ type: "custom", timestamp });
      manager.recordEvent({ type: "alert", timestamp });
      manager.recordMetric({ name: "m", value: 1, timestamp });
      await manager.flush();
      const [event, ...others] = await manager.queryEvents({ type: "alert", startTime: timestamp });
      expect([event!.timestamp.getTime(), others]).toEqual([timestamp, []]);
      expect(await manager.queryMetrics({ endTime: timestamp })).toHaveLength(1);
      expect(await manager.queryMetrics({ endTime: timestamp - 1 })).toEqual([]);
      const misspelt = manager.queryEvents({ event_type: "alert" } as object);
      await expect(misspelt).rejects.toThrow('no condition "event_type"');
    });

    test("Filter by Trace", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      for (const name of ["first", "second", "third"]) {
        manager.recordEvent({ traceId: "mine", eventType: "custom", name });
        manager.recordEvent({ traceId: "other", eventType: "custom", name: `other ${name}` });
      }
      await manager.flush();

      const traceEvents = await manager.queryEvents({ traceId: "mine" });
      expect(traceEvents.map((event) => event.name)).toEqual(["third", "second", "first"]);
      const sorted = traceEvents.toSorted((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
      expect(sorted).toHaveLength(3);
    });

    test("Custom Event Analysis", async () => {
      const manager = await recorded();
      const checkpoints = await manager.queryEvents({ eventType: "checkpoint" });
      expect(incompleteCheckpoints(checkpoints)).toEqual({
        halted: ["data_validated", "data_saved"],
        late: ["data_loaded", "data_validated"],
      });
    });
  });

  test(`attributes are compared with their types, ${stage.name}`, async () => {
    const manager = TelemetryManager.getInstance(stage.fresh());
    const values = [1, "1", true, "true", "null", "[]", "{}", ""];
    for (const [i, a] of [...values, [], {}].entries()) {
      manager.recordEvent({ name: `${i}`, attributes: { a, "a.b": i } });
    }
    manager.recordEvent({ name: "without", attributes: { b: 1 } });
    manager.recordEvent({ name: "nothing", attributes: { a: null } });
    await manager.flush();
    for (const [i, a] of values.entries()) {
      const found = await manager.queryEvents({ attributes: { a } });
      expect(found.map((event) => event.name)).toEqual([`${i}`]);
      expect(await manager.queryEvents({ attributes: { a, "a.b": i } })).toEqual(found);
      expect(await manager.queryEvents({ attributes: { a, "a.b": i + 1 } })).toEqual([]);
    }
    const nulls = await manager.queryEvents({ attributes: { a: null } });
    expect(nulls.map((event) => event.name)).toEqual(["nothing"]);
  });

  describe(`samples of querying metrics, ${stage.name}`, () => {
    test("Query All Metrics", async () => {
      const manager = await recorded();
      const metrics = await manager.queryMetrics({ limit: 100 });
      const lines = metrics.map((metric) => `${metric.name}: ${metric.value} ${metric.unit}`);
      expect(lines).toHaveLength(100);
      expect(lines.slice(0, 2)).toEqual([
        "llm_api_cost: 0.25 count",
        "operation_latency: 0.34 seconds",
      ]);
    });

    test("Filter by Metric Name", async () => {
      const manager = await recorded();
      const cacheHits = await manager.queryMetrics({ name: "cache_hits" });
      const totalHits = cacheHits.reduce((sum, metric) => sum + metric.value, 0);
      expect(totalHits).toBe(30);
    });

    test("Aggregate Metrics", async () => {
      const manager = await recorded();
      const latencies = await manager.queryMetrics({ name: "operation_latency" });
      const { count, min, max, avg } = statistics(latencies);
      expect([count, min, max]).toEqual([40, 0.01, 0.4]);
      expect(avg).toBeCloseTo(0.205, 12);
      expect([50, 95, 99].map((percent) => percentile(latencies, percent))).toEqual([
        0.21, 0.39, 0.4,
      ]);
    });

    test("Time Series Analysis", async () => {
      const manager = await recorded();
      const startTime = HOUR_AGO;
      const cpu = await manager.queryMetrics({ name: "cpu_percent", startTime });
      const at = (minutes: number) => new Date(HOUR_AGO.getTime() + minutes * MINUTE_MS);
      expect(fiveMinuteAverages(cpu)).toEqual([
        [at(0).toISOString(), 4.5],
        [at(5).toISOString(), 14.5],
        [at(10).toISOString(), 24.5],
        [at(15).toISOString(), 34.5],
      ]);
      const requests = await manager.queryMetrics({ name: "requests_total", startTime });
      expect([...requestsPerMinute(requests).values()]).toEqual(Array(20).fill(2));
    });

    test("Multi-Dimensional Analysis", async () => {
      const manager = await recorded();
      const cacheHits = await manager.queryMetrics({ name: "cache_hits" });
      const cacheMisses = await manager.queryMetrics({ name: "cache_misses" });
      expect(cacheHitRates(cacheHits, cacheMisses)).toEqual({
        cache_0: { hits: 10, misses: 4, hitRate: 10 / 14 },
        cache_1: { hits: 10, misses: 3, hitRate: 10 / 13 },
        cache_2: { hits: 10, misses: 3, hitRate: 10 / 13 },
      });
      const costs = await manager.queryMetrics({ name: "llm_api_cost" });
      expect(costByModel(costs)).toEqual({ "large-1": 2, "small-1": 8 });
    });
  });
}
