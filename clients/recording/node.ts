// A node: one piece of a graph's work. Subclasses say what it does in `process`; running it records
// node_started, node_finished, node_failed, node_cancelled and node_retry, and its metrics.

import { messageOf } from "./active-span.ts";
import type { ActiveSpan } from "./active-span.ts";
import { attributesText } from "./attributes.ts";
import { newUuid } from "./new-uuid.ts";
import { runStep } from "./steps.ts";
import type { Step } from "./steps.ts";
import type { TelemetryManager } from "./telemetry.ts";

export type Outputs = Readonly<Record<string, unknown>>;

export interface NodeContext {
  /** What came from the node before, or into the graph, by key. */
  readonly inputs: { readonly content: ReadonlyMap<string, unknown> };
  /** `trace_id`, `graph_id`, and what the graph was run with; nodes may add to it. */
  readonly metadata: Map<string, unknown>;
  /** Of this run of the node. */
  readonly spanId: string;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
}

export interface NodeOptions {
  /** The class's name and a part of a UUID, when missing. */
  readonly nodeId?: string;
  readonly retry?: { readonly attemptsMax: number; readonly delayMs: number };
}

interface Edge {
  readonly to: Node;
  readonly when: (outputs: Outputs) => boolean;
}

/** Longer outputs are not copied into node_finished: an event is no place for a data set. */
const OUTPUTS_CHARS_MAX = 4_096;

export abstract class Node {
  readonly nodeId: string;
  readonly #retry: Required<NodeOptions>["retry"];
  readonly #edges: Edge[] = [];
  #executionCount = 0;

  constructor({ nodeId, retry = { attemptsMax: 1, delayMs: 0 } }: NodeOptions = {}) {
    this.nodeId = nodeId ?? `${this.constructor.name}-${newUuid().slice(0, 8)}`;
    this.#retry = retry;
  }

  /** What it gives back is the next node's input. */
  abstract process(context: NodeContext): Promise<Outputs | void> | Outputs | void;

  /**
   * Goes on to the target when `when` says so; of several edges along the first. Returns the
   * target, for chains.
   */
  to(target: Node, when: (outputs: Outputs) => boolean = () => true): Node {
    this.#edges.push({ to: target, when });
    return target;
  }

  /** The node after this one; undefined at the end. */
  next(outputs: Outputs): Node | undefined {
    return this.#edges.find(({ when }) => when(outputs))?.to;
  }

  /**
   * Runs `process`, again after a failure as often as `retry` says. A graph calls it, with its own
   * span in the context. What begins and ends inside is told by hand here, for browsers.
   */
  async run(manager: TelemetryManager, context: NodeContext): Promise<Outputs> {
    const nodeType = this.constructor.name;
    const graphId = context.metadata.get("graph_id");
    const attributes = { node_id: this.nodeId, node_type: nodeType, graph_id: graphId };
    this.#executionCount += 1;
    const executionCount = this.#executionCount;
    const describe = (outputs: unknown) => ({
      outputs: shortOutputs(outputs as Outputs),
      execution_count: executionCount,
    });
    const traceId = context.metadata.get("trace_id") as string;
    const step = {
      manager,
      name: nodeType,
      span: { traceId, parentSpanId: context.spanId },
      attributes,
      events: EVENTS,
      metrics: METRICS,
      describe,
    };
    return runStep(step, (span) => this.#attempts(step, span, context));
  }

  async #attempts(step: Step, span: ActiveSpan, context: NodeContext): Promise<Outputs> {
    const inner = { ...context, spanId: span.spanId };
    for (let attempt = 1; ; attempt++) {
      try {
        return (await untilAborted(context.signal, async () => this.process(inner))) ?? {};
      } catch (error) {
        if (context.signal.aborted || attempt >= this.#retry.attemptsMax) throw error;
        recordRetry(step, span, attempt, this.#retry.delayMs, error);
        await untilAborted(context.signal, () => delay(this.#retry.delayMs));
      }
    }
  }
}

const EVENTS = {
  started: "node_started",
  completed: "node_finished",
  failed: "node_failed",
  cancelled: "node_cancelled",
} as const;

const METRICS = {
  count: "node_execution_count",
  duration: "node_duration",
  errors: "node_error_count",
} as const;

/** Rejects with an AbortError at once; what ignores the signal goes on, unheard. */
function untilAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortError(signal));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Whatever the reason was given as: the name is how a cancellation is told from a failure. */
function abortError({ reason }: AbortSignal): Error {
  if (reason instanceof Error && reason.name === "AbortError") return reason;
  return new DOMException(messageOf(reason), "AbortError");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function recordRetry(
  { manager, name, attributes }: Step,
  { traceId, spanId }: ActiveSpan,
  attempt: number,
  delayMs: number,
  error: unknown,
): void {
  const more = { attempt, delay_ms: delayMs, error: messageOf(error) };
  manager.recordEvent({
    traceId,
    spanId,
    eventType: "node_retry",
    name: `${name} Retry`,
    attributes: { ...attributes, ...more },
  });
}

function shortOutputs(outputs: Outputs): unknown {
  const chars = attributesText(outputs).length;
  return chars <= OUTPUTS_CHARS_MAX ? outputs : `${chars} characters of JSON`;
}
