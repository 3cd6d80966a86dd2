// Any function, recorded: a span for each call, events of its beginning and end, and metrics.

import type { Attributes } from "./model.ts";
import { runStep } from "./steps.ts";
import { TelemetryManager } from "./telemetry.ts";

export interface TracedOptions {
  /** The function's own, when missing. */
  readonly name?: string;
  readonly attributes?: Attributes;
}

/** A function that does what `fn` does, synchronous or not, and throws what it throws. */
export function traced<This, Args extends unknown[], Result>(
  fn: (this: This, ...args: Args) => Result,
  options: TracedOptions = {},
): (this: This, ...args: Args) => Result {
  const name = options.name ?? (fn.name === "" ? "anonymous" : fn.name);
  const attributes = { ...options.attributes, call: name };
  return function (this: This, ...args: Args): Result {
    const manager = TelemetryManager.getInstance();
    const step = { manager, name, attributes, events: EVENTS, metrics: METRICS };
    return runStep(step, () => fn.apply(this, args));
  };
}

const EVENTS = {
  started: "call_started",
  completed: "call_finished",
  failed: "call_failed",
  cancelled: "call_cancelled",
} as const;

const METRICS = {
  count: "call_execution_count",
  duration: "call_duration",
  errors: "call_error_count",
} as const;
