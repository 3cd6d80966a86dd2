// What functions, agents and RPC record by themselves: the same on both back-ends.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Agent, RpcServer, TelemetryManager, traced } from "../../../clients/recording/index.ts";
import type { AgentConfig } from "../../../clients/recording/index.ts";
import { countOf, typesOf } from "./asking.ts";
import type { Stage } from "./stage.ts";

export function calls(stage: Stage): void {
  test(`traced functions do what they did, and are recorded, ${stage.name}`, async () => {
    const manager = TelemetryManager.getInstance(stage.fresh());
    const add = traced((a: number, b: number) => a + b, { name: "add", attributes: { v: 1 } });
    const later = traced(async function later(this: { n: number }, by: number) {
      await sleep(1);
      return add(this.n, by);
    });
    const broken = traced(() => {
      throw new RangeError("too far");
    });
    expect(add(1, 2)).toBe(3);
    expect(await later.call({ n: 4 }, 5)).toBe(9);
    expect(broken).toThrow(RangeError);

    expect(await typesOf(manager)).toEqual([
      "call_started",
      "call_finished",
      "call_started",
      "call_started",
      "call_finished",
      "call_finished",
      "call_started",
      "call_failed",
    ]);
    const [outer] = await manager.querySpans({ name: "later" });
    const adds = await manager.querySpans({ name: "add" });
    expect(adds.map((span) => span.parentSpanId)).toEqual([outer!.spanId, null]);
    expect(await countOf(manager, "call_execution_count")).toBe(4);
    expect(await countOf(manager, "call_duration")).toBe(4);
    const errors = await manager.queryMetrics({ name: "call_error_count" });
    expect(errors.map((metric) => metric.attributes["call"])).toEqual(["anonymous"]);
    const ofAdd = { attributes: { call: "add", v: 1 }, eventType: "call_finished" };
    expect(await manager.queryEvents(ofAdd)).toHaveLength(2);
  });

  test(`an agent's failures are recorded, ${stage.name}`, async () => {
    const manager = TelemetryManager.getInstance(stage.fresh());
    const replies: (() => Awaited<ReturnType<AgentConfig["model"]["call"]>>)[] = [
      () => ({
        text: "",
        toolCalls: [
          { name: "broken", input: 1 },
          { name: "toString", input: 2 },
        ],
        inputTokens: 5,
        outputTokens: 1,
      }),
      () => {
        throw new Error("overloaded");
      },
    ];
    const seen: string[] = [];
    const config: AgentConfig = {
      name: "Helper",
      model: {
        modelId: "m",
        inputDollarsPerMillionTokens: 1,
        outputDollarsPerMillionTokens: 1,
        call: async (messages) => {
          seen.push(messages.at(-1)!.content);
          return replies.shift()!();
        },
      },
      tools: {
        broken: () => {
          throw new Error("no disk");
        },
      },
    };
    const agent = new Agent({ config });
    await expect(agent.run("go")).rejects.toThrow("overloaded");
    expect(seen).toEqual(["go", "there is no tool toString"]);
    expect(agent.getCostStats()).toEqual({
      totalCost: 6 / 1e6,
      totalInputTokens: 5,
      totalOutputTokens: 1,
      callCount: 1,
    });
    expect(await typesOf(manager)).toEqual([
      "agent_started",
      "llm_api_call",
      "agent_tool_call",
      "agent_tool_call",
      "agent_step",
      "llm_api_call",
      "agent_finished",
    ]);
    const failed = { attributes: { status: "failed" } };
    expect(await manager.queryEvents({ eventType: "agent_tool_call", ...failed })).toHaveLength(2);
    const [call] = await manager.queryEvents({ eventType: "llm_api_call", ...failed });
    expect(call!.attributes["error"]).toBe("overloaded");
    const [finished] = await manager.queryEvents({ eventType: "agent_finished" });
    expect(finished!.attributes["error"]).toBe("overloaded");
    expect(await manager.queryTraces({ name: "Helper", status: "failed" })).toHaveLength(1);
  });

  test(`RPC connections, requests and notifications are recorded, ${stage.name}`, async () => {
    const manager = TelemetryManager.getInstance(stage.fresh());
    const sent: unknown[] = [];
    const server = new RpcServer({
      methods: {
        add: (params) => {
          const [a, b] = params as number[];
          return a! + b!;
        },
        fail: () => {
          throw new Error("no such file");
        },
        big: () => 2n,
        log: (_params, { connection }) => connection.notify("logged", { ok: true }),
      },
    });
    const connection = server.open((text) => sent.push(JSON.parse(text)));
    const request = (method: string, params?: unknown, id?: number) =>
      connection.receive(JSON.stringify({ jsonrpc: "2.0", method, params, id }));
    await request("add", [1, 2], 1);
    await request("fail", null, 2);
    await request("toString", null, 3);
    await request("big", null, 4);
    await request("log");
    await connection.receive("{");
    await connection.receive("[]");
    connection.close("went away");
    connection.close();
    connection.notify("late", null);

    expect(sent).toEqual([
      { jsonrpc: "2.0", id: 1, result: 3 },
      { jsonrpc: "2.0", id: 2, error: { code: -32_000, message: "no such file" } },
      { jsonrpc: "2.0", id: 3, error: { code: -32_601, message: "no method toString" } },
      {
        jsonrpc: "2.0",
        id: 4,
        error: { code: -32_000, message: "Do not know how to serialize a BigInt" },
      },
      { jsonrpc: "2.0", method: "logged", params: { ok: true } },
      { jsonrpc: "2.0", id: null, error: { code: -32_700, message: "this is not JSON" } },
      { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "this is not a request" } },
    ]);
    const request_ = ["rpc_request_received", "rpc_request_completed"];
    expect(await typesOf(manager)).toEqual([
      "rpc_connection_opened",
      ...request_,
      ...request_,
      ...request_,
      ...request_,
      "rpc_request_received",
      "rpc_notification_sent",
      "rpc_request_completed",
      "rpc_connection_closed",
    ]);
    const completed = await manager.queryEvents({ eventType: "rpc_request_completed" });
    expect(completed.map((event) => event.attributes["status"])).toEqual([
      "completed",
      "failed",
      "failed",
      "failed",
      "completed",
    ]);
    const [closed] = await manager.queryEvents({ eventType: "rpc_connection_closed" });
    expect(closed!.attributes).toMatchObject({
      connection_id: connection.connectionId,
      reason: "went away",
      request_count: 7,
    });
    expect(await manager.queryTraces({ name: "rpc fail", status: "failed" })).toHaveLength(1);
  });
}
