-- union
SELECT symbol FROM trades UNION SELECT symbol FROM quotes;

-- union-all
SELECT symbol FROM trades UNION ALL SELECT symbol FROM quotes;

-- union-by-name
SELECT time, symbol, price FROM trades UNION ALL BY NAME SELECT time, bid, symbol FROM quotes;

-- union-of-types-that-meet
SELECT id FROM users UNION ALL SELECT amount FROM events WHERE amount > 80;

-- union-with-null
SELECT id, NULL AS x FROM users UNION ALL SELECT NULL, plan FROM users;

-- except
SELECT symbol FROM trades EXCEPT SELECT symbol FROM quotes;

-- except-all
SELECT symbol FROM trades EXCEPT ALL SELECT symbol FROM quotes;

-- intersect
SELECT user_id FROM events INTERSECT SELECT id FROM users;

-- intersect-all
SELECT symbol FROM trades INTERSECT ALL SELECT symbol FROM quotes;

-- intersect-binds-tighter
SELECT 1 AS a UNION SELECT 2 INTERSECT SELECT 3;

-- nulls-are-equal-in-sets
SELECT plan FROM users INTERSECT SELECT NULL;

-- order-of-a-union, in order
SELECT id AS k FROM users UNION ALL SELECT quantity FROM trades WHERE quantity > 7 ORDER BY k DESC LIMIT 5;

-- limit-inside-a-union
(SELECT id FROM users ORDER BY id LIMIT 2) UNION ALL (SELECT id FROM users ORDER BY id DESC LIMIT 2);

-- sets-of-groups
SELECT host, count(*) AS n FROM cpu GROUP BY host UNION ALL SELECT 'all', count(*) FROM cpu;

-- cte
WITH busy AS (SELECT * FROM cpu WHERE usage > 80) SELECT host, count(*) AS n FROM busy GROUP BY host;

-- cte-twice
WITH daily AS (SELECT date_trunc('day', time) AS day, count(*) AS n FROM events GROUP BY day)
SELECT a.day, a.n, b.n AS before FROM daily a LEFT JOIN daily b ON b.day = a.day - INTERVAL '1 day';

-- cte-of-cte
WITH a AS (SELECT id FROM users), b AS (SELECT id * 10 AS id FROM a WHERE id > 5) SELECT sum(id) AS s FROM b;

-- cte-named-like-a-table
WITH users AS (SELECT 1 AS id) SELECT * FROM users;

-- cte-named-like-its-own-table
WITH users AS (SELECT * FROM users WHERE id < 4) SELECT id, name FROM users;

-- cte-hides-in-a-subquery
WITH x AS (SELECT 1 AS v) SELECT v, (WITH x AS (SELECT 2 AS v) SELECT v FROM x) AS inner_v FROM x;

-- cte-materialized
WITH m AS MATERIALIZED (SELECT host, avg(usage) AS a FROM cpu GROUP BY host)
SELECT c.host, count(*) AS n FROM cpu c JOIN m ON m.host = c.host WHERE c.usage > m.a GROUP BY c.host;

-- cte-with-column-names
WITH t(a, b) AS (SELECT id, name FROM users) SELECT a, b FROM t WHERE a = 3;

-- cte-of-one-row-joined-by-range
WITH last AS (SELECT time, time - INTERVAL '3 hours' AS since FROM events WHERE event_type = 'error' AND time < '2025-10-26 09:00:00' ORDER BY time DESC LIMIT 1)
SELECT c.host, c.time FROM cpu c, last WHERE c.time BETWEEN last.since AND last.time;

-- recursive-numbers
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) AS s FROM n;

-- recursive-tree
WITH RECURSIVE tree AS (
  SELECT span_id, parent_id, 0 AS depth, span_id AS path FROM spans WHERE parent_id IS NULL
  UNION ALL
  SELECT s.span_id, s.parent_id, t.depth + 1, t.path || '/' || s.span_id FROM spans s JOIN tree t ON s.parent_id = t.span_id
) SELECT span_id, depth, path FROM tree;

-- recursive-sum-over-a-tree
WITH RECURSIVE below AS (
  SELECT span_id AS root, span_id, duration_ns FROM spans
  UNION ALL
  SELECT b.root, s.span_id, s.duration_ns FROM below b JOIN spans s ON s.parent_id = b.span_id
) SELECT root, sum(duration_ns) AS total, count(*) AS n FROM below GROUP BY root;

-- recursive-with-union
WITH RECURSIVE managers AS (
  SELECT manager_id AS id FROM users WHERE name = 'José'
  UNION SELECT u.manager_id FROM users u JOIN managers m ON u.id = m.id WHERE u.manager_id IS NOT NULL
) SELECT id FROM managers;

-- recursive-fibonacci
WITH RECURSIVE f(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM f WHERE b < 1000) SELECT max(a) AS top, count(*) AS n FROM f;

-- values
SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL)) AS t(n, c);

-- values-alone
VALUES (1, 2), (3, 4);

-- values-joined-with-a-table
SELECT u.name, v.label FROM users u JOIN (VALUES ('free', 'costs nothing'), ('pro', 'costs')) v(plan, label) ON u.plan = v.plan;

-- columns-of-other-counts, refused
SELECT 1, 2 UNION SELECT 1;
