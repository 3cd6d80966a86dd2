// Events, metrics, logs and traces that belong together, small: what the documents' queries ask
// about.

import type { Columns } from "./query-world.ts";

const MINUTE = 60_000;
const INCIDENT_MS = Date.UTC(2025, 9, 28, 14, 30);

export const SEED_TYPES: Record<string, Record<string, string>> = {
  system_events: {
    time: "TIMESTAMP",
    event_type: "VARCHAR",
    event_category: "VARCHAR",
    severity: "VARCHAR",
    source: "VARCHAR",
    user_id: "VARCHAR",
    resource_id: "VARCHAR",
    metadata: "VARCHAR",
    duration_ms: "BIGINT",
    success: "BOOLEAN",
    amount: "DOUBLE",
  },
  cpu_metrics: { time: "TIMESTAMP", host: "VARCHAR", value: "DOUBLE" },
  application_logs: { time: "TIMESTAMP", level: "VARCHAR", message: "VARCHAR" },
  distributed_traces: {
    time: "TIMESTAMP",
    operation_name: "VARCHAR",
    duration_ns: "BIGINT",
    error: "BOOLEAN",
  },
};

const EVENT_TYPES = [
  ["deployment_started", "infrastructure"],
  ["payment_processed", "business"],
  ["authentication_failed", "security"],
  ["health_check_failed", "application"],
  ["user_signup", "business"],
  ["subscription_created", "business"],
  ["deployment_completed", "infrastructure"],
] as const;

/** `endMs`: the latest rows are a few minutes before it. Times are milliseconds. */
export function seedTelemetry(endMs: number): Record<string, Columns> {
  const times = (count: number, stepMs: number) =>
    Array.from({ length: count }, (_, i) => endMs - 2 * MINUTE - i * stepMs);
  const rows = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const at = (i: number) => EVENT_TYPES[(i * 5) % EVENT_TYPES.length]!;
  return {
    system_events: {
      // Many in the last 40 minutes, then few; the last five in the incident that a query dates.
      time: [
        ...times(120, MINUTE / 3),
        ...times(576, 12 * MINUTE + 13)
          .slice(1)
          .map((ms) => ms - 40 * MINUTE),
        ...rows(5, (i) => INCIDENT_MS + i * MINUTE),
      ],
      event_type: rows(700, (i) => at(i)[0]),
      event_category: rows(700, (i) => at(i)[1]),
      severity: rows(700, (i) => ["info", "warning", "error", "critical"][i % 4]!),
      source: rows(700, (i) => (i % 3 === 0 ? "api-gateway" : "kubernetes")),
      user_id: rows(700, (i) => `user-${i % 2}`),
      resource_id: rows(700, (i) => (i % 5 === 0 ? null : `resource-${i}`)),
      metadata: rows(700, (i) => JSON.stringify({ source_ip: `10.0.0.${i % 7}` })),
      duration_ms: rows(700, (i) => (i % 4) * 90_000),
      success: rows(700, (i) => i % 3 !== 0),
      amount: rows(700, (i) => (i % 40) / 4),
    },
    cpu_metrics: {
      time: times(600, 40_000),
      host: rows(600, (i) => `host-${i % 3}`),
      value: rows(600, (i) => 40 + ((i * 37) % 120) / 2),
    },
    application_logs: {
      time: times(500, 51_000),
      level: rows(500, (i) => ["INFO", "ERROR", "FATAL", "WARN"][i % 4]!),
      message: rows(500, (i) => `message ${i} äöü`),
    },
    distributed_traces: {
      time: times(500, 33_000),
      operation_name: rows(500, (i) => `GET /${i % 9}`),
      duration_ns: rows(500, (i) => ((i * 7_919) % 1_000) * 1_000_000),
      error: rows(500, (i) => i % 11 === 0),
    },
  };
}
