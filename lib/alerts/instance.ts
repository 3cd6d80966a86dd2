// The states of one label set: ok, pending while the condition holds for less than the rule's
// `for`, firing, resolved.
//
// How long it holds is added up from run to run and not read off a clock: a gap counts as two
// intervals at most, and time that ran backwards as none. So neither a clock that is set nor an
// hour without runs makes an alert fire for something that was seen once.

import type { Instance, InstanceState, Observation, RuleFields } from "./types.ts";

export interface Step {
  readonly instance: Instance;
  /** The state that it came into; null: it stays in its own. */
  readonly change: InstanceState | null;
}

/** `before` null: the label set is new. `elapsedMs`: since the run before (see elapsedBetween). */
export function step(
  before: Instance | null,
  { labels, value, expected, isMet }: Observation,
  { forMs }: Pick<RuleFields, "forMs">,
  elapsedMs: number,
  nowMs: number,
): Step {
  const from = before ?? { ...NEW, labels, sinceMs: nowMs };
  const heldMs = isMet === null ? from.heldMs : isMet ? heldNow(from, elapsedMs) : 0;
  const to =
    isMet === null
      ? from.state
      : isMet
        ? whileMet(from.state, heldMs, forMs)
        : otherwise(from.state);
  const seen = { ...from, value, expected, heldMs };
  if (to === from.state) return { instance: seen, change: null };
  return { instance: { ...seen, state: to, sinceMs: nowMs }, change: to };
}

const NEW = {
  state: "ok",
  value: null,
  expected: null,
  heldMs: 0,
  isTold: false,
  toldMs: null,
} as const;

export function elapsedBetween(lastMs: number | null, nowMs: number, everyMs: number): number {
  return lastMs === null ? 0 : Math.min(Math.max(nowMs - lastMs, 0), 2 * everyMs);
}

export function isActive({ state }: Pick<Instance, "state">): boolean {
  return state === "pending" || state === "firing";
}

/** It was not met before: since when it is now is not known, so it holds for no time yet. */
function heldNow(from: Pick<Instance, "state" | "heldMs">, elapsedMs: number): number {
  return isActive(from) ? from.heldMs + elapsedMs : 0;
}

function whileMet(state: InstanceState, heldMs: number, forMs: number): InstanceState {
  return state === "firing" || heldMs >= forMs ? "firing" : "pending";
}

function otherwise(state: InstanceState): InstanceState {
  return state === "firing" ? "resolved" : state === "resolved" ? "resolved" : "ok";
}
