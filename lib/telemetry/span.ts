// Spans: what took how long, on whose behalf. OpenTelemetry's model
// (https://opentelemetry.io/docs/specs/otel/trace/api/), as plain data.
//
// Whether a trace is recorded is decided once, where it begins; everybody after that obeys the flag
// that travels along. A trace that is not recorded costs nothing but the flag.

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
}

/** Work under way. */
export interface Span {
  /** What to hand on to those who work for it. */
  readonly context: TraceContext;
  /** Attributes that are known only later. */
  note(attributes: Attributes): void;
  child(name: string, options?: SpanOptions): Span;
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
  readonly #begun: Omit<FinishedSpan, "endUs" | "attributes" | "error">;
  #attributes: Attributes;
  #hasEnded = false;

  constructor(
    tracer: Tracer,
    ports: TracerPorts,
    component: string,
    name: string,
    context: TraceContext,
    parentSpanId: string | null,
    { kind = "internal", attributes = {}, links = [] }: SpanOptions,
  ) {
    this.context = context;
    this.#tracer = tracer;
    this.#ports = ports;
    this.#attributes = attributes;
    const { traceId, spanId } = context;
    const startUs = ports.nowUs();
    this.#begun = { traceId, spanId, parentSpanId, component, name, kind, startUs, links };
  }

  note(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  child(name: string, options?: SpanOptions): Span {
    return this.#tracer.start(name, this.context, options);
  }

  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const endUs = this.#ports.nowUs();
    const attributes = this.#attributes;
    this.#ports.finish({ ...this.#begun, endUs, attributes, error: errorText(error) });
  }
}

function errorText(error: unknown): string | null {
  if (error === undefined) return null;
  return error instanceof Error ? error.message : String(error);
}

function unrecorded(context: TraceContext): Span {
  const span: Span = { context, note() {}, child: () => span, end() {} };
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
