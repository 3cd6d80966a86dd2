// `application_logs`: what was happening. Each line is written by one span and carries its trace.

import type { Measurement } from "./measurement.ts";
import { pickHost } from "./fleet.ts";
import { Random } from "./random.ts";
import type { Span } from "./traces.ts";

const ERROR_MESSAGES = [
  "upstream connect error: connection refused",
  "deadline exceeded after 500 ms",
  "readiness probe failed: HTTP 503",
  "too many open connections to the database",
] as const;

const WARNINGS = ["slow response", "retrying once", "connection pool at 90 %"] as const;

/** `count` lines, taken evenly from spans in order of time. */
export function generateLogs(seed: number, spans: readonly Span[], count: number): Measurement {
  const random = new Random(seed, "application_logs");
  const lines = Array.from({ length: count }, (_, i) => {
    const span = spans[Math.floor((i * spans.length) / count)]!;
    return { span, host: pickHost(random, span.service), ...describe(random, span) };
  });

  return {
    name: "application_logs",
    rowCount: count,
    columns: {
      time: lines.map((line) => line.span.timeMs),
      level: lines.map((line) => line.level),
      service: lines.map((line) => line.span.service),
      host: lines.map((line) => line.host),
      message: lines.map((line) => line.message),
      trace_id: lines.map((line) => line.span.traceId),
      span_id: lines.map((line) => line.span.spanId),
    },
  };
}

function describe(random: Random, span: Span): { level: string; message: string } {
  const durationMs = Math.round(span.durationNs / 1e6);
  if (span.error) {
    const level = random.chance(0.05) ? "FATAL" : "ERROR";
    return { level, message: `${span.operation}: ${random.pick(ERROR_MESSAGES)}` };
  }
  if (durationMs > 300 || random.chance(0.02)) {
    return { level: "WARN", message: `${span.operation}: ${random.pick(WARNINGS)}` };
  }
  const level = random.chance(0.2) ? "DEBUG" : "INFO";
  return { level, message: `${span.operation} done in ${durationMs} ms` };
}
