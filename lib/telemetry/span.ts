// Spans: what took how long, on whose behalf. OpenTelemetry's model
// (https://opentelemetry.io/docs/specs/otel/trace/api/), as plain data.
//
// Whether a trace is recorded is decided once, where it begins; everybody after that obeys the flag
// that travels along. A trace that is not recorded costs nothing but the flag.

import { isSluiceError } from "#lib/base/errors.ts";
import type { TraceContext } from "./trace-context.ts";

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";
export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly component: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** µs since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Attributes;
  /** Null: it went well. */
  readonly error: string | null;
  /** Other traces that this work was done for as well. */
  readonly links: readonly TraceContext[];
}

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly TraceContext[];
  /** Where it began before it was known whose it is. */
  readonly startUs?: number;
}

/** Work under way. */
export interface Span {
  /** What to hand on to those who work for it. */
  readonly context: TraceContext;
  /** Attributes that are known only later. */
  note(attributes: Attributes): void;
  /** A name that is known only later. */
  rename(name: string): void;
  child(name: string, options?: SpanOptions): Span;
  /** A part whose times are known only afterwards; in µs since 1970. */
  childBetween(name: string, startUs: number, endUs: number): void;
  /** Only the first time counts. */
  end(error?: unknown): void;
}

export interface TracerPorts {
  nowUs(): number;
  randomHex(digits: number): string;
  /** Between 0 and 1. */
  random(): number;
  finish(span: FinishedSpan): void;
}

export class Tracer {
  readonly #ports: TracerPorts;
  readonly #component: string;
  readonly #ratio: number;

  /** `ratio` of the traces that begin here are recorded. */
  constructor(ports: TracerPorts, component: string, ratio: number) {
    this.#ports = ports;
    this.#component = component;
    this.#ratio = ratio;
  }

  /** `parent` null: a trace begins. */
  start(name: string, parent: TraceContext | null, options: SpanOptions = {}): Span {
    const ports = this.#ports;
    const isSampled = parent?.isSampled ?? ports.random() < this.#ratio;
    const traceId = parent?.traceId ?? ports.randomHex(32);
    if (!isSampled)
      return unrecorded({ traceId, spanId: parent?.spanId ?? ports.randomHex(16), isSampled });
    const context = { traceId, spanId: ports.randomHex(16), isSampled };
    const parentSpanId = parent?.spanId ?? null;
    return new RecordedSpan(this, ports, this.#component, name, context, parentSpanId, options);
  }
}

class RecordedSpan implements Span {
  readonly context: TraceContext;
  readonly #tracer: Tracer;
  readonly #ports: TracerPorts;
  readonly #begun: Omit<FinishedSpan, "name" | "endUs" | "attributes" | "error">;
  #name: string;
  #attributes: Attributes;
  #hasEnded = false;

  constructor(
    tracer: Tracer,
    ports: TracerPorts,
    component: string,
    name: string,
    context: TraceContext,
    parentSpanId: string | null,
    { kind = "internal", attributes = {}, links = [], startUs = ports.nowUs() }: SpanOptions,
  ) {
    this.context = context;
    this.#tracer = tracer;
    this.#ports = ports;
    this.#attributes = attributes;
    const { traceId, spanId } = context;
    this.#name = name;
    this.#begun = { traceId, spanId, parentSpanId, component, kind, startUs, links };
  }

  note(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  rename(name: string): void {
    this.#name = name;
  }

  child(name: string, options?: SpanOptions): Span {
    return this.#tracer.start(name, this.context, options);
  }

  childBetween(name: string, startUs: number, endUs: number): void {
    const { traceId, component } = this.#begun;
    this.#ports.finish({
      traceId,
      spanId: this.#ports.randomHex(16),
      parentSpanId: this.context.spanId,
      component,
      name,
      kind: "internal",
      startUs: Math.round(startUs),
      endUs: Math.round(endUs),
      attributes: {},
      error: null,
      links: [],
    });
  }

  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const endUs = this.#ports.nowUs();
    const attributes = this.#attributes;
    const name = this.#name;
    this.#ports.finish({ ...this.#begun, name, endUs, attributes, error: errorText(error) });
  }
}

/** Of a refusal its code: the message may quote what a client sent. */
function errorText(error: unknown): string | null {
  if (error === undefined) return null;
  if (isSluiceError(error)) return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** Stands for the span of work of which it is not known yet whether it is recorded. */
export const UNRECORDED: Span = unrecorded({
  traceId: "0".repeat(32),
  spanId: "0".repeat(16),
  isSampled: false,
});

function unrecorded(context: TraceContext): Span {
  const span: Span = {
    context,
    note() {},
    rename() {},
    child: () => span,
    childBetween() {},
    end() {},
  };
  return span;
}

/** Runs `work` as a part of `parent`; its span ends with it, well or not. */
export async function inSpan<T>(
  parent: Span,
  name: string,
  work: (span: Span) => Promise<T>,
  options?: SpanOptions,
): Promise<T> {
  const span = parent.child(name, options);
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
