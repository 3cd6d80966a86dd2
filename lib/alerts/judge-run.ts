// What one run comes to: the new state of every label set that the rule knows, and the changes.
//
// A rule knows LIMITS.alertInstancesMax label sets at most. Those that it knows already come first,
// then those that meet the condition: whatever is left out, what fires is seen.

import { LIMITS } from "#lib/base/limits.ts";
import { elapsedBetween, isActive, step } from "./instance.ts";
import { labelKey, observe } from "./observe.ts";
import type { AlertRows, Instance, Observation, Rule, RuleTest, RunState } from "./types.ts";

export interface Verdict {
  readonly instances: readonly Instance[];
  /** Those among them that came into another state, and were what before. */
  readonly changed: readonly { readonly from: Instance["state"]; readonly instance: Instance }[];
  readonly leftOutCount: number;
}

export type WatchingRule = Rule & {
  readonly test: Exclude<RuleTest, { kind: "metric" }>;
};

export function judgeRun(
  rule: WatchingRule,
  before: Pick<RunState, "instances" | "lastOkMs">,
  rows: AlertRows,
  nowMs: number,
): Verdict {
  const elapsedMs = elapsedBetween(before.lastOkMs, nowMs, rule.everyMs);
  const known = new Map(before.instances.map((one) => [labelKey(one.labels), one]));
  const seen = observe(rule.test, rows, nowMs);
  const missing = missingOf(rule, known, seen, rows);
  const { taken, leftOutCount } = firstOf([...missing, ...seen], known);
  const steps = taken.map((one) => {
    const from = known.get(labelKey(one.labels)) ?? null;
    return { from: from?.state ?? "ok", ...step(from, one, rule, elapsedMs, nowMs) };
  });
  return {
    instances: steps.map(({ instance }) => instance),
    changed: steps.filter(({ change }) => change !== null),
    leftOutCount,
  };
}

/** Label sets that the rule knows and the query no longer answers with, as its policy has them. */
function missingOf(
  { missing }: Rule,
  known: ReadonlyMap<string, Instance>,
  seen: readonly Observation[],
  rows: AlertRows,
): Observation[] {
  const seenKeys = new Set(seen.map(({ labels }) => labelKey(labels)));
  const gone = [...known.values()].filter(({ labels }) => !seenKeys.has(labelKey(labels)));
  const hasRows = rows.rows.length > 0;
  const stands = { firing: true, keep: null, ok: false }[missing];
  const found = gone.flatMap((instance): Observation[] => {
    const { labels } = instance;
    // It stood for an answer without any row, and now there are some.
    const isOver = hasRows && isNameless(labels) && seen.length > 0;
    const isMet = isOver ? false : stands;
    // What is well and gone is forgotten, unless its absence is what the rule is about.
    if (isMet !== true && !isActive(instance)) return [];
    return [{ labels, value: null, expected: null, isMet }];
  });
  const isSilent = missing === "firing" && seen.length === 0 && found.length === 0;
  return isSilent ? [{ labels: {}, value: null, expected: null, isMet: true }] : found;
}

function isNameless(labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(labels).length === 0;
}

function firstOf(observations: readonly Observation[], known: ReadonlyMap<string, Instance>) {
  const isKnown = ({ labels }: Observation) => known.has(labelKey(labels));
  const inTurn = observations.toSorted((a, b) => Number(isKnown(b)) - Number(isKnown(a)));
  const taken = inTurn.slice(0, LIMITS.alertInstancesMax);
  return { taken, leftOutCount: inTurn.length - taken.length };
}
