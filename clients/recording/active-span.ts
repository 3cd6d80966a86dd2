// A span that has begun and not yet ended.

import { carriedSpan, carry } from "./carried.ts";
import type { CarriedSpan } from "./carried.ts";
import type { Attributes, Span, Status } from "./model.ts";
import { newUuid } from "./new-uuid.ts";

export interface SpanOptions {
  readonly name: string;
  /** That of the parent, else a new UUID. */
  readonly traceId?: string | null | undefined;
  /** The span that the running code is part of, when missing; null for none. */
  readonly parentSpanId?: string | null | undefined;
  readonly attributes?: Attributes | undefined;
}

/** What is recorded of a span: its end follows from start and duration. */
export type EndedSpan = Omit<Span, "endTime">;

export class ActiveSpan implements CarriedSpan {
  readonly traceId: string;
  readonly spanId: string = newUuid();
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startTime = new Date();
  readonly #startedMs = performance.now();
  readonly #attributes: Record<string, unknown>;
  readonly #onEnd: (span: EndedSpan) => void;
  #isEnded = false;

  constructor(options: SpanOptions, onEnd: (span: EndedSpan) => void) {
    const { traceId, parentSpanId } = options;
    const around = parentSpanId === null ? undefined : carriedSpan();
    const isWithin = (traceId ?? null) === null || traceId === around?.traceId;
    this.name = options.name;
    this.traceId = traceId ?? around?.traceId ?? newUuid();
    this.parentSpanId = parentSpanId ?? (isWithin ? around?.spanId : undefined) ?? null;
    this.#attributes = { ...options.attributes };
    this.#onEnd = onEnd;
  }

  /** Seconds since it began. */
  get elapsed(): number {
    return (performance.now() - this.#startedMs) / 1_000;
  }

  setAttribute(key: string, value: unknown): void {
    this.#attributes[key] = value;
  }

  /** Only the first end counts. */
  end(status: Status = "completed", statusMessage: string | null = null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { traceId, spanId, parentSpanId, name, startTime, elapsed: duration } = this;
    const attributes = this.#attributes;
    this.#onEnd({
      traceId,
      spanId,
      parentSpanId,
      name,
      startTime,
      duration,
      status,
      statusMessage,
      attributes,
    });
  }
}

/** Runs `run` inside the span and ends it with the outcome, which is passed on untouched. */
export function runInSpan<T>(span: ActiveSpan, run: () => T): T {
  let outcome: T;
  try {
    outcome = carry(span, run);
  } catch (error) {
    endWithError(span, error);
    throw error;
  }
  if (!(outcome instanceof Promise)) {
    span.end();
    return outcome;
  }
  return outcome.then(
    (value: unknown) => {
      span.end();
      return value;
    },
    (error: unknown) => {
      endWithError(span, error);
      throw error;
    },
  ) as T;
}

export function statusOf(error: unknown): Status {
  return error instanceof Error && error.name === "AbortError" ? "cancelled" : "failed";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function endWithError(span: ActiveSpan, error: unknown): void {
  span.end(statusOf(error), messageOf(error));
}
