-- scalar
SELECT host, usage FROM cpu WHERE usage > (SELECT avg(usage) + 40 FROM cpu);

-- scalar-in-select
SELECT u.name, (SELECT max(amount) FROM events e WHERE e.user_id = u.id) AS top FROM users u;

-- scalar-of-no-row
SELECT (SELECT name FROM users WHERE id = 99) AS nobody;

-- correlated-count
SELECT u.id, (SELECT count(*) FROM events e WHERE e.user_id = u.id AND e.success) AS n FROM users u;

-- correlated-in-where
SELECT symbol, time, price FROM trades t WHERE price = (SELECT max(price) FROM trades o WHERE o.symbol = t.symbol);

-- correlated-inequality
SELECT id, (SELECT count(*) FROM users o WHERE o.joined < u.joined) AS earlier FROM users u;

-- exists
SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.id AND e.severity = 'critical' AND e.amount > 60);

-- not-exists
SELECT id FROM users u WHERE NOT EXISTS (FROM events e WHERE e.user_id = u.id);

-- exists-without-correlation
SELECT count(*) AS n FROM users WHERE EXISTS (SELECT 1 FROM events WHERE amount > 1000000);

-- in
SELECT name FROM users WHERE id IN (SELECT user_id FROM events WHERE success);

-- not-in
SELECT name FROM users WHERE id NOT IN (SELECT user_id FROM events WHERE user_id IS NOT NULL);

-- not-in-with-null
SELECT name FROM users WHERE id NOT IN (SELECT user_id FROM events);

-- in-of-a-list
SELECT count(*) AS n FROM events WHERE event_type IN ('login', 'logout', NULL);

-- not-in-of-a-list-with-null
SELECT count(*) AS n FROM events WHERE event_type NOT IN ('login', NULL);

-- in-of-rows
SELECT id, name FROM users WHERE (id, plan) IN (SELECT id, 'pro' FROM users);

-- any
SELECT id FROM users WHERE id = ANY (SELECT user_id FROM events WHERE severity = 'error');

-- greater-than-all
SELECT time, price FROM trades WHERE price >= ALL (SELECT price FROM trades);

-- less-than-any
SELECT count(*) AS n FROM trades WHERE price < ANY (SELECT bid FROM quotes WHERE symbol = 'AB');

-- in-from
SELECT max(n) AS most, min(n) AS least FROM (SELECT count(*) AS n FROM events GROUP BY user_id);

-- nested
SELECT name FROM users WHERE id IN (SELECT user_id FROM events WHERE amount > (SELECT avg(amount) FROM events WHERE severity = (SELECT max(severity) FROM events)));

-- in-having
SELECT host FROM cpu GROUP BY host HAVING avg(usage) > (SELECT avg(usage) FROM cpu);

-- in-order-by, in order
SELECT id FROM users u ORDER BY (SELECT count(*) FROM events e WHERE e.user_id = u.id) DESC, id;

-- in-case
SELECT id, CASE WHEN EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.id) THEN 'active' ELSE 'idle' END AS state FROM users u;

-- with-column-names
SELECT a, b FROM (SELECT id, name FROM users) AS t(a, b) WHERE a < 4;

-- array-of-a-subquery
SELECT ARRAY(SELECT name FROM users ORDER BY id LIMIT 3) AS names;

-- row-of-another-table
SELECT u.id, (SELECT {'t': event_type, 'a': amount} FROM events e WHERE e.user_id = u.id ORDER BY time LIMIT 1) AS first_event
FROM users u WHERE id < 6;

-- correlated-with-limit
SELECT id, (SELECT event_type FROM events e WHERE e.user_id = u.id ORDER BY time DESC LIMIT 1) AS newest FROM users u;

-- two-levels-of-correlation
SELECT id FROM users u WHERE EXISTS (
  SELECT 1 FROM events e WHERE e.user_id = u.id AND EXISTS (
    SELECT 1 FROM cpu c WHERE c.time BETWEEN e.time AND e.time + INTERVAL '2 minutes' AND c.cores > u.id));

-- time-bounds-in-a-subquery
SELECT count(*) AS n FROM cpu WHERE time > (SELECT max(time) - INTERVAL '2 hours' FROM cpu);

-- time-bounds-outside-a-subquery
SELECT count(*) AS n FROM (SELECT * FROM cpu) WHERE time > '2025-10-26 08:00:00';

-- more-than-one-column, refused
SELECT (SELECT id, name FROM users WHERE id = 2);
