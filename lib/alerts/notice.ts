// What a webhook says, and who has to be told: everything that one run has changed, in one request.
//
// A receiver hears of an alert when it fires, again every `repeat` while it does, and when it is
// resolved. While the rule is silenced it hears of nothing new; what still fires afterwards it is
// told then, and what it was told of is taken back even in silence.

import { describeAlert, describeInstance, type Status } from "./artifacts.ts";
import type { Home, Instance, Rule } from "./types.ts";

export interface Told {
  readonly status: Status;
  readonly alerts: readonly Instance[];
  readonly error: string | null;
}

/** The instances with what their receiver will have been told; null: there is nothing to tell. */
export function markTold(
  rule: Rule,
  instances: readonly Instance[],
  isSilenced: boolean,
  nowMs: number,
): { readonly instances: readonly Instance[]; readonly told: Told | null } {
  if (rule.url === null) return { instances, told: null };
  const alerts: Instance[] = [];
  const marked = instances.map((instance) => {
    if (!mustBeTold(rule, instance, isSilenced, nowMs)) return instance;
    alerts.push(instance);
    return { ...instance, isTold: instance.state === "firing", toldMs: nowMs };
  });
  const isFiring = alerts.some(({ state }) => state === "firing");
  const status = isFiring ? "firing" : "resolved";
  return { instances: marked, told: alerts.length === 0 ? null : { status, alerts, error: null } };
}

/** JSON text; the same at every attempt. */
export function noticeBody(rule: Rule, home: Home, told: Told, nowMs: number): string {
  const { status, alerts, error } = told;
  const head = { type: "alert", timestamp: new Date(nowMs).toISOString() };
  const shown = alerts.map((instance) => describeInstance(rule, instance));
  const data = { alert: describeAlert(rule, home), status, alerts: shown, error };
  return JSON.stringify({ ...head, data });
}

function mustBeTold(
  { repeatMs }: Rule,
  { state, isTold, toldMs }: Instance,
  isSilenced: boolean,
  nowMs: number,
): boolean {
  if (state !== "firing") return isTold;
  if (isSilenced) return false;
  const sinceMs = nowMs - (toldMs ?? nowMs);
  // Told in the future: the clock was set back, and the wait would be as long as it was.
  return !isTold || (repeatMs > 0 && (sinceMs >= repeatMs || sinceMs < 0));
}
