-- count-of-rows-and-values
SELECT count(*), count(usage), count(region), count(DISTINCT host) FROM cpu;

-- count-without-anything
SELECT count() AS n FROM cpu WHERE usage > 50;

-- sum-avg-min-max
SELECT host, sum(usage) AS s, avg(usage) AS a, min(usage) AS lo, max(usage) AS hi
FROM cpu GROUP BY host;

-- of-no-rows
SELECT count(*), count(usage), sum(usage), avg(usage), min(host), max(time), list(host), bool_and(throttled)
FROM cpu WHERE host = 'none';

-- of-no-rows-by-group
SELECT host, count(*) FROM cpu WHERE host = 'none' GROUP BY host;

-- of-nothing-but-nulls
SELECT sum(usage), avg(usage), min(usage), median(usage), count(usage), string_agg(region, ',')
FROM cpu WHERE usage IS NULL AND region IS NULL;

-- min-max-of-text-times-and-booleans
SELECT min(host), max(host), min(time), max(time), min(throttled), max(throttled) FROM cpu;

-- filter
SELECT host,
  count(*) FILTER (WHERE usage > 50) AS busy,
  avg(usage) FILTER (WHERE region = 'eu') AS eu,
  sum(cores) FILTER (WHERE throttled) AS throttled
FROM cpu GROUP BY host;

-- filter-that-matches-nothing
SELECT count(*) FILTER (WHERE usage > 1000) AS n, sum(usage) FILTER (WHERE usage > 1000) AS s FROM cpu;

-- distinct-inside
SELECT count(DISTINCT region), sum(DISTINCT cores), avg(DISTINCT cores), string_agg(DISTINCT region, '') IS NULL
FROM cpu;

-- count-distinct-by-group
SELECT event_type, count(DISTINCT user_id) AS users, count(DISTINCT severity) AS severities
FROM events GROUP BY event_type;

-- percentile-cont
SELECT event_type, percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95
FROM events GROUP BY event_type;

-- percentile-disc
SELECT event_type, percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50
FROM events GROUP BY event_type;

-- percentile-descending
SELECT percentile_cont(0.1) WITHIN GROUP (ORDER BY duration_ms DESC) AS p10 FROM events;

-- quantiles-as-a-list
SELECT quantile_cont(duration_ms, [0.25, 0.5, 0.75]) AS q FROM events;

-- quantile-disc
SELECT quantile_disc(duration_ms, 0.9) AS d, quantile(duration_ms, 0.9) AS q FROM events;

-- percentile-of-times
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY time) AS middle FROM events;

-- median
SELECT median(duration_ms), median(amount), median(time) FROM events WHERE user_id = 4;

-- median-of-an-even-count
SELECT median(v) FROM (VALUES (1), (2), (3), (10)) AS t(v);

-- mode
SELECT mode(host) AS m FROM cpu WHERE host >= 'web-2' OR time < '2025-10-25 20:00:00.002';

-- mad
SELECT mad(usage) AS m FROM cpu;

-- arg-min-arg-max
SELECT arg_max(host, usage) AS hottest, arg_min(host, usage) AS coolest, max_by(time, usage) AS t FROM cpu;

-- arg-max-by-group
SELECT host, arg_max(usage, time) AS newest, arg_min(usage, time) AS oldest FROM cpu GROUP BY host;

-- string-agg-in-order
SELECT string_agg(name, ', ' ORDER BY id DESC) AS names FROM users;

-- group-concat
SELECT plan, group_concat(name, '|' ORDER BY name) AS names FROM users GROUP BY plan;

-- array-agg-in-order
SELECT symbol, array_agg(quantity ORDER BY time) AS quantities FROM trades GROUP BY symbol;

-- array-agg-keeps-nulls
SELECT array_agg(plan ORDER BY id) AS plans FROM users;

-- array-agg-distinct
SELECT list_sort(array_agg(DISTINCT severity)) AS severities FROM events;

-- array-agg-ordered-by-two
SELECT list(host ORDER BY cores DESC, host) AS hosts FROM cpu WHERE time < '2025-10-25 20:10:00';

-- array-agg-of-structs
SELECT array_agg({'id': id, 'name': name} ORDER BY id) AS people FROM users WHERE id < 5;

-- first-last-any-value
SELECT first(name ORDER BY id) AS first, last(name ORDER BY id) AS last, any_value(plan ORDER BY id) AS plan
FROM users;

-- variance
SELECT var_pop(usage), var_samp(usage), stddev_pop(usage), stddev_samp(usage), stddev(usage), variance(usage)
FROM cpu;

-- variance-of-one-row
SELECT var_samp(usage) AS v, stddev(usage) AS s, var_pop(usage) AS p FROM cpu
WHERE host = 'web-1' AND time < '2025-10-25 20:10:00';

-- skewness-and-kurtosis
SELECT skewness(usage) AS s, kurtosis(usage) AS k FROM cpu;

-- correlation-and-regression
SELECT corr(amount, duration_ms) AS c, covar_pop(amount, duration_ms) AS p, covar_samp(amount, duration_ms) AS s,
  regr_slope(amount, duration_ms) AS slope, regr_intercept(amount, duration_ms) AS icept,
  regr_r2(amount, duration_ms) AS r2, regr_count(amount, duration_ms) AS n
FROM events;

-- bool-and-or
SELECT event_type, bool_and(success) AS every, bool_or(success) AS some FROM events GROUP BY event_type;

-- bit-aggregates
SELECT bit_and(user_id) AS a, bit_or(user_id) AS o, bit_xor(user_id) AS x FROM events;

-- product-and-geometric-mean
SELECT product(quantity) AS p, geomean(quantity) AS g FROM trades WHERE quantity > 0;

-- entropy
SELECT entropy(severity) AS e FROM events;

-- histogram
SELECT histogram(severity) AS h FROM events;

-- favg-fsum
SELECT fsum(usage) AS s, favg(usage) AS a, kahan_sum(usage) AS k FROM cpu;

-- count-if
SELECT count_if(usage > 50) AS busy FROM cpu;

-- sum-of-case
SELECT event_type, sum(CASE WHEN success THEN 1 ELSE 0 END) AS ok, count(*) AS n,
  100.0 * sum(CASE WHEN success THEN 1 ELSE 0 END) / count(*) AS percent
FROM events GROUP BY event_type;

-- sum-of-boolean
SELECT sum(success) AS ok FROM events;

-- avg-of-integers-and-times
SELECT avg(duration_ms) AS d, avg(user_id) AS u FROM events;

-- aggregate-of-expression
SELECT max(length(host)) AS l, sum(usage * cores / 100) AS load FROM cpu;

-- expression-of-aggregates
SELECT host, (max(usage) - min(usage)) / nullif(count(usage), 0) AS spread FROM cpu GROUP BY host;

-- approx-count-distinct-of-few
SELECT approx_count_distinct(severity) BETWEEN 3 AND 5 AS plausible FROM events;

-- aggregate-in-where, refused
SELECT host FROM cpu WHERE avg(usage) > 50;

-- nested-aggregates, refused
SELECT max(avg(usage)) FROM cpu;
