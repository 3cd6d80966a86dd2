-- from-first
FROM users;

-- from-first-with-select
FROM users SELECT name WHERE id > 8;

-- from-first-in-a-subquery
SELECT count(*) AS n FROM (FROM events WHERE success);

-- from-first-with-groups
FROM cpu SELECT host, max(usage) AS m GROUP BY host;

-- exclude
SELECT * EXCLUDE (metadata, tags) FROM events WHERE user_id = 3;

-- exclude-one
SELECT * EXCLUDE joined FROM users;

-- replace
SELECT * REPLACE (upper(name) AS name, id * 10 AS id) FROM users;

-- exclude-and-replace
SELECT * EXCLUDE (time, joined) REPLACE (coalesce(plan, 'none') AS plan) FROM users;

-- star-with-more
SELECT *, id * 2 AS twice FROM users;

-- star-of-a-table
SELECT u.*, e.amount FROM users u JOIN events e ON u.id = e.user_id WHERE e.amount > 80;

-- columns-by-pattern
SELECT COLUMNS('^(id|name)$') FROM users;

-- columns-in-an-aggregate
SELECT min(COLUMNS(*)), count(COLUMNS(*)) FROM quotes;

-- columns-excluding
SELECT max(COLUMNS(* EXCLUDE (time, symbol))) FROM trades;

-- columns-by-lambda
SELECT COLUMNS(c -> c LIKE '%id%') FROM users;

-- columns-in-where
SELECT id FROM users WHERE COLUMNS(['plan', 'manager_id']) IS NOT NULL;

-- positional-reference
SELECT #1 AS a, #2 AS b FROM (SELECT id, name FROM users);

-- alias-in-where
SELECT id % 3 AS r, name FROM users WHERE r = 1;

-- alias-in-having-and-order, in order
SELECT user_id AS u, count(*) AS n FROM events GROUP BY u HAVING n > 5 ORDER BY n DESC, u NULLS LAST;

-- prefix-alias
SELECT n: count(*), host FROM cpu GROUP BY host;

-- trailing-comma
SELECT id, name, FROM users;

-- generate-series
SELECT * FROM generate_series(1, 5);

-- range-in-from
SELECT range AS i, range * range AS s FROM range(4);

-- range-with-alias
SELECT r.i FROM range(10, 0, -3) AS r(i);

-- series-joined-with-a-table
SELECT i, count(e.user_id) AS n FROM generate_series(0, 10) AS g(i) LEFT JOIN events e ON e.user_id = g.i GROUP BY i;

-- values-in-from
FROM (VALUES (1, 'x'), (2, 'y')) v(a, b) SELECT b WHERE a = 2;

-- nothing-in-from
SELECT 1 + 1 AS two, 'x' AS x;

-- unnamed-columns
SELECT 1, 'x', 1 + 1, count(*), max(id) FROM users;

-- names-of-unnamed-columns
SELECT upper('x'), time AT TIME ZONE 'UTC', [1, 2], {'a': 1}, CASE WHEN id > 1 THEN 1 END, name || 'x', name LIKE 'y', id IN (1, 2),
  id BETWEEN 1 AND 2, extract(hour FROM time), id // 2, -id, id IS NULL, time + INTERVAL '1 hour', try_cast(id AS INT)
FROM users WHERE id < 4;

-- names-of-unnamed-aggregates
SELECT count(*), sum(id), count(DISTINCT plan), string_agg(name, ',' ORDER BY id), count(*) FILTER (WHERE id > 3),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY id), (SELECT 1)
FROM users;

-- names-of-unnamed-dates
SELECT time::DATE, substring(name FROM 1 FOR 2) FROM users;

-- comments
SELECT /* in the middle */ id -- at the end
FROM users /* nested /* comment */ */ WHERE id = 3;

-- trailing-semicolons
SELECT 1 AS a;;

-- upper-case-names
SELECT COUNT(*) AS N, MAX(ID) AS M FROM users;

-- table-in-another-case
SELECT count(*) AS n FROM USERS;

-- table-that-nobody-wrote
SELECT count(*) AS n FROM nobody_wrote_this;

-- time-plus-milliseconds
SELECT time, time + duration_ms AS ends FROM events WHERE user_id = 2 ORDER BY time LIMIT 1;

-- quoted-table
SELECT count(*) AS n FROM "users";

-- table-alias-with-columns
SELECT a, b FROM trades AS t(time, a, b, q) WHERE q > 8;

-- star-twice
SELECT count(*) AS n FROM (SELECT *, * FROM users);

-- chained-functions
SELECT name.upper().substr(1, 2) AS n FROM users;

-- chained-lists
SELECT ([3, 1, 2]).list_sort().list_reverse() AS l;

-- pivot-by-hand
SELECT event_type, count(*) FILTER (WHERE severity = 'info') AS info, count(*) FILTER (WHERE severity = 'error') AS error FROM events GROUP BY event_type;

-- summarised-by-hand
SELECT min(price) AS lo, max(price) AS hi, approx_quantile(quantity, 0.5) BETWEEN 2 AND 7 AS middle FROM trades;

-- all-sampled
SELECT count(*) AS n FROM users TABLESAMPLE 100%;

-- using-sample
SELECT count(*) AS n FROM users USING SAMPLE 100 PERCENT (bernoulli);

-- alias-like-a-keyword
SELECT id AS "order", name AS "from" FROM users;

-- in-without-parentheses
SELECT id FROM users WHERE id IN [3, 4];

-- between-columns
SELECT id FROM users WHERE id BETWEEN manager_id AND manager_id * 2;

-- whole-row-counted
SELECT count(u) AS n FROM users u;

-- two-statements, refused
SELECT 1; FORM users;

-- unknown-schema, refused
SELECT * FROM nowhere.at.all;
