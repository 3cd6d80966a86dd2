// The code samples of the telemetry reference about recording, each under the name of its section.

import { describe, expect, test } from "vitest";
import {
  Graph,
  Node,
  TelemetryConfig,
  TelemetryManager,
} from "../../../clients/recording/index.ts";
import type { Event, Metric, NodeContext } from "../../../clients/recording/index.ts";
import type { Stage } from "./stage.ts";

const traceId = "550e8400-e29b-41d4-a716-446655440000";
const spanId = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

export function recordingSamples(stage: Stage): void {
  describe(`samples of events, ${stage.name}`, () => {
    test("Event Model", async () => {
      const event: Event = {
        eventId: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        traceId: "550e8400-e29b-41d4-a716-446655440000",
        spanId: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        type: "node_finished",
        name: "TransformNode Completed",
        timestamp: new Date(2025, 0, 15, 10, 0, 2),
        attributes: {
          node_id: "transform_1",
          node_type: "TransformNode",
          outputs: { success: true, rows: 1000 },
          execution_count: 42,
        },
      };

      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordEvent(event);
      await manager.flush();
      expect(await manager.queryEvents()).toEqual([event]);
    });

    test("Automatic Event Recording", async () => {
      class MyNode extends Node {
        async process(_context: NodeContext) {
          // node_started is recorded automatically.
          const result = await this.doWork();
          // node_finished is recorded automatically.
          return { result };
        }
        async doWork() {
          return 42;
        }
      }

      const config = stage.fresh({ enableEvents: true });
      const graph = new Graph({ start: new MyNode(), telemetryConfig: config });
      expect(await graph.run()).toEqual({ result: 42 });

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const events = await manager.queryEvents();
      expect(events.toReversed().map((event) => [event.type, event.name])).toEqual([
        ["graph_started", "Graph Started"],
        ["node_started", "MyNode Started"],
        ["node_finished", "MyNode Completed"],
        ["graph_finished", "Graph Completed"],
      ]);
      expect(new Set(events.map((event) => event.traceId)).size).toBe(1);
      const [finished] = await manager.queryEvents({ eventType: "node_finished" });
      expect(finished!.attributes).toMatchObject({
        node_type: "MyNode",
        outputs: { result: 42 },
        execution_count: 1,
      });
    });

    test("Manual Event Recording", async () => {
      class DataProcessingNode extends Node {
        async process(context: NodeContext) {
          const manager = TelemetryManager.getInstance();
          const traceId = context.metadata.get("trace_id") as string;
          const data = [1, 2, -3];

          manager.recordEvent({
            traceId,
            eventType: "checkpoint",
            name: "Data Loaded",
            attributes: { rows: data.length, source: "database", load_time: 1.23 },
          });

          const errors = data.filter((value) => value < 0).map((value) => `negative: ${value}`);
          if (errors.length > 0) {
            manager.recordEvent({
              traceId,
              eventType: "alert",
              name: "Validation Errors Detected",
              attributes: {
                error_count: errors.length,
                severity: "warning",
                errors: errors.slice(0, 10),
              },
            });
          }

          const result = data.filter((value) => value >= 0);
          manager.recordEvent({
            traceId,
            eventType: "milestone",
            name: "Data Processing Complete",
            attributes: {
              input_rows: data.length,
              output_rows: result.length,
              transformation: "normalize",
            },
          });
          return { result };
        }
      }

      const graph = new Graph({ start: new DataProcessingNode(), telemetryConfig: stage.fresh() });
      await graph.run({ traceId });

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const events = (await manager.queryEvents({ traceId })).toReversed();
      expect(events.slice(2, 5).map(({ type, name }) => [type, name])).toEqual([
        ["checkpoint", "Data Loaded"],
        ["alert", "Validation Errors Detected"],
        ["milestone", "Data Processing Complete"],
      ]);
      expect(events[3]!.attributes).toEqual({
        error_count: 1,
        severity: "warning",
        errors: ["negative: -3"],
      });
    });

    test("Event Recording API", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());

      manager.recordEvent({ traceId, eventType: "custom", name: "Something Happened" });

      manager.recordEvent({
        traceId,
        eventType: "checkpoint",
        name: "Processing Milestone",
        attributes: { stage: "validation", progress: 0.45, items_processed: 450 },
      });

      manager.recordEvent({
        traceId,
        spanId,
        eventType: "alert",
        name: "High Memory Usage",
        attributes: { memory_mb: 8192, threshold_mb: 6144 },
      });

      manager.recordEvent({
        eventType: "system",
        name: "Cache Cleared",
        attributes: { cache_size_mb: 512 },
      });

      await manager.flush();
      const [system, alert, checkpoint, custom] = await manager.queryEvents();
      expect(custom).toMatchObject({ traceId, spanId: null, type: "custom", attributes: {} });
      expect(checkpoint!.attributes).toEqual({
        stage: "validation",
        progress: 0.45,
        items_processed: 450,
      });
      expect(alert).toMatchObject({ traceId, spanId, name: "High Memory Usage" });
      expect(system).toMatchObject({ traceId: null, spanId: null, name: "Cache Cleared" });
    });
  });

  describe(`samples of metrics, ${stage.name}`, () => {
    test("Metric Model", async () => {
      const metric: Metric = {
        metricId: "8d9e7789-8536-51ef-a55c-f18fc2g01bf8",
        traceId: "550e8400-e29b-41d4-a716-446655440000",
        name: "node_execution_count",
        value: 42.0,
        unit: "count",
        aggregationType: "counter",
        timestamp: new Date(2025, 0, 15, 10, 0, 2),
        attributes: { node_id: "transform_1", graph_id: "production_workflow" },
      };

      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordMetric(metric);
      await manager.flush();
      expect(await manager.queryMetrics()).toEqual([metric]);
    });

    test("Aggregation Types: counter, gauge, histogram", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());

      manager.recordMetric({
        name: "api_calls_total",
        value: 1,
        unit: "count",
        aggregationType: "counter",
      });
      manager.recordMetric({
        name: "queue_depth",
        value: 42,
        unit: "items",
        aggregationType: "gauge",
      });
      manager.recordMetric({
        name: "response_time",
        value: 0.523,
        unit: "seconds",
        aggregationType: "histogram",
      });

      await manager.flush();
      const metrics = await manager.queryMetrics();
      expect(metrics.map((m) => [m.name, m.value, m.unit, m.aggregationType])).toEqual([
        ["response_time", 0.523, "seconds", "histogram"],
        ["queue_depth", 42, "items", "gauge"],
        ["api_calls_total", 1, "count", "counter"],
      ]);
      expect(await manager.queryMetrics({ aggregationType: "gauge" })).toEqual([metrics[1]]);
    });

    test("Automatic Metric Recording", async () => {
      class MyNode extends Node {
        async process() {
          await new Promise((resolve) => setTimeout(resolve, 2));
          return {};
        }
      }
      const config = stage.fresh({ enableMetrics: true });
      const myNode = new MyNode({ nodeId: "my_node" });

      const graph = new Graph({ start: myNode, telemetryConfig: config, graphId: "my_graph" });
      await graph.run();

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const metrics = await manager.queryMetrics({ name: "node_duration" });
      const lines = metrics.map((m) => `${m.attributes["node_id"]}: ${m.value.toFixed(3)}s`);
      expect(lines).toEqual([expect.stringMatching(/^my_node: \d+\.\d{3}s$/)]);
      expect(metrics[0]!.value).toBeGreaterThan(0.001);

      const all = (await manager.queryMetrics()).toReversed();
      expect(all.map((m) => [m.name, m.aggregationType, m.unit])).toEqual([
        ["node_execution_count", "counter", "count"],
        ["node_duration", "histogram", "seconds"],
        ["graph_execution_count", "counter", "count"],
        ["graph_duration", "histogram", "seconds"],
      ]);
      expect(new Set(all.map((m) => m.attributes["graph_id"]))).toEqual(new Set(["my_graph"]));
    });

    test("Manual Metric Recording", async () => {
      class CacheNode extends Node {
        readonly cache = new Map<unknown, unknown>();
        cacheHits = 0;
        cacheMisses = 0;

        async process(context: NodeContext) {
          const manager = TelemetryManager.getInstance();
          const traceId = context.metadata.get("trace_id") as string;
          const key = context.inputs.content.get("key");
          const counted = {
            value: 1,
            unit: "count",
            aggregationType: "counter",
            traceId,
            attributes: { node_id: this.nodeId },
          } as const;

          if (this.cache.has(key)) {
            this.cacheHits += 1;
            manager.recordMetric({ name: "cache_hits", ...counted });
          } else {
            this.cacheMisses += 1;
            this.cache.set(key, await this.fetchData(key));
            manager.recordMetric({ name: "cache_misses", ...counted });
          }

          const total = this.cacheHits + this.cacheMisses;
          manager.recordMetric({
            name: "cache_hit_rate",
            value: total > 0 ? this.cacheHits / total : 0,
            unit: "ratio",
            aggregationType: "gauge",
            traceId,
            attributes: { node_id: this.nodeId },
          });
          return { result: this.cache.get(key) };
        }
        async fetchData(key: unknown) {
          return `data of ${String(key)}`;
        }
      }

      const start = new CacheNode({ nodeId: "cache_1" });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      for (const key of ["a", "b", "a", "a"]) await graph.run({ inputs: { key } });
      expect(await graph.run({ inputs: { key: "b" } })).toEqual({ result: "data of b" });

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      expect(await manager.queryMetrics({ name: "cache_hits" })).toHaveLength(3);
      expect(await manager.queryMetrics({ name: "cache_misses" })).toHaveLength(2);
      const rates = await manager.queryMetrics({ name: "cache_hit_rate" });
      expect(rates.toReversed().map((rate) => rate.value)).toEqual([0, 0, 1 / 3, 2 / 4, 3 / 5]);
    });

    test("Metric Recording API", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());

      manager.recordMetric({
        name: "requests_total",
        value: 1,
        unit: "count",
        aggregationType: "counter",
        traceId,
        attributes: { endpoint: "/api/process", method: "POST" },
      });
      manager.recordMetric({
        name: "memory_usage_mb",
        value: 4096,
        unit: "megabytes",
        aggregationType: "gauge",
        attributes: { host: "worker-01" },
      });
      manager.recordMetric({
        name: "query_duration",
        value: 0.234,
        unit: "seconds",
        aggregationType: "histogram",
        traceId,
        attributes: { query_type: "SELECT", table: "users" },
      });
      manager.recordMetric({
        name: "system_cpu_percent",
        value: 45.2,
        unit: "percent",
        aggregationType: "gauge",
      });

      await manager.flush();
      const ofTrace = await manager.queryMetrics({ traceId });
      expect(ofTrace.map((m) => m.name)).toEqual(["query_duration", "requests_total"]);
      const [post] = await manager.queryMetrics({ attributes: { method: "POST" } });
      expect(post).toMatchObject({ name: "requests_total", value: 1 });
      const [cpu] = await manager.queryMetrics({ name: "system_cpu_percent" });
      expect(cpu).toMatchObject({ traceId: null, value: 45.2, unit: "percent", attributes: {} });
    });
  });

  test(`before anything is configured, recording and asking do nothing, ${stage.name}`, async () => {
    const manager = TelemetryManager.getInstance(TelemetryConfig.createNoop());
    manager.recordEvent({ eventType: "custom" });
    await manager.flush();
    expect([await manager.queryEvents(), manager.stats().recorded]).toEqual([[], 0]);
  });
}
