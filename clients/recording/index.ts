// The recording part of `sluice/client`: everything that an application may use of it.

export { ActiveSpan } from "./active-span.ts";
export type { SpanOptions } from "./active-span.ts";
export { Agent } from "./agent.ts";
export type { AgentConfig, CostStats, Message, ModelAnswer } from "./agent.ts";
export { TelemetryConfig } from "./config.ts";
export type { RecordingOptions, SluiceOptions, SqliteOptions } from "./config.ts";
export { Graph } from "./graph.ts";
export type { GraphOptions, RunOptions } from "./graph.ts";
export type * from "./model.ts";
export { Node } from "./node.ts";
export type { NodeContext, NodeOptions, Outputs } from "./node.ts";
export { RpcConnection, RpcServer } from "./rpc.ts";
export type { Method, MethodCall } from "./rpc.ts";
export { TelemetryManager } from "./telemetry.ts";
export type { RecordingStats } from "./telemetry.ts";
export { traced } from "./traced.ts";
export type { TracedOptions } from "./traced.ts";
