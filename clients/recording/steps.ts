// What is recorded of every piece of work that the library runs: a span, the events of its
// beginning and end, and metrics of how often, how long and with how many failures.
//
// Nodes, graphs, agents and functions differ only in the words.

import { ActiveSpan, messageOf, runInSpan, statusOf } from "./active-span.ts";
import type { SpanOptions } from "./active-span.ts";
import type { Attributes, Status } from "./model.ts";
import type { TelemetryManager } from "./telemetry.ts";

export interface Step {
  readonly manager: TelemetryManager;
  /** Of the span, and the first word of each event's name. */
  readonly name: string;
  readonly span?: Omit<SpanOptions, "name"> | undefined;
  /** Of everything that is recorded. */
  readonly attributes: Attributes;
  /** Event types by how the work begins and ends. */
  readonly events: { readonly started: string } & Readonly<Record<Status, string>>;
  readonly metrics: {
    readonly count?: string;
    readonly duration?: string;
    readonly errors?: string;
  };
  /** More attributes of the event of a good end. */
  readonly describe?: (outcome: unknown) => Attributes;
}

/** Runs `run`, records what becomes of it, and gives back or throws what it did. */
export function runStep<T>(step: Step, run: (span: ActiveSpan) => T): T {
  const { manager, name, attributes } = step;
  const span = manager.startSpan({ ...step.span, name, attributes });
  recordMoment(step, span, step.events.started, "Started", {});
  const ended = (status: Status, more: Attributes) => {
    recordMoment(step, span, step.events[status], WORDS[status], more);
    recordNumbers(step, span, status);
  };
  const failed = (error: unknown) => {
    const type = error instanceof Error ? error.name : typeof error;
    ended(statusOf(error), { error: messageOf(error), error_type: type });
  };
  return runInSpan(span, () => {
    let outcome: T;
    try {
      outcome = run(span);
    } catch (error) {
      failed(error);
      throw error;
    }
    if (!(outcome instanceof Promise)) {
      ended("completed", described(step, outcome));
      return outcome;
    }
    return outcome.then(
      (value: unknown) => {
        ended("completed", described(step, value));
        return value;
      },
      (error: unknown) => {
        failed(error);
        throw error;
      },
    ) as T;
  });
}

const WORDS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled" } as const;

/** The application's outcome must not come to harm by being described. */
function described({ describe }: Step, outcome: unknown): Attributes {
  try {
    return describe?.(outcome) ?? {};
  } catch (error) {
    return { description_error: messageOf(error) };
  }
}

function recordMoment(
  step: Step,
  { traceId, spanId, elapsed }: ActiveSpan,
  eventType: string,
  word: string,
  more: Attributes,
): void {
  const duration = word === "Started" ? {} : { duration: elapsed };
  const attributes = { ...step.attributes, ...more, ...duration };
  step.manager.recordEvent({
    traceId,
    spanId,
    eventType,
    name: `${step.name} ${word}`,
    attributes,
  });
}

function recordNumbers(step: Step, { traceId, elapsed }: ActiveSpan, status: Status): void {
  const { manager, attributes, metrics } = step;
  const count = { unit: "count", aggregationType: "counter", traceId, attributes } as const;
  if (metrics.count !== undefined)
    manager.recordMetric({ ...count, name: metrics.count, value: 1 });
  if (metrics.errors !== undefined && status === "failed") {
    manager.recordMetric({ ...count, name: metrics.errors, value: 1 });
  }
  if (metrics.duration === undefined) return;
  manager.recordMetric({
    name: metrics.duration,
    value: elapsed,
    unit: "seconds",
    aggregationType: "histogram",
    traceId,
    attributes,
  });
}
