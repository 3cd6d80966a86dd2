-- row-number
SELECT host, time, row_number() OVER (PARTITION BY host ORDER BY time) AS n FROM cpu;

-- row-number-of-all, in order
SELECT row_number() OVER (ORDER BY time) AS n, host FROM cpu ORDER BY n LIMIT 10;

-- rank-and-dense-rank
SELECT symbol, quantity, rank() OVER w AS r, dense_rank() OVER w AS d, percent_rank() OVER w AS p, cume_dist() OVER w AS c
FROM trades WINDOW w AS (PARTITION BY symbol ORDER BY quantity);

-- ntile
SELECT id, ntile(3) OVER (ORDER BY id) AS third FROM users;

-- lag-and-lead
SELECT host, time, usage - lag(usage) OVER w AS change, lead(time) OVER w - time AS gap
FROM cpu WINDOW w AS (PARTITION BY host ORDER BY time);

-- lag-with-offset-and-default
SELECT id, lag(name, 2, 'nobody') OVER (ORDER BY id) AS before, lead(id, 3, -1) OVER (ORDER BY id) AS after FROM users;

-- lag-ignoring-nulls
SELECT time, host, lag(usage IGNORE NULLS) OVER (PARTITION BY host ORDER BY time) AS before FROM cpu;

-- first-and-last-value
SELECT host, time, first_value(usage) OVER w AS f, last_value(usage) OVER w AS l
FROM cpu WINDOW w AS (PARTITION BY host ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);

-- last-value-of-the-usual-frame
SELECT id, last_value(name) OVER (ORDER BY plan, id) AS l FROM users;

-- first-value-ignoring-nulls
SELECT id, first_value(plan IGNORE NULLS) OVER (ORDER BY id) AS p FROM users;

-- nth-value
SELECT id, nth_value(name, 3) OVER (ORDER BY id) AS third FROM users;

-- running-sum
SELECT symbol, time, sum(quantity) OVER (PARTITION BY symbol ORDER BY time) AS total FROM trades;

-- running-sum-with-peers
SELECT id, plan, count(*) OVER (ORDER BY plan) AS n FROM users;

-- share-of-total
SELECT symbol, sum(quantity) AS q, sum(quantity) * 100.0 / sum(sum(quantity)) OVER () AS share FROM trades GROUP BY symbol;

