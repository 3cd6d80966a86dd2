// When a rule runs: at fixed distances from its first time, which is a little random, so that the
// rules of a system do not all ask at once.
//
// What was missed while nothing ran is made up for by one run. A time that is further away than one
// interval can only come of a clock that was set back: then the rule is due, or it would sleep.

/** Rules that are new, or enabled again, have their first run within this. */
const FIRST_RUN_MS_MAX = 2_000;

/** `random`: from 0 up to, not including, 1. */
export function firstRunMs(nowMs: number, random: number): number {
  return nowMs + Math.floor(random * FIRST_RUN_MS_MAX);
}

export function isDue(nextMs: number, everyMs: number, nowMs: number): boolean {
  return nextMs <= nowMs || nextMs > nowMs + Math.max(everyMs, FIRST_RUN_MS_MAX);
}

/** After the run that was planned for `plannedMs`: always later than now. */
export function nextRunMs(plannedMs: number, everyMs: number, nowMs: number): number {
  if (plannedMs > nowMs) return nowMs + everyMs;
  return plannedMs + everyMs * (Math.floor((nowMs - plannedMs) / everyMs) + 1);
}
