// One JSON line per log entry, on the console: the only place that writes there.

import { isSluiceError } from "#lib/base/errors.ts";

const LEVELS = { debug: 10, info: 20, warn: 30, error: 40 } as const;
export type LogLevel = keyof typeof LEVELS;

export type LogFields = Record<string, string | number | boolean | null | readonly string[]>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
}

/** `target` is the component that speaks, `minimum` the lowest level that is written. */
export function createLog(target: string, minimum: string): Log {
  const floor = LEVELS[minimum as LogLevel] ?? LEVELS.info;
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (LEVELS[level] < floor) return;
    const time = new Date().toISOString();
    console.log(JSON.stringify({ time, level, target, message, ...fields }));
  };
  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, error, fields) => write("error", message, { ...fields, ...describe(error) }),
  };
}

/** Codes and stacks, with the chain of causes; never a request's headers or body. */
function describe(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = isSluiceError(error) ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: String(error.cause) };
  return { error: error.message, ...code, ...cause, stack: error.stack ?? "" };
}
