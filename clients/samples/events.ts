// `system_events`: what changed. Twelve columns: the event model of Arc's own clients.
//
// Three sources: everyday events spread over the month, what deployments bring with them, and
// attacks on accounts. Everyday events fill up to the count asked for.

import type { Measurement } from "./measurement.ts";
import {
  EVENT_KINDS,
  INCIDENT_KINDS,
  type EventCategory,
  type EventKind,
  type Severity,
} from "./event-kinds.ts";
import { pickUser } from "./fleet.ts";
import { Random } from "./random.ts";
import { MINUTE_MS, type Attack, type Deployment, type Timeline } from "./timeline.ts";

interface Event {
  timeMs: number;
  type: string;
  category: EventCategory;
  severity: Severity;
  source: string;
  environment: string;
  userId: string;
  resourceId: string;
  metadata: Record<string, unknown>;
  durationMs: number;
  success: boolean;
  amount: number;
}

type EventEssence = Pick<Event, "timeMs" | "type" | "category" | "severity" | "source">;

export function generateEvents(seed: number, timeline: Timeline, count: number): Measurement {
  const random = new Random(seed, "events");
  const caused = [
    ...timeline.deployments.flatMap((deployment) => deploymentEvents(random, deployment)),
    ...timeline.attacks.flatMap((attack) => attackEvents(random, attack)),
  ].filter((event) => event.timeMs <= timeline.endMs);
  const { startMs, endMs } = timeline;
  const everyday = everydayEvents(random, EVENT_KINDS, startMs, endMs, count - caused.length);
  return eventsToMeasurement([...caused, ...everyday].toSorted((a, b) => a.timeMs - b.timeMs));
}

/** Events of every kind, those of deployments and attacks too, spread evenly from start to end. */
export function generateMixedEvents(
  random: Random,
  startMs: number,
  endMs: number,
  count: number,
): Measurement {
  const kinds = [...EVENT_KINDS, ...INCIDENT_KINDS];
  return eventsToMeasurement(everydayEvents(random, kinds, startMs, endMs, count));
}

function eventsToMeasurement(events: readonly Event[]): Measurement {
  return {
    name: "system_events",
    rowCount: events.length,
    columns: {
      time: events.map((event) => event.timeMs),
      event_type: events.map((event) => event.type),
      event_category: events.map((event) => event.category),
      severity: events.map((event) => event.severity),
      source: events.map((event) => event.source),
      environment: events.map((event) => event.environment),
      user_id: events.map((event) => event.userId),
      resource_id: events.map((event) => event.resourceId),
      metadata: events.map((event) => JSON.stringify(event.metadata)),
      duration_ms: events.map((event) => event.durationMs),
      success: events.map((event) => event.success),
      amount: Float64Array.from(events, (event) => event.amount),
    },
  };
}

function everydayEvents(
  random: Random,
  kinds: readonly EventKind[],
  startMs: number,
  endMs: number,
  count: number,
): Event[] {
  const pickKind = weightedPick(kinds);
  const spanMs = endMs - startMs;
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const timeMs = startMs + Math.floor(((i + random.fraction()) / count) * spanMs);
    return everydayEvent(random, pickKind(random), timeMs);
  });
}

function everydayEvent(random: Random, kind: EventKind, timeMs: number): Event {
  const success = random.chance(kind.successRate);
  const isSurprise = !success && kind.successRate > 0;
  return newEvent({
    timeMs,
    type: kind.type,
    category: kind.category,
    severity: isSurprise ? "error" : kind.severity,
    source: random.pick(kind.sources),
    environment: random.pick(["production", "production", "production", "staging", "development"]),
    userId: kind.hasUser ? pickUser(random) : "",
    resourceId: kind.resourcePrefix && `${kind.resourcePrefix}-${random.hex(6)}`,
    metadata: kind.metadata(random),
    durationMs: kind.durationMsMax && random.integer(kind.durationMsMax / 10, kind.durationMsMax),
    success,
    amount: kind.amountMax && Math.round(500 + random.skewed(kind.amountMax * 100)) / 100,
  });
}

