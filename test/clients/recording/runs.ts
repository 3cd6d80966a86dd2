// Spans, and what graphs and nodes record by themselves: the same on both back-ends.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Graph, Node, TelemetryManager } from "../../../clients/recording/index.ts";
import type { NodeContext, Outputs } from "../../../clients/recording/index.ts";
import { countOf, typesOf } from "./asking.ts";
import type { Stage } from "./stage.ts";

class Work extends Node {
  readonly #work: (context: NodeContext) => Outputs | Promise<Outputs>;
  constructor(nodeId: string, work: (context: NodeContext) => Outputs | Promise<Outputs>) {
    super({ nodeId, retry: { attemptsMax: 3, delayMs: 1 } });
    this.#work = work;
  }
  process(context: NodeContext) {
    return this.#work(context);
  }
}

export function runs(stage: Stage): void {
  describe(`spans and traces, ${stage.name}`, () => {
    test("know the span around them, through awaits", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const result = await manager.withSpan("outer", async (outer) => {
        await sleep(1);
        outer.setAttribute("rows", 3);
        return manager.withSpan("inner", () => 42, { attributes: { deep: true } });
      });
      expect(result).toBe(42);
      await manager.flush();
      const spans = await manager.querySpans();
      const [outer, inner] = ["outer", "inner"].map((name) => spans.find((s) => s.name === name)!);
      expect(inner).toMatchObject({
        traceId: outer!.traceId,
        parentSpanId: outer!.spanId,
        status: "completed",
        statusMessage: null,
        attributes: { deep: true },
      });
      expect(outer!.attributes).toEqual({ rows: 3 });
      expect(outer!.duration).toBeGreaterThan(inner!.duration);
      expect(outer!.endTime >= outer!.startTime).toBe(true);
      expect(await manager.querySpans({ parentSpanId: outer!.spanId })).toEqual([inner]);
    });

    test("end with what was thrown, and let it through", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const fail = () =>
        manager.withSpan("fails", () => {
          throw new Error("no");
        });
      expect(fail).toThrow("no");
      await expect(
        manager.withSpan("is cancelled", () =>
          Promise.reject(new DOMException("enough", "AbortError")),
        ),
      ).rejects.toThrow("enough");
      await manager.flush();
      expect(await manager.querySpans({ status: "failed" })).toMatchObject([
        { name: "fails", statusMessage: "no" },
      ]);
      expect(await manager.querySpans({ status: "cancelled" })).toMatchObject([
        { name: "is cancelled", statusMessage: "enough" },
      ]);
    });

    test("make traces: the spans without a parent", async () => {
      const manager = TelemetryManager.getInstance(stage.fresh());
      const trace = manager.startTrace({
        name: "import",
        traceId: "any text",
        attributes: { n: 1 },
      });
      const span = manager.startSpan({
        name: "read",
        traceId: trace.traceId,
        parentSpanId: trace.spanId,
      });
      span.end();
      span.end("failed", "only the first end counts");
      trace.end("failed", "disk full");
      await manager.flush();
      const [found, ...more] = await manager.queryTraces({ traceId: "any text" });
      expect(more).toEqual([]);
      expect(found).toMatchObject({
        traceId: "any text",
        name: "import",
        status: "failed",
        statusMessage: "disk full",
        attributes: { n: 1 },
      });
      expect(await manager.querySpans({ traceId: "any text" })).toHaveLength(2);
      expect(await manager.queryTraces({ status: "completed" })).toEqual([]);
    });
  });

  describe(`graphs and nodes, ${stage.name}`, () => {
    test("hand outputs on as inputs, along the first edge that fits", async () => {
      const count = new Work("count", ({ inputs }) => ({ n: Number(inputs.content.get("n")) + 1 }));
      const end = new Work("end", ({ inputs, metadata }) => ({
        n: inputs.content.get("n"),
        user: metadata.get("user"),
      }));
      count.to(count, ({ n }) => (n as number) < 3);
      count.to(end);
      const graph = new Graph({ start: count, telemetryConfig: stage.fresh() });
      const outputs = await graph.run({
        inputs: { n: 0 },
        metadata: { user: "ada" },
        traceId: "t",
      });
      expect(outputs).toEqual({ n: 3, user: "ada" });

      const manager = TelemetryManager.getInstance();
      await manager.flush();
      expect(await countOf(manager, "node_execution_count")).toBe(4);
      const [trace] = await manager.queryTraces({ traceId: "t" });
      const [root] = await manager.querySpans({ name: "Graph" });
      expect(trace!.status).toBe("completed");
      const nodes = await manager.querySpans({ parentSpanId: root!.spanId });
      expect(nodes.toReversed().map((span) => span.attributes["node_id"])).toEqual([
        "count",
        "count",
        "count",
        "end",
      ]);
      const finished = await manager.queryEvents({ eventType: "node_finished" });
      const executions = finished.map((event) => event.attributes["execution_count"]);
      expect(executions).toEqual([1, 3, 2, 1]);
    });

    test("record every retry, and one end", async () => {
      let calls = 0;
      const start = new Work("flaky", () => {
        if (++calls < 3) throw new Error(`failure ${calls}`);
        return { calls };
      });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      expect(await graph.run()).toEqual({ calls: 3 });
      const manager = TelemetryManager.getInstance();
      expect(await typesOf(manager)).toEqual([
        "graph_started",
        "node_started",
        "node_retry",
        "node_retry",
        "node_finished",
        "graph_finished",
      ]);
      const retries = (await manager.queryEvents({ eventType: "node_retry" })).toReversed();
      expect(retries.map(({ attributes }) => [attributes["attempt"], attributes["error"]])).toEqual(
        [
          [1, "failure 1"],
          [2, "failure 2"],
        ],
      );
      expect(await countOf(manager, "node_error_count")).toBe(0);
      expect(await countOf(manager, "node_execution_count")).toBe(1);
    });

    test("are cancelled at once, also in a node that does not listen, and that is no error", async () => {
      const controller = new AbortController();
      const start = new Work("deaf", async () => {
        controller.abort("the user left");
        return new Promise<never>(() => {});
      });
      const graph = new Graph({ start, telemetryConfig: stage.fresh() });
      const run = graph.run({ signal: controller.signal });
      await expect(run).rejects.toMatchObject({ name: "AbortError", message: "the user left" });
      const manager = TelemetryManager.getInstance();
      expect(await typesOf(manager)).toEqual([
        "graph_started",
        "node_started",
        "node_cancelled",
        "graph_cancelled",
      ]);
      expect(await countOf(manager, "node_error_count")).toBe(0);
      expect(await manager.queryTraces({ status: "cancelled" })).toHaveLength(1);
    });

    test("do not copy large outputs into events", async () => {
      const start = new Work("large", () => ({ rows: "x".repeat(100_000) }));
      await new Graph({ start, telemetryConfig: stage.fresh() }).run();
      const manager = TelemetryManager.getInstance();
      await manager.flush();
      const [finished] = await manager.queryEvents({ eventType: "node_finished" });
      expect(finished!.attributes["outputs"]).toBe("100011 characters of JSON");
    });
  });
}
