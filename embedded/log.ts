// The log of a local server, on standard error: the supervisor's own messages and whatever workerd
// writes, all in one form. In a terminal that is for people, else one JSON line each.
//
//   SLUICE_LOG_FORMAT=json|pretty|auto

import { logLine, parseLogLine, prettyLogLine } from "#lib/telemetry/log-line.ts";
import type { LogLevel, LogRecord } from "#lib/telemetry/log-record.ts";

export function log(level: "info" | "warn" | "error", message: string): void {
  write(recordOf("sluice::supervisor", level, message));
}

/**
 * A line that workerd wrote: a Worker's log line, which stays as it is, or a message of its own.
 */
export function passOn(line: string): void {
  if (line.trim() === "") return;
  write(parseLogLine(line) ?? recordOf("sluice::workerd", levelOf(line), line));
}

function recordOf(target: string, level: LogLevel, message: string): LogRecord {
  return { timeMs: Date.now(), level, target, message, fields: {}, traceId: null, spanId: null };
}

function write(record: LogRecord): void {
  process.stderr.write(`${isPretty() ? prettyLogLine(record) : logLine(record)}\n`);
}

function isPretty(): boolean {
  const format = process.env["SLUICE_LOG_FORMAT"] || "auto";
  return format === "pretty" || (format !== "json" && process.stderr.isTTY);
}

/** workerd's own lines: `workerd/io/worker.c++:2222: info: uncaught exception; …`. */
function levelOf(line: string): LogLevel {
  const said = /^\S+: (info|warning|error|fatal|debug): /.exec(line)?.[1];
  if (said === "debug" || said === "info") return said;
  return said === "error" || said === "fatal" ? "error" : "warn";
}
