// Stretches of event time that a rollup computes as a whole: slots.
//
// A slot is one bucket of the rollup, or as many of them as make an hour. Slots begin where
// DuckDB's time_bucket begins to count, Monday 2000-01-03, so that no bucket of it or of date_trunc
// (up to the week) lies in two of them. Ranges here end before `toMs`.

import type { TimeSpanMs } from "#lib/catalog/types.ts";

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const ORIGIN_MS = Date.UTC(2000, 0, 3);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a slot is: the fewest buckets that fill an hour. */
export function slotMsOf(intervalMs: number): number {
  return Math.ceil(HOUR_MS / intervalMs) * intervalMs;
}

/** The slots that have a part of the span. */
export function widen({ timeMinMs, timeMaxMs }: TimeSpanMs, slotMs: number): TimeRange {
  return { fromMs: slotStart(timeMinMs, slotMs), toMs: slotStart(timeMaxMs, slotMs) + slotMs };
}

/** In order of time; ranges that touch or overlap become one. */
export function coalesce(ranges: readonly TimeRange[]): TimeRange[] {
  const joined: TimeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last === undefined || range.fromMs > last.toMs) joined.push(range);
    else joined[joined.length - 1] = { ...last, toMs: Math.max(last.toMs, range.toMs) };
  }
  return joined;
}

/** What of the ranges lies within `bounds`. */
export function clip(ranges: readonly TimeRange[], bounds: TimeRange): TimeRange[] {
  return ranges
    .map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, bounds.fromMs),
      toMs: Math.min(toMs, bounds.toMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** What of the ranges lies outside `hole`. */
export function without(ranges: readonly TimeRange[], hole: TimeRange): TimeRange[] {
  const before = { fromMs: -Infinity, toMs: hole.fromMs };
  const after = { fromMs: hole.toMs, toMs: Infinity };
  return [...clip(ranges, before), ...clip(ranges, after)].toSorted((a, b) => a.fromMs - b.fromMs);
}

/** The first slots of a range, `countMax` at most: those of a UTC day, or else one. */
export function firstSlots(range: TimeRange, slotMs: number, countMax: number): TimeRange {
  const { fromMs, toMs } = range;
  const dayEndMs = (Math.floor(fromMs / DAY_MS) + 1) * DAY_MS;
  const ofDay = Math.max(1, Math.floor((dayEndMs - fromMs) / slotMs));
  return { fromMs, toMs: Math.min(toMs, fromMs + Math.min(ofDay, countMax) * slotMs) };
}

/** Where the first slot begins that has no time before `fromMs`. */
export function firstWholeSlot(fromMs: number, slotMs: number): number {
  return slotStart(fromMs + slotMs - 1, slotMs);
}

function slotStart(ms: number, slotMs: number): number {
  return Math.floor((ms - ORIGIN_MS) / slotMs) * slotMs + ORIGIN_MS;
}
