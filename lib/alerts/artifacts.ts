// Alert rules as the API shows them and as the archive keeps them, and alerts as events and
// webhooks tell of them: never with the secret.

import { type Change, nameOrId } from "#lib/archive/change.ts";
import { globalIdOf } from "#lib/base/global-ids.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { DeliveryState, Home, Instance, Rule, RuleTest, RunState } from "./types.ts";

export interface ShownRule {
  readonly rule: Rule;
  readonly run: RunState;
  readonly delivery: DeliveryState;
  /** Webhooks that are not delivered yet. */
  readonly waitingCount: number;
}

/** What an event and a webhook say of the rule. */
export type Status = Instance["state"] | "error" | "undelivered";

export function describeRule({ rule, run, delivery, waitingCount }: ShownRule, home: Home) {
  return {
    ...identity(rule, home),
    ...ruleJson(rule),
    created_at: isoTime(rule.createdMs),
    updated_at: isoTime(rule.updatedMs),
    state: {
      status: statusOf(run),
      instances: run.instances.map((instance) => describeInstance(rule, instance)),
      series: run.samples,
      left_out: run.leftOutCount,
      next_run_at: isoTime(run.nextMs),
      last_run_at: isoTime(run.lastRunMs),
      last_success_at: isoTime(run.lastOkMs),
      last_duration_ms: run.durationMs,
      failures: run.failureCount,
      last_error: run.lastError,
      silenced_until: isoTime(run.silencedUntilMs),
      webhook: {
        waiting: waitingCount,
        failures: delivery.failureCount,
        failing_since: isoTime(delivery.failingSinceMs),
        next_attempt_at: isoTime(delivery.nextAttemptMs),
        last_delivery_at: isoTime(delivery.lastDeliveryMs),
        last_status: delivery.lastStatus,
        last_error: delivery.lastError,
        given_up: delivery.droppedCount,
      },
    },
  };
}

/** What a rule is made of, as it is put in and shown. */
export function ruleJson(rule: Rule) {
  return {
    name: rule.name,
    ...testJson(rule.test),
    sql: rule.sql,
    every: durationText(rule.everyMs),
    for: durationText(rule.forMs),
    missing: rule.missing,
    severity: rule.severity,
    url: rule.url,
    repeat: durationText(rule.repeatMs),
    enabled: rule.isEnabled,
    labels: rule.labels,
    annotations: rule.annotations,
  };
}

/** Many services put a secret into the URL that they give out: the archive is told the server. */
export function ruleChange(action: Change["action"], rule: Rule, home: Home): Change {
  const { id, database } = identity(rule, home);
  const url = rule.url === null ? null : new URL(rule.url).origin;
  const artifact = { id, database, ...ruleJson(rule), url };
  return { group: "alerts", name: nameOrId(rule.name, id), action, database, artifact };
}

/** Of the event of a change: by state, by rule, by severity. */
export function alertTags(rule: Rule, home: Home, status: Status): string[] {
  const { id } = identity(rule, home);
  const name = `alerts:${nameOrId(rule.name, id)}`;
  return ["alerts", name, `alerts:${status}`, `severity:${rule.severity}`, alertIdTag(id)];
}

/** Finds the events of a rule, also of the time when it had another name. */
export function alertIdTag(globalId: number): string {
  return `alert_id:${globalId}`;
}

export function describeAlert(rule: Rule, home: Home) {
  const { severity, labels, annotations } = rule;
  const { name, test } = rule;
  return { ...identity(rule, home), name, kind: test.kind, severity, labels, annotations };
}

export function describeInstance({ test }: Rule, instance: Instance) {
  const { labels, state, value, expected, heldMs, sinceMs } = instance;
  const condition =
    test.kind === "condition" ? { operator: test.operator, threshold: test.threshold } : {};
  const { median, tolerance } = expected ?? { median: null, tolerance: null };
  const anomaly = test.kind === "anomaly" ? { expected: median, tolerance } : {};
  const held = { held_s: heldMs / 1_000, since: isoTime(sinceMs) };
  return { labels, state, value, ...condition, ...anomaly, ...held };
}

export function isFailing({ failureCount }: Pick<RunState, "failureCount">): boolean {
  return failureCount >= LIMITS.alertFailuresMin;
}

function identity({ ruleId }: Rule, { databaseId, name }: Home) {
  return { id: globalIdOf(databaseId, ruleId), database: name };
}

/** The worst that there is. */
function statusOf(run: RunState): Status {
  if (isFailing(run)) return "error";
  const states = new Set(run.instances.map(({ state }) => state));
  return (["firing", "pending", "resolved"] as const).find((state) => states.has(state)) ?? "ok";
}

function testJson(test: RuleTest) {
  switch (test.kind) {
    case "condition": {
      const { operator, threshold } = test;
      return { kind: test.kind, condition: { operator, threshold } };
    }
    case "anomaly":
      return {
        kind: test.kind,
        anomaly: {
          bucket: durationText(test.bucketMs),
          season: durationText(test.seasonMs),
          sensitivity: test.sensitivity,
          min_deviation: test.deviationMin,
          min_history: test.historyMin,
          direction: test.direction,
        },
      };
    case "metric":
      return { kind: test.kind, metric: test.metric };
  }
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** In one unit, the largest that says it exactly. */
function durationText(ms: number): string {
  const [unit, unitMs] = UNITS.find((one) => ms % one[1] === 0) ?? UNITS[3];
  return ms === 0 ? "0s" : `${ms / unitMs}${unit}`;
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
