// Which log records are written: one level for all, and others for single components.
//
//   "info"   "warn,query=debug,parquet-writer=info"

import type { LogLevel } from "./log-record.ts";

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };
const DEFAULT: LogLevel = "info";

export type LogLevels = ReadonlyMap<string, LogLevel>;

/**
 * The key "" is for whoever is not named. What is no level is left out, so a typo hides nothing.
 */
export function parseLogLevels(text: string): LogLevels {
  const levels = new Map<string, LogLevel>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const level = part
      .slice(at + 1)
      .trim()
      .toLowerCase();
    if (isLevel(level)) levels.set(at === -1 ? "" : part.slice(0, at).trim(), level);
  }
  return levels;
}

/** `component`: its name, without `sluice::`. */
export function isLogged(levels: LogLevels, component: string, level: LogLevel): boolean {
  return RANKS[level] >= RANKS[levels.get(component) ?? levels.get("") ?? DEFAULT];
}

export function isLevel(text: string): text is LogLevel {
  return Object.hasOwn(RANKS, text);
}
