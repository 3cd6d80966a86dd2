// What goes wrong and when: the common cause behind all four pillars.
//
// Events, metrics, logs and traces are generated apart from each other, but all ask this timeline.
// A deployment is an event; while it runs, CPU, error rate and latency of its service rise, and
// those of the services around it a little. That is what makes a JOIN over time give an answer.
//
// Most deployments are spread over the month at random. The last two hours follow a script, so
// that questions about "the last hour" have an answer at any time of the day.

import { pickAddress, pickUser, pickVersion, SERVICES, type Service } from "./fleet.ts";
import { Random } from "./random.ts";

export interface Deployment {
  readonly id: string;
  readonly service: Service;
  readonly version: string;
  readonly replicas: number;
  readonly startMs: number;
  readonly durationMs: number;
  /** A bad one fails its health checks and ends in `deployment_failed`. */
  readonly isBad: boolean;
}

/** Somebody guessing one user's password. */
export interface Attack {
  readonly userId: string;
  readonly addresses: readonly string[];
  readonly startMs: number;
  readonly attempts: number;
}

export interface Timeline {
  readonly startMs: number;
  readonly endMs: number;
  readonly deployments: readonly Deployment[];
  readonly attacks: readonly Attack[];
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const HISTORY_DAYS = 30;
const DEPLOYMENTS_PER_DAY = 10;
const SCRIPTED_MS = 2.5 * HOUR_MS;
/** How much of a deployment's pressure reaches the services that it is not about. */
const SPILL = 0.15;

/** Well before the month: the outage that the incident-response question asks about. */
export const OUTAGE_MS = Date.UTC(2025, 9, 28, 14, 32);

export function planTimeline(seed: number, baseTimeMs: number): Timeline {
  const random = new Random(seed, "timeline");
  const startMs = baseTimeMs - HISTORY_DAYS * DAY_MS;
  const scriptStartMs = baseTimeMs - SCRIPTED_MS;

  const deployments = [deployment(random, "api-gateway", OUTAGE_MS, 9, true)];
  for (let i = 0; i < HISTORY_DAYS * DEPLOYMENTS_PER_DAY; i++) {
    const timeMs = random.integer(startMs, scriptStartMs - HOUR_MS);
    const isBad = random.chance(0.06);
    deployments.push(deployment(random, random.pick(SERVICES), timeMs, 0, isBad));
  }
  // The script: a good deployment, a bad one of the gateway, and its roll-back, ending just now.
  deployments.push(
    deployment(random, "order-service", baseTimeMs - 100 * MINUTE_MS, 4, false),
    deployment(random, "api-gateway", baseTimeMs - 14 * MINUTE_MS, 8, true),
    deployment(random, "api-gateway", baseTimeMs - 4 * MINUTE_MS, 4, false),
  );

  const attacks: Attack[] = [];
  for (let day = 1; day < HISTORY_DAYS; day++) {
    attacks.push(attack(random, random.integer(startMs, scriptStartMs), random.integer(5, 14)));
  }
  attacks.push(
    attack(random, baseTimeMs - 48 * MINUTE_MS, 12),
    attack(random, baseTimeMs - 31 * MINUTE_MS, 6),
    attack(random, baseTimeMs - 17 * MINUTE_MS, 8),
  );
  return { startMs, endMs: baseTimeMs, deployments, attacks };
}

/** Between 0 and 1: how hard deployments press on a service at a time. */
export function pressureAt(
  deployments: readonly Deployment[],
  service: Service,
  timeMs: number,
): number {
  let pressure = 0;
  for (const { startMs, durationMs, service: deployed, isBad } of deployments) {
    if (timeMs < startMs || timeMs >= startMs + durationMs) continue;
    const strength = isBad ? 1 : 0.6;
    pressure = Math.max(pressure, deployed === service ? strength : strength * SPILL);
  }
  return pressure;
}

function deployment(
  random: Random,
  service: Service,
  startMs: number,
  minutes: number,
  isBad: boolean,
): Deployment {
  return {
    id: `deployment-${random.hex(6)}`,
    service,
    version: pickVersion(random),
    replicas: random.integer(2, 9),
    startMs,
    durationMs: minutes > 0 ? minutes * MINUTE_MS : random.integer(90_000, 420_000),
    isBad,
  };
}

function attack(random: Random, startMs: number, attempts: number): Attack {
  const addresses = Array.from({ length: random.integer(1, 3) }, () => pickAddress(random));
  return { userId: pickUser(random), addresses, startMs, attempts };
}
