// A rollup's query: SQL with `{start_time}` and `{end_time}` in it, and the times put in.
//
// A place inside quotes gets the time's characters, a bare one a quoted text. Nothing but digits
// and punctuation of a time is ever put in, so no text of a user's can end a literal.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TimeRange } from "./rollup-slots.ts";

/** Texts, quoted names, comments, and places outside of them. */
const PIECES =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\{start_time\}|\{end_time\}/g;
const PLACES = /\{(start|end)_time\}/g;

const TIME_MS_MIN = Number(LIMITS.timeUsMin / 1_000n);
const TIME_MS_MAX = Number(LIMITS.timeUsMax / 1_000n);

/** Throws `parameter_invalid` for a query that lacks one of the places. */
export function checkRollupQuery(query: string): void {
  for (const place of ["{start_time}", "{end_time}"]) {
    if (hasPlace(query, place)) continue;
    const message = `"query" must hold ${place}: the rollup computes stretches of time`;
    throw new SluiceError("parameter_invalid", message, { field: "query", expected: place });
  }
}

/** The query over rows from `fromMs` up to, not including, `toMs`. */
export function fillRollupQuery(query: string, { fromMs, toMs }: TimeRange): string {
  const times = { start: timeText(fromMs), end: timeText(toMs) };
  return mapPlaces(query, (name) => times[name]);
}

/** RFC 3339 in UTC. What lies outside of all event times becomes the first or the last of them. */
export function timeText(ms: number): string {
  const inside = Math.min(Math.max(ms, TIME_MS_MIN), TIME_MS_MAX);
  return new Date(inside).toISOString().replace(".000Z", "Z");
}

function hasPlace(query: string, place: string): boolean {
  let isFound = false;
  mapPlaces(query, (name) => {
    isFound ||= `{${name}_time}` === place;
    return "";
  });
  return isFound;
}

function mapPlaces(query: string, fill: (name: "start" | "end") => string): string {
  return query.replaceAll(PIECES, (piece) => {
    const fillName = (_: string, name: string) => fill(name as "start" | "end");
    if (piece.startsWith("'")) return piece.replaceAll(PLACES, fillName);
    if (piece.startsWith("{")) return `'${piece.replaceAll(PLACES, fillName)}'`;
    return piece;
  });
}
