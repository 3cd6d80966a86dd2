// A graph of nodes, run from its start until a node has no next one. Everything that a run records
// has one trace id.

import type { TelemetryConfig } from "./config.ts";
import { newUuid } from "./new-uuid.ts";
import { Node } from "./node.ts";
import type { NodeContext, Outputs } from "./node.ts";
import { runStep } from "./steps.ts";
import { TelemetryManager } from "./telemetry.ts";

export interface GraphOptions {
  readonly start: Node;
  /** Configures the process's TelemetryManager, too. Without it the present one records. */
  readonly telemetryConfig?: TelemetryConfig;
  /** A UUID, when missing. */
  readonly graphId?: string;
}

export interface RunOptions {
  readonly inputs?: Outputs;
  readonly metadata?: Outputs;
  /** A new UUID, when missing. */
  readonly traceId?: string;
  readonly signal?: AbortSignal;
}

/** Ends a loop whose condition never turns. */
const STEPS_MAX = 100_000;

export class Graph {
  readonly graphId: string;
  readonly #start: Node;
  readonly #manager: TelemetryManager | undefined;

  constructor({ start, telemetryConfig, graphId = newUuid() }: GraphOptions) {
    this.graphId = graphId;
    this.#start = start;
    if (telemetryConfig !== undefined) {
      this.#manager = TelemetryManager.getInstance(telemetryConfig);
    }
  }

  /** The outputs of the last node. Rejects with what a node threw, or with an AbortError. */
  async run(options: RunOptions = {}): Promise<Outputs> {
    const { inputs = {}, metadata = {}, traceId = newUuid() } = options;
    const signal = options.signal ?? new AbortController().signal;
    const manager = this.#manager ?? TelemetryManager.getInstance();
    const attributes = { graph_id: this.graphId, start_node_id: this.#start.nodeId };
    const span = { traceId, parentSpanId: null };
    const step = { manager, name: "Graph", span, attributes, events: EVENTS, metrics: METRICS };
    const ids = { trace_id: traceId, graph_id: this.graphId };
    const carried = new Map(Object.entries({ ...metadata, ...ids }));
    return runStep(step, ({ spanId }) =>
      this.#walk(manager, inputs, { metadata: carried, signal, spanId }),
    );
  }

  async #walk(
    manager: TelemetryManager,
    inputs: Outputs,
    context: Omit<NodeContext, "inputs">,
  ): Promise<Outputs> {
    let outputs = inputs;
    let node: Node | undefined = this.#start;
    for (let steps = 0; node !== undefined; steps++) {
      if (steps === STEPS_MAX) throw new Error(`the graph has not ended after ${STEPS_MAX} steps`);
      const content = new Map(Object.entries(outputs));
      outputs = await node.run(manager, { ...context, inputs: { content } });
      node = node.next(outputs);
    }
    return outputs;
  }
}

const EVENTS = {
  started: "graph_started",
  completed: "graph_finished",
  failed: "graph_failed",
  cancelled: "graph_cancelled",
} as const;

const METRICS = { count: "graph_execution_count", duration: "graph_duration" } as const;
