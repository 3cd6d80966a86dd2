// Log lines of Workers and objects: the only place that writes on the console. What is printed at
// level info or above is also kept for export (telemetry.ts).
//
// No secret can be in them by construction: no header, body, URL, parameter, SQL text or cell is
// ever handed to a log, only names, numbers, ids, codes, and errors of our own.

import { isSluiceError } from "#lib/base/errors.ts";
import { isLogged, type LogLevels, parseLogLevels } from "#lib/telemetry/log-levels.ts";
import { logLine } from "#lib/telemetry/log-line.ts";
import type { LogFields, LogLevel } from "#lib/telemetry/log-record.ts";
import type { TraceContext } from "#lib/telemetry/trace-context.ts";
import { keepLog } from "./telemetry.ts";

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
  /** The same log; its lines belong to this work, where that is recorded. */
  within(trace: TraceContext): Log;
}

/**
 * `component` is who speaks, `levels` the variable LOG_LEVEL, `trace` the work that the lines
 * belong to.
 */
export function createLog(
  component: string,
  levels: string,
  trace: TraceContext | null = null,
): Log {
  const wanted = levelsOf(levels);
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (!isLogged(wanted, component, level)) return;
    const { traceId, spanId } = trace ?? { traceId: null, spanId: null };
    const target = `sluice::${component}`;
    const record = { timeMs: Date.now(), level, target, message, fields, traceId, spanId };
    console.log(logLine(record));
    if (level !== "debug") keepLog(record);
  };
  const log: Log = {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, error, fields) => write("error", message, { ...fields, ...describe(error) }),
    within: (context) => (context.isSampled ? createLog(component, levels, context) : log),
  };
  return log;
}

const parsed = new Map<string, LogLevels>();

/** The variable is the same for as long as the isolate lives. */
function levelsOf(text: string): LogLevels {
  const known = parsed.get(text) ?? parseLogLevels(text);
  parsed.set(text, known);
  return known;
}

/** Codes and stacks, with the chain of causes; never a request's headers or body. */
function describe(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = isSluiceError(error) ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: String(error.cause) };
  return { error: error.message, ...code, ...cause, stack: error.stack ?? "" };
}
