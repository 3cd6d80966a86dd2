-- time-filter
SELECT time, usage FROM cpu WHERE time >= '2025-10-25T22:00:00Z' AND time <= '2025-10-26T02:00:00Z';

-- time-filter-in-milliseconds
SELECT count(*) AS n FROM cpu WHERE time BETWEEN epoch_ms(1761429600000) AND epoch_ms(1761444000000);

-- time-group
SELECT to_timestamp((epoch_ns(time) // 1000000000 // 300) * 300) AS time, avg(usage) AS value FROM cpu GROUP BY 1;

-- time-group-of-an-hour, in order
SELECT to_timestamp((epoch_ns(time) // 1000000000 // 3600) * 3600) AS time, host AS metric, avg(usage) AS value
FROM cpu WHERE time >= '2025-10-25T20:00:00Z' AND time < '2025-10-26T04:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2;

-- time-group-by-alias
SELECT time_bucket(INTERVAL '3600 seconds', time) AS time, count(*) AS value FROM events GROUP BY 1;

-- interval-of-a-variable
SELECT date_trunc('hour', time) AS time, percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95 FROM events GROUP BY 1;

-- epoch-of-a-column
SELECT epoch_ns(time) // 1000000000 AS s, epoch_ns(time) AS ns FROM cpu WHERE host = 'web-1';

-- unix-time-from
SELECT count(*) AS n FROM events WHERE epoch(time) >= 1761429600 AND epoch_ms(time) < 1761444000000;

-- variable-of-names, in order
SELECT DISTINCT host FROM cpu ORDER BY host;

-- series-of-several, in order
SELECT time, host AS metric, usage AS value FROM cpu WHERE host IN ('web-1', 'web-2') AND time > '2025-10-26T06:00:00Z' ORDER BY time;

-- logs-panel, in order
SELECT time, message, level FROM application_logs WHERE message ILIKE '%message 1%' AND level IN ('ERROR') ORDER BY time DESC LIMIT 20;

-- table-panel, in order
SELECT event_type, count(*) AS total, round(avg(duration_ms), 2) AS mean, max(time) AS last FROM events GROUP BY event_type ORDER BY total DESC, event_type;

-- annotation
SELECT time, event_type AS text, severity AS tags FROM events WHERE event_type = 'deployment' AND time BETWEEN '2025-10-25T20:00:00Z' AND '2025-10-26T20:00:00Z';

-- fill-by-hand
WITH g AS (SELECT unnest(generate_series(TIMESTAMP '2025-10-25 20:00:00', TIMESTAMP '2025-10-26 00:00:00', INTERVAL '1 hour')) AS t)
SELECT g.t AS time, coalesce(avg(c.usage), 0) AS value FROM g LEFT JOIN cpu c ON c.time >= g.t AND c.time < g.t + INTERVAL '1 hour' GROUP BY g.t;
