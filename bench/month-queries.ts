// What is asked about the month: the documents' questions (scripts/demo/questions.ts) that
// aggregate or search the one large table, with the names of this data and a clock that stands at
// its end, and a few that people ask of such tables every day.

import { DAYS, START_MS } from "./month.ts";

export interface MonthQuery {
  readonly name: string;
  readonly sql: string;
}

const NOW = timestamp(START_MS + (DAYS * 24 - 1) * 3_600_000);

export const MONTH_QUERIES: readonly MonthQuery[] = [
  {
    name: "last hour",
    sql: `SELECT * FROM system_events WHERE time > ${NOW} - INTERVAL '1 hour'
      ORDER BY time DESC LIMIT 100`,
  },
  {
    name: "events by type, a day",
    sql: byType(`WHERE time > ${NOW} - INTERVAL '24 hours'`),
  },
  {
    name: "failed in the last hour",
    sql: `SELECT time, event_type, severity, source, metadata FROM system_events
      WHERE success = false AND time > ${NOW} - INTERVAL '1 hour' ORDER BY time DESC`,
  },
  {
    name: "revenue by day",
    sql: `SELECT date_trunc('day', time) AS day, count(*) AS payments, sum(amount) AS revenue,
        avg(amount) AS avg_payment
      FROM system_events
      WHERE event_type = 'billing_completed' AND success = true
        AND time > ${NOW} - INTERVAL '30 days'
      GROUP BY day ORDER BY day DESC`,
  },
  {
    name: "deployments by day",
    sql: `SELECT date_trunc('day', time) AS day, count(*) AS total_deployments,
        sum(CASE WHEN success THEN 1 ELSE 0 END) AS successful,
        avg(duration_ms / 1000.0) AS avg_duration_seconds,
        max(duration_ms / 1000.0) AS max_duration_seconds
      FROM system_events
      WHERE event_type = 'deploy_completed' AND time > ${NOW} - INTERVAL '30 days'
      GROUP BY day ORDER BY day DESC`,
  },
  {
    name: "errors of a dated hour",
    sql: `SELECT time, event_type, severity, source, metadata FROM system_events
      WHERE time BETWEEN '2026-01-14 14:00:00' AND '2026-01-14 15:00:00'
        AND severity IN ('error', 'critical')
      ORDER BY time`,
  },
  {
    name: "failed authentication, an hour",
    sql: failedAuthentications("1 hour", 2),
  },
  {
    name: "failed authentication, 2 days",
    sql: failedAuthentications("2 days", 5),
  },
  {
    name: "conversion by day",
    sql: `WITH signups AS (
        SELECT date_trunc('day', time) AS day, count(*) AS signup_count
        FROM system_events WHERE event_type = 'billing_created' GROUP BY day
      ), subscriptions AS (
        SELECT date_trunc('day', time) AS day, count(*) AS subscription_count
        FROM system_events WHERE event_type = 'billing_updated' GROUP BY day
      )
      SELECT s.day, s.signup_count, coalesce(sub.subscription_count, 0) AS subscriptions,
        round(100.0 * coalesce(sub.subscription_count, 0) / s.signup_count, 2) AS conversion_rate
      FROM signups s LEFT JOIN subscriptions sub ON s.day = sub.day
      WHERE s.day > ${NOW} - INTERVAL '30 days' ORDER BY s.day DESC`,
  },
  { name: "count(*)", sql: "SELECT count(*) FROM system_events" },
  { name: "events by type, the month", sql: byType("") },
  {
    name: "sum by hour, the month",
    sql: `SELECT date_trunc('hour', time) AS hour, count(*), sum(duration_ms)
      FROM system_events GROUP BY hour ORDER BY hour`,
  },
  { name: "distinct users, the month", sql: "SELECT count(DISTINCT user_id) FROM system_events" },
  {
    name: "exact p95 by type, a day",
    sql: `SELECT event_type, count(*), avg(duration_ms),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms)
      FROM system_events WHERE time > ${NOW} - INTERVAL '24 hours' GROUP BY event_type`,
  },
];

function byType(where: string): string {
  return `SELECT event_type, count(*) AS event_count,
      sum(CASE WHEN success THEN 1 ELSE 0 END) AS successful, avg(duration_ms) AS avg_duration_ms
    FROM system_events ${where} GROUP BY event_type ORDER BY event_count DESC`;
}

function failedAuthentications(interval: string, countMin: number): string {
  return `SELECT user_id, count(*) AS failed_attempts, max(time) AS last_attempt,
      list_sort(array_agg(DISTINCT metadata::json->>'ip')) AS ip_addresses
    FROM system_events
    WHERE event_type = 'security_failed' AND time > ${NOW} - INTERVAL '${interval}'
    GROUP BY user_id HAVING count(*) >= ${countMin} ORDER BY failed_attempts DESC`;
}

function timestamp(ms: number): string {
  return `TIMESTAMP '${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}'`;
}