/**
 * A deployment starts, scales its service up, and completes; a bad one fails its health check,
 * opens a circuit breaker, makes jobs and payments fail, and is given up.
 * `deployment_started` carries the length of the roll-out, so that one row spans it in a JOIN.
 */
function deploymentEvents(random: Random, deployment: Deployment): Event[] {
  const { service, version, replicas, durationMs, isBad } = deployment;
  const at = (fraction: number) => deployment.startMs + Math.round(durationMs * fraction);
  const shared = { version, replicas, service };
  const ofDeployment = (event: EventEssence & Partial<Event>) =>
    newEvent({ resourceId: deployment.id, metadata: shared, ...event });
  const fromCluster = { category: "infrastructure", source: "kubernetes" } as const;
  const fromService = { category: "application", source: service } as const;

  const started = ofDeployment({
    ...fromCluster,
    timeMs: at(0),
    type: "deployment_started",
    severity: "info",
    metadata: { ...shared, strategy: "rolling", commit_sha: random.hex(12) },
    durationMs,
  });
  const scaled = ofDeployment({
    ...fromCluster,
    timeMs: at(0.3),
    type: "auto_scale_up",
    severity: "info",
    metadata: { ...shared, reason: "cpu" },
    durationMs: Math.round(durationMs * 0.2),
  });
  if (!isBad) {
    const completed = { ...fromCluster, type: "deployment_completed", severity: "info" } as const;
    return [started, scaled, ofDeployment({ ...completed, timeMs: at(1), durationMs })];
  }

  const symptoms = [
    { ...fromService, type: "health_check_failed" },
    { category: "application", source: "app-backend", type: "background_job_failed" },
    { category: "business", source: "payment-service", type: "payment_failed" },
  ] as const;
  const failures = Array.from({ length: 24 }, () =>
    ofDeployment({
      ...random.pick(symptoms),
      timeMs: at(0.3 + 0.7 * random.fraction()),
      severity: random.pick(["error", "error", "critical"]),
      metadata: { ...shared, status: random.pick([500, 502, 503]) },
      success: false,
    }),
  );
  const turningPoints = [
    [0.25, "health_check_failed", "error", false],
    [0.35, "circuit_breaker_opened", "critical", false],
    [1.2, "circuit_breaker_closed", "info", true],
    [1.25, "health_check_recovered", "info", true],
  ] as const;
  return [
    started,
    scaled,
    ...failures,
    ...turningPoints.map(([fraction, type, severity, success]) =>
      ofDeployment({ ...fromService, timeMs: at(fraction), type, severity, success }),
    ),
    ofDeployment({
      ...fromCluster,
      timeMs: at(1),
      type: "deployment_failed",
      severity: "error",
      metadata: { ...shared, reason: "readiness probe failed" },
      durationMs,
      success: false,
    }),
  ];
}

/** Failed log-ins of one user within ten minutes, then the alarm and the lock. */
function attackEvents(random: Random, attack: Attack): Event[] {
  const { userId, addresses, startMs, attempts } = attack;
  const endMs = startMs + 10 * MINUTE_MS;
  const ofAttack = (timeMs: number, type: string, severity: Severity, reason: string) =>
    newEvent({
      timeMs,
      type,
      severity,
      category: "security",
      source: "auth-service",
      userId,
      metadata: { source_ip: random.pick(addresses), user_agent: "curl/7.68.0", reason },
      success: false,
    });
  return [
    ...Array.from({ length: attempts }, () => {
      const timeMs = random.integer(startMs, endMs);
      return ofAttack(timeMs, "authentication_failed", "warning", "invalid_password");
    }),
    ofAttack(endMs, "suspicious_activity", "critical", "password_guessing"),
    ofAttack(endMs + 1_000, "account_locked", "error", "too_many_failures"),
  ];
}

function newEvent(event: EventEssence & Partial<Event>): Event {
  return {
    environment: "production",
    userId: "",
    resourceId: "",
    metadata: {},
    durationMs: 0,
    success: true,
    amount: 0,
    ...event,
  };
}

/** Picks by weight, in one table look-up. */
function weightedPick<T extends { weight: number }>(items: readonly T[]): (random: Random) => T {
  const tickets = items.flatMap((item) => Array.from({ length: item.weight }, () => item));
  return (random) => random.pick(tickets);
}
