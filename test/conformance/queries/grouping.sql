-- by-two-columns
SELECT host, region, count(*) AS n, sum(usage) AS s FROM cpu GROUP BY host, region;

-- null-is-a-group
SELECT region, count(*) AS n FROM cpu GROUP BY region;

-- by-position
SELECT host, region, avg(usage) AS a FROM cpu GROUP BY 1, 2;

-- by-alias
SELECT date_trunc('day', time) AS day, count(*) AS n FROM cpu GROUP BY day;

-- by-expression
SELECT usage > 50 AS busy, count(*) AS n FROM cpu GROUP BY usage > 50;

-- all
SELECT host, region, count(*) AS n, max(usage) AS m FROM cpu GROUP BY ALL;

-- all-without-aggregate
SELECT host, region FROM cpu GROUP BY ALL;

-- all-by-expression
SELECT upper(host) AS h, cores * 2 AS c, count(*) AS n FROM cpu GROUP BY ALL;

-- rollup
SELECT host, region, count(*) AS n, sum(cores) AS c FROM cpu GROUP BY ROLLUP (host, region);

-- cube
SELECT event_type, success, count(*) AS n FROM events GROUP BY CUBE (event_type, success);

-- grouping-sets
SELECT host, region, count(*) AS n FROM cpu GROUP BY GROUPING SETS ((host), (region), ());

-- grouping-function
SELECT host, region, grouping(host) AS gh, grouping(region) AS gr, grouping(host, region) AS g, count(*) AS n
FROM cpu GROUP BY ROLLUP (host, region);

-- sets-beside-a-column
SELECT plan, manager_id, count(*) AS n FROM users GROUP BY plan, GROUPING SETS ((manager_id), ());

-- having
SELECT host, count(*) AS n FROM cpu GROUP BY host HAVING avg(usage) > 48;

-- having-by-alias
SELECT user_id, count(*) AS n FROM events GROUP BY user_id HAVING n >= 11;

-- having-without-group
SELECT count(*) AS n FROM cpu HAVING count(*) > 1000;

-- having-on-what-is-not-selected
SELECT event_type FROM events GROUP BY event_type HAVING max(duration_ms) > 20000 AND min(amount) < 0;

-- constant-group
SELECT 'all' AS what, count(*) AS n FROM cpu GROUP BY what;

-- by-column-not-selected
SELECT count(*) AS n FROM cpu GROUP BY host;

-- distinct-of-groups
SELECT DISTINCT count(*) AS n FROM cpu GROUP BY host;

-- by-time-bucket-and-text
SELECT time_bucket(INTERVAL '3 hours', time) AS t, event_type, count(*) AS n, avg(duration_ms) AS d
FROM events GROUP BY t, event_type;

-- by-nan
SELECT f, count(*) AS n, min(id) AS id FROM numbers WHERE isnan(f) GROUP BY f;

-- column-not-in-group, refused
SELECT host, usage FROM cpu GROUP BY host;
