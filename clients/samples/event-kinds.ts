// The vocabulary of everyday events: what each type looks like and how often it comes.
//
// Where a timeline is planned, deployments, attacks and what follows from them come from there.

import { pickAddress, pickVersion } from "./fleet.ts";
import type { Random } from "./random.ts";

export type EventCategory = "infrastructure" | "business" | "security" | "application";
export type Severity = "info" | "warning" | "error" | "critical";

export interface EventKind {
  readonly type: string;
  readonly category: EventCategory;
  /** Relative frequency. */
  readonly weight: number;
  readonly sources: readonly string[];
  readonly severity: Severity;
  /** Always, never, or at this rate; a rare failure is one severity worse. */
  readonly successRate: number;
  readonly hasUser: boolean;
  readonly resourcePrefix: string;
  /** 0 = an instant. */
  readonly durationMsMax: number;
  readonly amountMax: number;
  readonly metadata: (random: Random) => Record<string, unknown>;
}

type Optional = "severity" | "successRate" | "hasUser" | "resourcePrefix" | "durationMsMax";
type KindOptions = Partial<Pick<EventKind, Optional | "amountMax" | "metadata">>;

const PLANS = ["starter", "premium", "team", "enterprise"] as const;
const REGIONS = ["eu-west-1", "us-east-1", "ap-south-1"] as const;
const CURRENCIES = ["USD", "EUR", "GBP"] as const;
const AGENTS = ["Mozilla/5.0", "curl/7.68.0", "okhttp/4.12.0"] as const;

const plan = (random: Random) => ({ plan: random.pick(PLANS) });
const region = (random: Random) => ({ region: random.pick(REGIONS) });
const job = (random: Random) => ({
  job: random.pick(["invoice-export", "email-digest", "index-rebuild", "thumbnail"]),
  queue: random.pick(["default", "low", "critical"]),
});
const payment = (random: Random) => ({
  payment_method: random.pick(["card", "card", "paypal", "sepa"]),
  currency: random.pick(CURRENCIES),
});
const scaling = (random: Random) => ({
  from_replicas: random.integer(2, 8),
  to_replicas: random.integer(2, 12),
  reason: random.pick(["cpu", "queue_depth"]),
});
const login = (random: Random) => ({
  source_ip: pickAddress(random),
  user_agent: random.pick(AGENTS),
});
const failedLogin = (random: Random) => ({
  ...login(random),
  reason: random.pick(["invalid_password", "expired_token", "unknown_device"]),
});
const flood = (random: Random) => ({
  source_ip: pickAddress(random),
  requests_per_minute: random.integer(101, 4_000),
  limit: 100,
});
const order = (random: Random) => ({
  items: 1 + random.skewed(12),
  currency: random.pick(CURRENCIES),
});

