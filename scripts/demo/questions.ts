// The questions that the demo asks, with the SQL as people write it: nothing here is adapted to us.
//
// Together they use all four pillars: windows relative to now, joins by time (also with the integer
// milliseconds of `duration_ms` added to a timestamp), percentiles, JSON paths, CTEs and unions.

export interface Question {
  readonly name: string;
  readonly question: string;
  readonly sql: string;
}

export const QUESTIONS: readonly Question[] = [
  {
    name: "recent-events",
    question: "What happened in the last hour?",
    sql: `SELECT *
FROM system_events
WHERE time > NOW() - INTERVAL '1 hour'
ORDER BY time DESC
LIMIT 100;`,
  },
  {
    name: "events-by-type",
    question: "Which events come how often, and how many succeed?",
    sql: `SELECT
    event_type,
    COUNT(*) as event_count,
    SUM(CASE WHEN success THEN 1 ELSE 0 END) as successful,
    AVG(duration_ms) as avg_duration_ms
FROM system_events
WHERE time > NOW() - INTERVAL '24 hours'
GROUP BY event_type
ORDER BY event_count DESC;`,
  },
  {
    name: "failed-events",
    question: "What failed in the last hour?",
    sql: `SELECT
    time,
    event_type,
    severity,
    source,
    metadata
FROM system_events
WHERE success = false
    AND time > NOW() - INTERVAL '1 hour'
ORDER BY time DESC;`,
  },
  {
    name: "daily-revenue",
    question: "How much do we earn per day?",
    sql: `-- Daily revenue from payment events
SELECT
    DATE_TRUNC('day', time) as day,
    COUNT(*) as payments,
    SUM(amount) as revenue,
    AVG(amount) as avg_payment
FROM system_events
WHERE event_type = 'payment_processed'
    AND success = true
    AND time > NOW() - INTERVAL '30 days'
GROUP BY day
ORDER BY day DESC;`,
  },
  {
    name: "cpu-root-cause",
    question: "Why did CPU spike?",
    sql: `-- Find deployments during CPU spikes
SELECT
    e.time as deployment_time,
    e.event_type,
    e.metadata,
    m.time as metric_time,
    m.value as cpu_value
FROM system_events e
JOIN cpu_metrics m
    ON m.time BETWEEN e.time AND e.time + e.duration_ms
    AND m.value > 80  -- High CPU
WHERE e.event_category = 'infrastructure'
    AND e.time > NOW() - INTERVAL '1 hour'
ORDER BY e.time DESC;`,
  },
  {
    name: "deployment-errors",
    question: "What errors happened during this deployment?",
    sql: `SELECT
    e.time as event_time,
    e.event_type,
    e.resource_id,
    l.time as log_time,
    l.level,
    l.message
FROM system_events e
JOIN application_logs l
    ON l.time BETWEEN e.time AND e.time + e.duration_ms
    AND l.level IN ('ERROR', 'FATAL')
WHERE e.event_type = 'deployment_started'
    AND e.time > NOW() - INTERVAL '1 hour'
ORDER BY e.time DESC;`,
  },
  {
    name: "deployment-latency",
    question: "How did this deployment affect request latency?",
    sql: `SELECT
    CASE
        WHEN t.time < e.time THEN 'before_deployment'
        WHEN t.time BETWEEN e.time AND e.time + e.duration_ms THEN 'during_deployment'
        ELSE 'after_deployment'
    END as phase,
    COUNT(*) as request_count,
    AVG(t.duration_ns / 1000000.0) as avg_latency_ms,
    PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY t.duration_ns / 1000000.0) as p95_latency_ms
FROM distributed_traces t
CROSS JOIN system_events e
WHERE e.event_type = 'deployment_started'
    AND e.time > NOW() - INTERVAL '2 hours'
    AND t.time BETWEEN e.time - INTERVAL '30 minutes' AND e.time + INTERVAL '1 hour'
GROUP BY phase
ORDER BY phase;`,
  },
  {
    name: "incident-all-pillars",
    question: "What happened around this incident, in all four pillars?",
    sql: `WITH incident AS (
    SELECT time, time + INTERVAL '30 minutes' as end_time
    FROM system_events
    WHERE event_type = 'health_check_failed'
        AND source = 'api-gateway'
    ORDER BY time DESC
    LIMIT 1
)
SELECT
    'event' as data_type,
    e.time,
    e.event_type as detail,
    e.severity,
    NULL as value
FROM system_events e, incident i
WHERE e.time BETWEEN i.time - INTERVAL '10 minutes' AND i.end_time

UNION ALL

SELECT
    'metric' as data_type,
    m.time,
    'cpu_usage' as detail,
    CASE WHEN m.value > 80 THEN 'critical' ELSE 'normal' END as severity,
    m.value
FROM cpu_metrics m, incident i
WHERE m.time BETWEEN i.time - INTERVAL '10 minutes' AND i.end_time
    AND m.value > 50

UNION ALL

SELECT
    'log' as data_type,
    l.time,
    l.message as detail,
    l.level as severity,
    NULL as value
FROM application_logs l, incident i
WHERE l.time BETWEEN i.time - INTERVAL '10 minutes' AND i.end_time
    AND l.level IN ('ERROR', 'FATAL')

UNION ALL

SELECT
    'trace' as data_type,
    t.time,
    t.operation_name as detail,
    CASE WHEN t.error THEN 'error' ELSE 'normal' END as severity,
    t.duration_ns / 1000000.0 as value
FROM distributed_traces t, incident i
WHERE t.time BETWEEN i.time - INTERVAL '10 minutes' AND i.end_time
    AND (t.error = true OR t.duration_ns > 500000000)

ORDER BY time DESC;`,
  },
  {
    name: "incident-timeline",
    question: "What were the errors of the outage of 2025-10-28?",
    sql: `-- Timeline of events during incident
SELECT time, event_type, severity, source, metadata
FROM system_events
WHERE time BETWEEN '2025-10-28 14:00:00' AND '2025-10-28 15:00:00'
    AND severity IN ('error', 'critical')
ORDER BY time;`,
  },
  {
    name: "deployment-analytics",
    question: "How often do we deploy, and how long does it take?",
    sql: `-- Deployment success rate and duration
SELECT
    DATE_TRUNC('day', time) as day,
    COUNT(*) as total_deployments,
    SUM(CASE WHEN success THEN 1 ELSE 0 END) as successful,
    AVG(duration_ms / 1000.0) as avg_duration_seconds,
    MAX(duration_ms / 1000.0) as max_duration_seconds
FROM system_events
WHERE event_type = 'deployment_completed'
    AND time > NOW() - INTERVAL '30 days'
GROUP BY day
ORDER BY day DESC;`,
  },
  {
    name: "password-guessing",
    question: "Whose password is somebody guessing?",
    sql: `-- Failed authentication attempts by user
SELECT
    user_id,
    COUNT(*) as failed_attempts,
    MAX(time) as last_attempt,
    ARRAY_AGG(DISTINCT metadata::json->>'source_ip') as ip_addresses
FROM system_events
WHERE event_type = 'authentication_failed'
    AND time > NOW() - INTERVAL '1 hour'
GROUP BY user_id
HAVING COUNT(*) >= 5  -- 5+ failed attempts
ORDER BY failed_attempts DESC;`,
  },
  {
    name: "conversion-funnel",
    question: "How many sign-ups become subscriptions?",
    sql: `-- User growth and conversion funnel
WITH signups AS (
    SELECT DATE_TRUNC('day', time) as day, COUNT(*) as signup_count
    FROM system_events
    WHERE event_type = 'user_signup'
    GROUP BY day
),
subscriptions AS (
    SELECT DATE_TRUNC('day', time) as day, COUNT(*) as subscription_count
    FROM system_events
    WHERE event_type = 'subscription_created'
    GROUP BY day
)
SELECT
    s.day,
    s.signup_count,
    COALESCE(sub.subscription_count, 0) as subscriptions,
    ROUND(100.0 * COALESCE(sub.subscription_count, 0) / s.signup_count, 2) as conversion_rate
FROM signups s
LEFT JOIN subscriptions sub ON s.day = sub.day
WHERE s.day > NOW() - INTERVAL '30 days'
ORDER BY s.day DESC;`,
  },
];
