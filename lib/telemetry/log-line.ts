// A log record as one line: JSON for machines, or plain for who watches a terminal.

import type { LogLevel, LogRecord } from "./log-record.ts";

/**
 * `{"timestamp", "level", "target", "message", "fields", "span"?}` with an upper-case level; `span`
 * says which trace the line belongs to.
 */
export function logLine(record: LogRecord): string {
  const { timeMs, level, target, message, fields, traceId, spanId } = record;
  return JSON.stringify({
    timestamp: new Date(timeMs).toISOString(),
    level: level.toUpperCase(),
    target,
    message,
    fields,
    ...(traceId === null ? {} : { span: { trace_id: traceId, span_id: spanId } }),
  });
}

const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";
const COLORS: Record<LogLevel, string> = {
  debug: DIM,
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
};

/** `12:03:04.567  INFO query  query refused  code=sql_invalid`; a stack follows line by line. */
export function prettyLogLine({ timeMs, level, target, message, fields }: LogRecord): string {
  const { stack, ...rest } = fields;
  const pairs = Object.entries(rest).map(([key, value]) => ` ${DIM}${key}=${PLAIN}${shown(value)}`);
  const time = new Date(timeMs).toISOString().slice(11, -1);
  const head = `${DIM}${time}${PLAIN} ${COLORS[level]}${level.toUpperCase().padStart(5)}${PLAIN}`;
  const from = target.replace(/^sluice::/, "");
  const line = `${head} ${DIM}${from}${PLAIN} ${message}${pairs.join("")}`;
  return typeof stack === "string" && stack !== "" ? `${line}\n${stack}` : line;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[^\s"]*$/.test(text) ? text : JSON.stringify(text);
}

/** A line that `logLine` made; null: it is something else. */
export function parseLogLine(line: string): LogRecord | null {
  if (!line.startsWith('{"timestamp":')) return null;
  let parsed: Line;
  try {
    parsed = JSON.parse(line) as Line;
  } catch {
    return null;
  }
  const { timestamp, level, target, message, fields, span } = parsed;
  return {
    timeMs: Date.parse(timestamp),
    level: level.toLowerCase() as LogLevel,
    target,
    message,
    fields,
    traceId: span?.trace_id ?? null,
    spanId: span?.span_id ?? null,
  };
}

interface Line extends Pick<LogRecord, "target" | "message" | "fields"> {
  readonly timestamp: string;
  readonly level: string;
  readonly span?: { readonly trace_id: string; readonly span_id: string };
}