export const EVENT_KINDS: readonly EventKind[] = [
  ...kinds("infrastructure", ["kubernetes"], {
    auto_scale_up: [30, { durationMsMax: 45_000, resourcePrefix: "hpa", metadata: scaling }],
    auto_scale_down: [26, { durationMsMax: 45_000, resourcePrefix: "hpa", metadata: scaling }],
    server_restart: [8, { severity: "warning", durationMsMax: 90_000, resourcePrefix: "node" }],
    server_shutdown: [3, { severity: "warning", durationMsMax: 20_000, resourcePrefix: "node" }],
    config_change: [12, { resourcePrefix: "config", metadata: region }],
    certificate_renewed: [3, { resourcePrefix: "cert", metadata: region }],
    database_failover: [
      1,
      { severity: "critical", durationMsMax: 60_000, resourcePrefix: "db", metadata: region },
    ],
    cache_invalidated: [24, { resourcePrefix: "cache", metadata: region }],
  }),
  ...kinds("business", ["app-backend"], {
    user_signup: [60, { hasUser: true, metadata: signup }],
    user_login: [190, { hasUser: true, metadata: login }],
    user_logout: [120, { hasUser: true }],
    subscription_created: [18, { hasUser: true, resourcePrefix: "sub", metadata: plan }],
    subscription_upgraded: [6, { hasUser: true, resourcePrefix: "sub", metadata: plan }],
    subscription_cancelled: [5, { hasUser: true, resourcePrefix: "sub", metadata: plan }],
    order_placed: [90, { hasUser: true, resourcePrefix: "order", amountMax: 400, metadata: order }],
    order_completed: [
      80,
      { hasUser: true, resourcePrefix: "order", amountMax: 400, metadata: order },
    ],
    order_cancelled: [7, { hasUser: true, resourcePrefix: "order", metadata: order }],
    feature_flag_toggled: [4, { resourcePrefix: "flag" }],
    ab_test_started: [1, { resourcePrefix: "test" }],
  }),
  ...kinds("business", ["payment-service"], {
    payment_processed: [85, { hasUser: true, resourcePrefix: "payment", ...paid(400) }],
    payment_failed: [
      5,
      { severity: "error", successRate: 0, hasUser: true, resourcePrefix: "payment", ...paid(400) },
    ],
    refund_issued: [4, { hasUser: true, resourcePrefix: "payment", ...paid(200) }],
  }),
  ...kinds("security", ["auth-service"], {
    authentication_success: [150, { hasUser: true, metadata: login }],
    authentication_failed: [
      22,
      { severity: "warning", successRate: 0, hasUser: true, metadata: failedLogin },
    ],
    authorization_denied: [
      8,
      { severity: "warning", successRate: 0, hasUser: true, metadata: login },
    ],
    privilege_escalation: [
      1,
      { severity: "critical", successRate: 0, hasUser: true, metadata: login },
    ],
    api_key_created: [3, { hasUser: true, resourcePrefix: "key" }],
    api_key_rotated: [3, { hasUser: true, resourcePrefix: "key" }],
    api_key_revoked: [1, { hasUser: true, resourcePrefix: "key" }],
  }),
  ...kinds("security", ["api-gateway"], {
    rate_limit_exceeded: [
      14,
      { severity: "error", successRate: 0, hasUser: true, metadata: flood },
    ],
    ddos_detected: [1, { severity: "critical", successRate: 0, metadata: flood }],
  }),
  ...kinds("application", ["app-backend", "notification-service", "search-service"], {
    background_job_started: [70, { resourcePrefix: "job", metadata: job }],
    background_job_completed: [
      66,
      { durationMsMax: 240_000, resourcePrefix: "job", metadata: job },
    ],
    background_job_failed: [
      4,
      {
        severity: "error",
        successRate: 0,
        durationMsMax: 90_000,
        resourcePrefix: "job",
        metadata: job,
      },
    ],
    cache_cleared: [12, { resourcePrefix: "cache", metadata: region }],
    queue_purged: [1, { severity: "warning", resourcePrefix: "queue" }],
  }),
];

/** What deployments and attacks bring with them, for telemetry that has no timeline. */
export const INCIDENT_KINDS: readonly EventKind[] = [
  ...kinds("infrastructure", ["kubernetes"], {
    deployment_started: [6, { resourcePrefix: "deployment", metadata: release }],
    deployment_completed: [
      5,
      { durationMsMax: 420_000, resourcePrefix: "deployment", metadata: release },
    ],
    deployment_failed: [
      1,
      {
        severity: "error",
        successRate: 0,
        durationMsMax: 420_000,
        resourcePrefix: "deployment",
        metadata: release,
      },
    ],
  }),
  ...kinds("application", ["api-gateway", "order-service", "search-service"], {
    health_check_failed: [3, { severity: "error", successRate: 0, metadata: region }],
    health_check_recovered: [3, { metadata: region }],
    circuit_breaker_opened: [2, { severity: "critical", successRate: 0, metadata: region }],
    circuit_breaker_closed: [2, { metadata: region }],
  }),
  ...kinds("security", ["auth-service"], {
    suspicious_activity: [
      1,
      { severity: "critical", successRate: 0, hasUser: true, metadata: failedLogin },
    ],
    account_locked: [
      1,
      { severity: "error", successRate: 0, hasUser: true, metadata: failedLogin },
    ],
  }),
];

/** Kinds of one category and source, from `type: [weight, what differs from a plain success]`. */
function kinds(
  category: EventCategory,
  sources: readonly string[],
  types: Record<string, [number, KindOptions]>,
): EventKind[] {
  return Object.entries(types).map(([type, [weight, options]]) => ({
    type,
    category,
    weight,
    sources,
    severity: "info",
    successRate: 0.995,
    hasUser: false,
    resourcePrefix: "",
    durationMsMax: 0,
    amountMax: 0,
    metadata: () => ({}),
    ...options,
  }));
}

function release(random: Random): Record<string, unknown> {
  return {
    version: pickVersion(random),
    replicas: random.integer(2, 9),
    strategy: random.pick(["rolling", "rolling", "blue_green", "canary"]),
    commit_sha: random.hex(12),
  };
}

function signup(random: Random): Record<string, unknown> {
  return {
    source: random.pick(["web", "ios", "android"]),
    referral: random.pick(["google", "newsletter", "friend", "none"]),
  };
}

function paid(amountMax: number): KindOptions {
  return { amountMax, metadata: payment };
}