-- moving-average-by-rows
SELECT host, time, avg(usage) OVER (PARTITION BY host ORDER BY time ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS a FROM cpu;

-- centred-rows
SELECT time, symbol, sum(price) OVER (PARTITION BY symbol ORDER BY time ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM trades;

-- rows-after
SELECT id, max(name) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS m FROM users;

-- count-of-an-empty-frame
SELECT id, count(*) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS n FROM users;

-- empty-frame
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) AS s FROM users;

-- range-of-time
SELECT host, time, count(*) OVER (PARTITION BY host ORDER BY time RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS n,
  max(usage) OVER (PARTITION BY host ORDER BY time RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW) AS m
FROM cpu;

-- range-of-time-with-peers
SELECT time, host, sum(usage) OVER (ORDER BY date_trunc('hour', time) RANGE BETWEEN INTERVAL '2 hours' PRECEDING AND CURRENT ROW) AS s FROM cpu;

-- range-of-time-with-peers-ahead
SELECT time, host, sum(usage) OVER (ORDER BY date_trunc('hour', time) RANGE BETWEEN CURRENT ROW AND INTERVAL '2 hours' FOLLOWING) AS s FROM cpu;

-- range-of-numbers
SELECT id, sum(id) OVER (ORDER BY id RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS s FROM users;

-- range-of-numbers-with-peers-before
SELECT quantity, sum(price) OVER (ORDER BY quantity RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM trades;

-- range-of-numbers-with-peers-ahead
SELECT quantity, sum(price) OVER (ORDER BY quantity RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s FROM trades;

-- range-both-ways-in-time
SELECT time, event_type, count(*) OVER (ORDER BY time RANGE BETWEEN INTERVAL 30 MINUTES PRECEDING AND INTERVAL 30 MINUTES FOLLOWING) AS near
FROM events;

-- groups-of-peers
SELECT id, plan, count(*) OVER (ORDER BY plan NULLS FIRST RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS n FROM users;

-- frame-in-groups
SELECT quantity, sum(quantity) OVER (ORDER BY quantity GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM trades;

-- excluding-the-current-row
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS others
FROM users;

-- filter-in-a-window
SELECT id, count(*) FILTER (WHERE plan = 'pro') OVER (ORDER BY id) AS pros FROM users;

-- distinct-in-a-window
SELECT id, count(DISTINCT plan) OVER (ORDER BY id) AS plans FROM users;

-- median-in-a-window
SELECT time, symbol, median(price) OVER (PARTITION BY symbol ORDER BY time ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS m FROM trades;

-- median-of-a-whole-partition
SELECT time, symbol, median(price) OVER (PARTITION BY symbol) AS m FROM trades;

-- quantile-disc-in-a-window
SELECT time, symbol, quantile_disc(price, 0.5) OVER (PARTITION BY symbol ORDER BY time ROWS 3 PRECEDING) AS q FROM trades;

-- quantile-in-a-window
SELECT host, time, quantile_cont(usage, 0.9) OVER (PARTITION BY host ORDER BY time ROWS 5 PRECEDING) AS q FROM cpu;

-- list-in-a-window
SELECT id, list(name) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS names FROM users;

-- min-max-in-a-window
SELECT time, symbol, min(price) OVER w AS lo, max(price) OVER w AS hi, price - avg(price) OVER w AS off
FROM trades WINDOW w AS (PARTITION BY symbol);

-- order-by-two-directions
SELECT symbol, quantity, price, row_number() OVER (PARTITION BY symbol ORDER BY quantity DESC, time ASC) AS n FROM trades;

-- nulls-in-the-order
SELECT id, plan, row_number() OVER (ORDER BY plan NULLS LAST, id) AS l, row_number() OVER (ORDER BY plan NULLS FIRST, id) AS f FROM users;

-- window-over-aggregates
SELECT event_type, count(*) AS n, rank() OVER (ORDER BY count(*) DESC, event_type) AS r FROM events GROUP BY event_type;

-- two-windows
SELECT id, sum(id) OVER (ORDER BY id) AS up, sum(id) OVER (ORDER BY id DESC) AS down FROM users;

-- window-in-an-expression
SELECT id, CASE WHEN row_number() OVER (ORDER BY id) % 2 = 0 THEN 'even' ELSE 'odd' END AS parity FROM users;

-- sessions
SELECT user_id, session, count(*) AS n FROM (
  SELECT user_id, sum(CASE WHEN gap > INTERVAL '3 hours' OR gap IS NULL THEN 1 ELSE 0 END) OVER (PARTITION BY user_id ORDER BY time) AS session
  FROM (SELECT user_id, time, time - lag(time) OVER (PARTITION BY user_id ORDER BY time) AS gap FROM events)
) GROUP BY user_id, session;

-- qualify
SELECT host, time, usage FROM cpu WHERE usage IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY host ORDER BY usage DESC, time) <= 2;

-- qualify-by-alias
SELECT symbol, time, rank() OVER (PARTITION BY symbol ORDER BY price DESC, time) AS r FROM trades QUALIFY r = 1;

-- qualify-by-named-window
SELECT id, name FROM users WINDOW w AS (PARTITION BY plan ORDER BY id) QUALIFY row_number() OVER w = 1;

-- qualify-after-grouping
SELECT event_type, user_id, count(*) AS n FROM events GROUP BY event_type, user_id
QUALIFY row_number() OVER (PARTITION BY event_type ORDER BY count(*) DESC, user_id NULLS LAST) = 1;

-- rate-per-second
SELECT span_id, service, (duration_ns - lag(duration_ns) OVER (PARTITION BY service ORDER BY time)) / 1e3 AS change FROM spans;

-- window-in-where, refused
SELECT id FROM users WHERE row_number() OVER () = 1;

-- moving-mad
SELECT time, mad(usage) OVER (ORDER BY time ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS m FROM cpu;

-- moving-quantiles
SELECT time, quantile_cont(usage, [0.1, 0.5]) OVER (ORDER BY time ROWS BETWEEN 4 PRECEDING AND 1 FOLLOWING) AS q FROM cpu;

-- moving-median-of-some-rows
SELECT time, median(usage) FILTER (cores = 8) OVER (PARTITION BY host ORDER BY time ROWS 4 PRECEDING) AS m FROM cpu;

-- texts-of-a-long-moving-frame
SELECT time, string_agg(host, '|') OVER (ORDER BY time ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS hosts FROM cpu;

-- distinct-count-of-an-empty-frame
SELECT id, approx_count_distinct(plan) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS n FROM users;

-- range-of-time-behind
SELECT time, host, sum(usage) OVER (ORDER BY date_trunc('hour', time) RANGE BETWEEN INTERVAL 3 HOURS PRECEDING AND INTERVAL 1 HOUR PRECEDING) AS s FROM cpu;

-- range-of-time-downwards
SELECT time, host, count(*) OVER (PARTITION BY host ORDER BY date_trunc('hour', time) DESC RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND INTERVAL 2 HOURS FOLLOWING) AS n FROM cpu;

-- list-of-some-rows-of-a-frame
SELECT id, list(name) FILTER (WHERE plan = 'pro') OVER (ORDER BY id) AS pros FROM users;
