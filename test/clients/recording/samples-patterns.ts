// The code samples of the telemetry reference about common patterns of metrics.

import { cpus, freemem, totalmem } from "node:os";
import { describe, expect, test, vi } from "vitest";
import {
  Agent,
  Graph,
  Node,
  TelemetryConfig,
  TelemetryManager,
} from "../../../clients/recording/index.ts";
import type { AgentConfig, NodeContext } from "../../../clients/recording/index.ts";
import type { Stage } from "./stage.ts";

export function patternSamples(stage: Stage): void {
  describe(`samples of common metric patterns, ${stage.name}`, () => {
    test("Rate Metrics", async () => {
      let now = 1_767_225_600;
      const time = () => now;

      class RateLimitedNode extends Node {
        requestCount = 0;
        windowStart = time();

        async process() {
          const manager = TelemetryManager.getInstance();
          this.requestCount += 1;
          if (time() - this.windowStart >= 60) {
            manager.recordMetric({
              name: "requests_per_minute",
              value: this.requestCount,
              unit: "count",
              aggregationType: "gauge",
              attributes: { node_id: this.nodeId },
            });
            this.requestCount = 0;
            this.windowStart = time();
          }
          return { result: "done" };
        }
      }

      const start = new RateLimitedNode({ nodeId: "limited" });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      for (let i = 0; i < 30; i++) {
        await graph.run();
        now += 6;
      }
      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const rates = await manager.queryMetrics({ name: "requests_per_minute" });
      expect(rates.toReversed().map((rate) => rate.value)).toEqual([11, 10]);
    });

    test("Percentile Metrics", async () => {
      class LatencyTracker extends Node {
        latencies: number[] = [];
        calls = 0;

        async process() {
          const manager = TelemetryManager.getInstance();
          // 0.37 and 100 have no common divisor, so these are 1 to 100 milliseconds in disorder.
          const latency = (((this.calls++ * 37) % 100) + 1) / 1_000;
          const attributes = { node_id: this.nodeId };
          manager.recordMetric({
            name: "operation_latency",
            value: latency,
            unit: "seconds",
            aggregationType: "histogram",
            attributes,
          });

          this.latencies.push(latency);
          if (this.latencies.length >= 100) {
            const sorted = this.latencies.toSorted((a, b) => a - b);
            for (const percent of [50, 95, 99]) {
              manager.recordMetric({
                name: `operation_latency_p${percent}`,
                value: sorted[percent]!,
                unit: "seconds",
                aggregationType: "gauge",
                attributes,
              });
            }
            this.latencies = [];
          }
          return { result: "done" };
        }
      }

      const graph = new Graph({ start: new LatencyTracker(), telemetryConfig: stage.fresh() });
      for (let i = 0; i < 100; i++) await graph.run();
      const manager = TelemetryManager.getInstance();
      await manager.flush();
      expect(await manager.queryMetrics({ name: "operation_latency" })).toHaveLength(100);
      const percentiles = [50, 95, 99].map(async (percent) => {
        const [metric] = await manager.queryMetrics({ name: `operation_latency_p${percent}` });
        return metric!.value;
      });
      expect(await Promise.all(percentiles)).toEqual([0.051, 0.096, 0.1]);
    });

    test("Cost Metrics", async () => {
      const agentConfig: AgentConfig = {
        model: {
          modelId: "small-1",
          inputDollarsPerMillionTokens: 3,
          outputDollarsPerMillionTokens: 15,
          call: async (messages) => {
            if (messages.length > 1) {
              return { text: "It is 21 °C.", inputTokens: 1_200, outputTokens: 40 };
            }
            const toolCalls = [{ name: "weather", input: { city: "Ulm" } }];
            return { text: "", toolCalls, inputTokens: 1_000, outputTokens: 60 };
          },
        },
        tools: { weather: () => ({ celsius: 21 }) },
      };

      class CostTrackingNode extends Node {
        async process(context: NodeContext) {
          const manager = TelemetryManager.getInstance();
          const traceId = context.metadata.get("trace_id") as string;

          const agent = new Agent({ config: agentConfig });
          const result = await agent.run("How warm is it?");
          const stats = agent.getCostStats();

          manager.recordMetric({
            name: "llm_api_cost",
            value: stats.totalCost,
            unit: "dollars",
            aggregationType: "counter",
            traceId,
            attributes: { model: agentConfig.model.modelId, node_id: this.nodeId },
          });
          const count = { unit: "count", aggregationType: "counter", traceId } as const;
          const node = { node_id: this.nodeId };
          const { totalInputTokens, totalOutputTokens } = stats;
          manager.recordMetric({
            name: "llm_input_tokens",
            value: totalInputTokens,
            ...count,
            attributes: node,
          });
          manager.recordMetric({
            name: "llm_output_tokens",
            value: totalOutputTokens,
            ...count,
            attributes: node,
          });
          return { result };
        }
      }

      const start = new CostTrackingNode({ nodeId: "cost_1" });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      expect(await graph.run({ traceId: "cost-trace" })).toEqual({ result: "It is 21 °C." });

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const byHand = { attributes: { node_id: "cost_1" }, traceId: "cost-trace" };
      const [cost] = await manager.queryMetrics({ name: "llm_api_cost", ...byHand });
      expect(cost!.value).toBeCloseTo((2_200 * 3 + 100 * 15) / 1e6, 12);
      const [input] = await manager.queryMetrics({ name: "llm_input_tokens", ...byHand });
      const [output] = await manager.queryMetrics({ name: "llm_output_tokens", ...byHand });
      expect([input!.value, output!.value]).toEqual([2_200, 100]);

      // What the agent records by itself, per call: its sums are the same.
      const automatic = { attributes: { agent: "Agent" }, traceId: "cost-trace" };
      const costs = await manager.queryMetrics({ name: "llm_api_cost", ...automatic });
      expect(costs.map((metric) => metric.unit)).toEqual(["dollars", "dollars"]);
      expect(costs.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(cost!.value, 12);
      const tools = await manager.queryMetrics({ name: "tool_execution_count", ...automatic });
      expect(tools[0]!.attributes["tool"]).toBe("weather");
      const events = (await manager.queryEvents({ traceId: "cost-trace" })).toReversed();
      expect(events.map((event) => event.type)).toEqual([
        "graph_started",
        "node_started",
        "agent_started",
        "llm_api_call",
        "agent_tool_call",
        "agent_step",
        "llm_api_call",
        "agent_step",
        "agent_finished",
        "node_finished",
        "graph_finished",
      ]);
    });

    test("Resource Metrics", async () => {
      class ResourceMonitorNode extends Node {
        async process() {
          const manager = TelemetryManager.getInstance();
          const attributes = { host: "worker-01" };
          const times = cpus().map((cpu) => cpu.times);
          const idle = times.reduce((sum, time) => sum + time.idle, 0);
          const all = times.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.idle + t.irq, 0);

          manager.recordMetric({
            name: "cpu_percent",
            value: 100 - (100 * idle) / all,
            unit: "percent",
            aggregationType: "gauge",
            attributes,
          });
          manager.recordMetric({
            name: "memory_used_mb",
            value: (totalmem() - freemem()) / 1024 / 1024,
            unit: "megabytes",
            aggregationType: "gauge",
            attributes,
          });
          manager.recordMetric({
            name: "memory_percent",
            value: (100 * (totalmem() - freemem())) / totalmem(),
            unit: "percent",
            aggregationType: "gauge",
            attributes,
          });
          return { result: "done" };
        }
      }

      await new Graph({ start: new ResourceMonitorNode(), telemetryConfig: stage.fresh() }).run();
      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const metrics = await manager.queryMetrics({ attributes: { host: "worker-01" } });
      expect(metrics.map((metric) => [metric.name, metric.unit])).toEqual([
        ["memory_percent", "percent"],
        ["memory_used_mb", "megabytes"],
        ["cpu_percent", "percent"],
      ]);
      const isPercent = (value: number) => value >= 0 && value <= 100;
      expect(metrics.filter((m) => m.unit === "percent").every((m) => isPercent(m.value))).toBe(
        true,
      );
    });
  });

  describe(`samples of best practices, ${stage.name}`, () => {
    test("Use events for discrete moments", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordEvent({
        eventType: "checkpoint",
        name: "Data Validation Complete",
        attributes: { rows_validated: 1000 },
      });
      const items = Array.from({ length: 2_500 }, (_, item) => item);
      for (const item of items) {
        manager.recordEvent({ eventType: "item_processed", name: `Item ${item}` });
      }
      await manager.flush();
      expect(await manager.queryEvents({ eventType: "checkpoint" })).toHaveLength(1);
      const processed = await manager.queryEvents({ eventType: "item_processed" });
      expect(processed.toReversed().map((event) => event.name)).toEqual(
        items.map((item) => `Item ${item}`),
      );
    });

    test("Include relevant context", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordEvent({
        eventType: "alert",
        name: "High Error Rate Detected",
        attributes: {
          error_rate: 0.15,
          threshold: 0.1,
          time_window: "5m",
          affected_service: "api",
        },
      });
      manager.recordEvent({ eventType: "alert", name: "High Error Rate" });
      await manager.flush();
      const ofApi = { attributes: { affected_service: "api", threshold: 0.1 } };
      const alerts = await manager.queryEvents({ eventType: "alert", ...ofApi });
      expect(alerts.map((alert) => alert.name)).toEqual(["High Error Rate Detected"]);
    });

    test("Use consistent event types", async () => {
      const CHECKPOINT = "checkpoint";
      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordEvent({ eventType: CHECKPOINT, name: "Stage 1 Complete" });
      await manager.flush();
      expect(await manager.queryEvents({ eventType: CHECKPOINT })).toHaveLength(1);
    });

    test("Choose appropriate aggregation types; use consistent naming", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordMetric({ name: "requests_total", value: 1, aggregationType: "counter" });
      manager.recordMetric({ name: "queue_depth", value: 42, aggregationType: "gauge" });
      manager.recordMetric({ name: "response_time", value: 0.5, aggregationType: "histogram" });
      await manager.flush();
      for (const [name, aggregationType] of [
        ["requests_total", "counter"],
        ["queue_depth", "gauge"],
        ["response_time", "histogram"],
      ] as const) {
        const found = await manager.queryMetrics({ aggregationType });
        expect(found.map((metric) => [metric.name, metric.unit])).toEqual([[name, ""]]);
      }
    });

    test("Include units in names or metadata", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      manager.recordMetric({ name: "memory_used_mb", value: 4096, unit: "megabytes" });
      manager.recordMetric({ name: "memory_used", value: 4096, unit: "megabytes" });
      await manager.flush();
      const metrics = await manager.queryMetrics();
      expect(metrics.map((metric) => metric.unit)).toEqual(["megabytes", "megabytes"]);
    });

    test("Use attributes for dimensions", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const request = {
        name: "http_requests_total",
        value: 1,
        aggregationType: "counter",
      } as const;
      for (const [method, status] of [
        ["POST", 200],
        ["POST", 500],
        ["GET", 200],
      ] as const) {
        const attributes = { method, endpoint: "/api/process", status };
        manager.recordMetric({ ...request, attributes });
      }
      await manager.flush();
      const good = { method: "POST", endpoint: "/api/process", status: 200 };
      expect(await manager.queryMetrics({ attributes: good })).toHaveLength(1);
      expect(await manager.queryMetrics({ attributes: { status: 200 } })).toHaveLength(2);
      expect(await manager.queryMetrics({ attributes: { status: "200" } })).toEqual([]);
    });

    test("Batch event recording", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const buffer: { type: string; attributes: { item_id: number } }[] = [];
      for (let id = 0; id < 100; id++) {
        buffer.push({ type: "item_processed", attributes: { item_id: id } });
      }
      for (const eventData of buffer) manager.recordEvent({ ...eventData });
      await manager.flush();
      const events = await manager.queryEvents({ eventType: "item_processed" });
      expect(events.toReversed().map(({ type, attributes }) => ({ type, attributes }))).toEqual(
        buffer,
      );
    });

    test("Sample high-frequency metrics", async () => {
      const chance = vi.spyOn(Math, "random");
      // Every tenth throw is below 0.1.
      let throws = 0;
      chance.mockImplementation(() => (throws++ % 10) / 10);
      try {
        const manager = TelemetryManager.getInstance(
          stage.fresh({ metricSamplingRates: { request_latency: 0.1 } }),
        );
        for (let i = 0; i < 500; i++) {
          if (Math.random() < 0.1) manager.recordMetric({ name: "by_hand", value: i });
        }
        for (let i = 0; i < 500; i++) manager.recordMetric({ name: "request_latency", value: i });
        await manager.flush();
        expect(await manager.queryMetrics({ name: "by_hand" })).toHaveLength(50);
        expect(await manager.queryMetrics({ name: "request_latency" })).toHaveLength(50);
        expect(manager.stats().sampledOut).toBe(450);
      } finally {
        chance.mockRestore();
      }
    });

    test("Disable when not needed", async () => {
      const config = stage.fresh({ enableEvents: false, enableMetrics: true });
      const manager = TelemetryManager.getInstance(config);
      manager.recordEvent({ eventType: "checkpoint" });
      manager.recordMetric({ name: "requests_total", value: 1 });
      await manager.flush();
      expect(await manager.queryEvents()).toEqual([]);
      expect(await manager.queryMetrics()).toHaveLength(1);
      expect(manager.stats()).toEqual({ recorded: 1, written: 1, sampledOut: 0, dropped: 0 });
      const elsewhere = { connectionString: "...", enableEvents: false };
      expect(() => TelemetryConfig.createPostgresql(elsewhere)).toThrow("createSluice");
    });
  });
}
