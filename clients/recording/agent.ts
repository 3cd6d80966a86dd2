// An agent: a model that is asked until it has an answer, and tools that it may call on the way.
//
// Which model, and how it is reached, is one function of the configuration; the library counts its
// tokens, what they cost, and each call, step and tool.

import { messageOf } from "./active-span.ts";
import type { ActiveSpan } from "./active-span.ts";
import type { Attributes } from "./model.ts";
import { runStep } from "./steps.ts";
import { TelemetryManager } from "./telemetry.ts";

export interface AgentConfig {
  readonly name?: string;
  readonly model: {
    readonly modelId: string;
    readonly inputDollarsPerMillionTokens: number;
    readonly outputDollarsPerMillionTokens: number;
    /** Answers the messages so far: with tool calls, or with the text that ends the run. */
    call(messages: readonly Message[]): Promise<ModelAnswer>;
  };
  readonly tools?: Readonly<Record<string, (input: unknown) => unknown>>;
  /** A run that needs more steps fails. 20, when missing. */
  readonly stepsMax?: number;
}

export interface Message {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
}

export interface ModelAnswer {
  readonly text: string;
  readonly toolCalls?: readonly { readonly name: string; readonly input: unknown }[];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Of all runs of an agent. Dollars. */
export interface CostStats {
  readonly totalCost: number;
  readonly totalInputTokens: number;
  readonly totalOutputTokens: number;
  readonly callCount: number;
}

export class Agent {
  readonly #config: AgentConfig;
  readonly #attributes: Attributes;
  #stats = { totalCost: 0, totalInputTokens: 0, totalOutputTokens: 0, callCount: 0 };

  constructor({ config }: { readonly config: AgentConfig }) {
    this.#config = config;
    this.#attributes = { agent: config.name ?? "Agent", model: config.model.modelId };
  }

  /** The model's last text. Rejects with what the model threw; a tool's failure is told to it. */
  async run(prompt: string): Promise<string> {
    const manager = TelemetryManager.getInstance();
    const name = this.#config.name ?? "Agent";
    const step = { manager, name, attributes: this.#attributes, events: EVENTS, metrics: {} };
    return runStep(step, (span) => this.#steps(manager, span, prompt));
  }

  getCostStats(): CostStats {
    return { ...this.#stats };
  }

  async #steps(manager: TelemetryManager, span: ActiveSpan, prompt: string): Promise<string> {
    const { stepsMax = 20 } = this.#config;
    const messages: Message[] = [{ role: "user", content: prompt }];
    for (let step = 1; step <= stepsMax; step++) {
      const answer = await this.#callModel(manager, span, messages);
      const calls = answer.toolCalls ?? [];
      messages.push({ role: "assistant", content: answer.text });
      for (const call of calls) {
        const content = await this.#callTool(manager, span, call.name, call.input);
        messages.push({ role: "tool", content });
      }
      this.#recordMoment(manager, span, "agent_step", `Step ${step}`, {
        step,
        tool_calls: calls.length,
        messages: messages.length,
      });
      if (calls.length === 0) return answer.text;
    }
    throw new Error(`no answer after ${stepsMax} steps`);
  }

  async #callModel(
    manager: TelemetryManager,
    span: ActiveSpan,
    messages: readonly Message[],
  ): Promise<ModelAnswer> {
    const { model } = this.#config;
    const startedMs = performance.now();
    const seconds = () => (performance.now() - startedMs) / 1_000;
    let answer: ModelAnswer;
    try {
      answer = await model.call([...messages]);
    } catch (error) {
      const failure = { status: "failed", error: messageOf(error), duration: seconds() };
      this.#recordMoment(manager, span, "llm_api_call", model.modelId, failure);
      throw error;
    }
    const { inputTokens, outputTokens } = answer;
    const cost =
      (inputTokens * model.inputDollarsPerMillionTokens +
        outputTokens * model.outputDollarsPerMillionTokens) /
      1_000_000;
    this.#stats.totalCost += cost;
    this.#stats.totalInputTokens += inputTokens;
    this.#stats.totalOutputTokens += outputTokens;
    this.#stats.callCount += 1;
    this.#recordMoment(manager, span, "llm_api_call", model.modelId, {
      status: "completed",
      duration: seconds(),
      cost,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
    });
    this.#count(manager, span, "llm_input_tokens", inputTokens);
    this.#count(manager, span, "llm_output_tokens", outputTokens);
    this.#count(manager, span, "llm_api_cost", cost, "dollars");
    return answer;
  }

  /** What the model is told: the result as JSON, or why there is none. */
  async #callTool(
    manager: TelemetryManager,
    span: ActiveSpan,
    tool: string,
    input: unknown,
  ): Promise<string> {
    const startedMs = performance.now();
    const { content, status } = await this.#runTool(tool, input);
    const duration = (performance.now() - startedMs) / 1_000;
    this.#recordMoment(manager, span, "agent_tool_call", tool, { tool, status, duration });
    this.#count(manager, span, "tool_execution_count", 1, "count", { tool, status });
    return content;
  }

  async #runTool(tool: string, input: unknown): Promise<{ content: string; status: string }> {
    const run = Object.hasOwn(this.#config.tools ?? {}, tool)
      ? this.#config.tools![tool]
      : undefined;
    if (run === undefined) return { content: `there is no tool ${tool}`, status: "failed" };
    try {
      return { content: JSON.stringify(await run(input)) ?? "null", status: "completed" };
    } catch (error) {
      return { content: `the tool failed: ${messageOf(error)}`, status: "failed" };
    }
  }

  #recordMoment(
    manager: TelemetryManager,
    { traceId, spanId }: ActiveSpan,
    eventType: string,
    name: string,
    more: Attributes,
  ): void {
    const attributes = { ...this.#attributes, ...more };
    manager.recordEvent({ traceId, spanId, eventType, name, attributes });
  }

  #count(
    manager: TelemetryManager,
    { traceId }: ActiveSpan,
    name: string,
    value: number,
    unit = "count",
    more: Attributes = {},
  ): void {
    const attributes = { ...this.#attributes, ...more };
    manager.recordMetric({ name, value, unit, aggregationType: "counter", traceId, attributes });
  }
}

/** There is one event for every end; which end it was says its span and `error`. */
const EVENTS = {
  started: "agent_started",
  completed: "agent_finished",
  failed: "agent_finished",
  cancelled: "agent_finished",
} as const;
