// Spans and log records as OpenTelemetry's wire format: OTLP 1 in its JSON form, which every
// collector takes over HTTP (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
//
// What that form has of its own: ids are hex, 64-bit integers are text, enums are numbers, names
// are in lowerCamelCase. The scope of a span is the component that made it.

import type { LogLevel, LogRecord } from "./log-record.ts";
import type { Attributes, AttributeValue, FinishedSpan, SpanKind } from "./span.ts";
import type { TraceContext } from "./trace-context.ts";

export const SERVICE_NAME = "sluice";
/** That of package.json, which a test compares. */
export const SERVICE_VERSION = "0.1.0";

export type Signal = "traces" | "logs";

export const OTLP_PATHS: Readonly<Record<Signal, string>> = {
  traces: "/v1/traces",
  logs: "/v1/logs",
};

const SPAN_KINDS: Record<SpanKind, number> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS_ERROR = 2;
/** The first of the four numbers that each level has. */
const SEVERITIES: Record<LogLevel, number> = { debug: 5, info: 9, warn: 13, error: 17 };
/** That of W3C. */
const FLAG_SAMPLED = 1;

/**
 * Body of a request to /v1/traces: an ExportTraceServiceRequest. `environment`: of this deployment,
 * e.g. `production`; empty: not said.
 */
export function tracesRequest(spans: readonly FinishedSpan[], environment: string): string {
  const scopeSpans = byScope(spans, ({ component }) => component).map(([scope, own]) => ({
    scope: scopeOf(scope),
    spans: own.map(spanJson),
  }));
  return JSON.stringify({ resourceSpans: [{ resource: resourceJson(environment), scopeSpans }] });
}

/** Body of a request to /v1/logs: an ExportLogsServiceRequest. */
export function logsRequest(logs: readonly LogRecord[], environment: string): string {
  const scopeLogs = byScope(logs, ({ target }) => target).map(([scope, own]) => ({
    scope: scopeOf(scope),
    logRecords: own.map(logJson),
  }));
  return JSON.stringify({ resourceLogs: [{ resource: resourceJson(environment), scopeLogs }] });
}

function byScope<T>(items: readonly T[], scopeName: (item: T) => string): [string, T[]][] {
  return [...Map.groupBy(items, scopeName)];
}

function scopeOf(name: string) {
  const isTarget = name.startsWith(`${SERVICE_NAME}::`);
  return { name: isTarget ? name : `${SERVICE_NAME}::${name}`, version: SERVICE_VERSION };
}

function resourceJson(environment: string) {
  const attributes = { "service.name": SERVICE_NAME, "service.version": SERVICE_VERSION };
  const said = environment === "" ? {} : { "deployment.environment": environment };
  return { attributes: attributesJson({ ...attributes, ...said }) };
}

function spanJson(span: FinishedSpan) {
  const { traceId, spanId, parentSpanId, name, kind, startUs, endUs, error } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    flags: FLAG_SAMPLED,
    name,
    kind: SPAN_KINDS[kind],
    startTimeUnixNano: nanoText(startUs),
    endTimeUnixNano: nanoText(endUs),
    attributes: attributesJson(span.attributes),
    links: span.links.map(linkJson),
    status: error === null ? {} : { code: STATUS_ERROR, message: error },
  };
}

function linkJson({ traceId, spanId, isSampled }: TraceContext) {
  return { traceId, spanId, flags: isSampled ? FLAG_SAMPLED : 0 };
}

function logJson({ timeMs, level, message, fields, traceId, spanId }: LogRecord) {
  const time = nanoText(timeMs * 1_000);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: SEVERITIES[level],
    severityText: level.toUpperCase(),
    body: { stringValue: message },
    attributes: Object.entries(fields).flatMap(([key, value]) =>
      value === null ? [] : [{ key, value: valueJson(value) }],
    ),
    ...(traceId === null ? {} : { traceId }),
    ...(spanId === null ? {} : { spanId }),
  };
}

function attributesJson(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));
}

function valueJson(value: AttributeValue | readonly string[]): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
}

/** Nanoseconds since 1970 are beyond what a double holds exactly. */
function nanoText(us: number): string {
  return String(BigInt(Math.round(us)) * 1_000n);
}
