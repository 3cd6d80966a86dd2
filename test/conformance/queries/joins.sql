-- inner
SELECT e.event_type, u.name, e.amount FROM events e JOIN users u ON e.user_id = u.id;

-- inner-using
SELECT t.time, symbol, price, bid FROM trades t JOIN quotes q USING (symbol) WHERE q.bid > 102.5;

-- left
SELECT u.id, u.name, count(e.time) AS n FROM users u LEFT JOIN events e ON e.user_id = u.id GROUP BY ALL;

-- left-with-condition-on-the-right
SELECT u.id, e.amount FROM users u LEFT JOIN events e ON e.user_id = u.id AND e.amount > 80;

-- left-then-where-is-null
SELECT u.name FROM users u LEFT JOIN events e ON e.user_id = u.id WHERE e.user_id IS NULL;

-- right
SELECT u.name, e.user_id FROM users u RIGHT JOIN events e ON e.user_id = u.id WHERE e.severity = 'error';

-- full
SELECT u.id, s.user_id, s.n FROM users u
FULL JOIN (SELECT user_id, count(*) AS n FROM events GROUP BY user_id) s ON s.user_id = u.id;

-- full-using
SELECT id, count(*) AS n FROM users FULL JOIN (SELECT user_id AS id FROM events) USING (id) GROUP BY id;

-- cross
SELECT u.id, q.symbol FROM users u CROSS JOIN (SELECT DISTINCT symbol FROM quotes) q;

-- comma-join
SELECT u.name, m.name AS manager FROM users u, users m WHERE u.manager_id = m.id;

-- self-left
SELECT u.name, m.name AS manager FROM users u LEFT JOIN users m ON u.manager_id = m.id;

-- three-tables
SELECT u.name, e.event_type, c.host FROM users u
JOIN events e ON e.user_id = u.id
JOIN cpu c ON date_trunc('hour', c.time) = date_trunc('hour', e.time) AND c.cores = 16;

-- natural
SELECT count(*) AS n FROM trades NATURAL JOIN quotes;

-- by-range
SELECT t.time, q.time AS quoted, q.bid FROM trades t
JOIN quotes q ON q.time BETWEEN t.time - INTERVAL '5 minutes' AND t.time AND q.symbol = t.symbol;

-- by-inequality
SELECT u.id, o.id AS other FROM users u JOIN users o ON u.id < o.id AND u.plan = o.plan;

-- by-inequality-of-two
SELECT count(*) AS n FROM trades a JOIN trades b ON a.price < b.price AND a.time > b.time;

-- by-or
SELECT u.id, o.id AS other FROM users u JOIN users o ON u.manager_id = o.id OR o.manager_id = u.id;

-- nulls-do-not-join
SELECT count(*) AS n FROM users a JOIN users b ON a.plan = b.plan;

-- nulls-that-do
SELECT count(*) AS n FROM users a JOIN users b ON a.plan IS NOT DISTINCT FROM b.plan;

-- on-an-expression
SELECT u.name, w.w FROM users u JOIN words w ON lower(u.name[1]) = lower(w.w[1]);

-- on-nan
SELECT a.id, b.id AS other FROM numbers a JOIN numbers b ON a.f = b.f WHERE a.id < b.id;

-- integers-with-floats
SELECT n.id, s.station FROM numbers n JOIN sensor s ON n.i = s.v;

-- semi
SELECT id, name FROM users SEMI JOIN (SELECT user_id AS id FROM events WHERE amount > 80) USING (id);

-- anti
SELECT id, name FROM users ANTI JOIN (SELECT user_id AS id FROM events) USING (id);

-- positional
SELECT a.id, b.symbol FROM (SELECT id FROM users ORDER BY id) a
POSITIONAL JOIN (SELECT symbol FROM trades ORDER BY time LIMIT 4) b;

-- asof
SELECT t.time, t.symbol, t.price, q.bid FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time;

-- asof-left
SELECT t.time, t.symbol, q.time AS quoted, q.bid FROM trades t
ASOF LEFT JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time;

-- asof-using
SELECT time, symbol, bid FROM trades ASOF JOIN quotes USING (symbol, time);

-- asof-strict
SELECT t.time, q.time AS quoted FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time > q.time;

-- asof-forward
SELECT t.time, q.time AS next, q.bid FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time <= q.time;

-- asof-within-a-time-range
SELECT t.time, q.bid FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time
WHERE t.time >= '2025-10-25 21:00:00' AND q.time < '2025-10-25 21:10:00';

-- with-a-subquery-of-groups
SELECT c.host, c.usage FROM cpu c JOIN (SELECT host, max(usage) AS top FROM cpu GROUP BY host) m
ON c.host = m.host AND c.usage = m.top;

-- time-range-on-both-sides
SELECT count(*) AS n FROM events e JOIN cpu c ON c.time BETWEEN e.time AND e.time + INTERVAL '10 minutes'
WHERE e.time BETWEEN '2025-10-26 01:00:00' AND '2025-10-26 03:00:00';

-- time-range-on-the-made-up-side
SELECT count(*) AS n, count(c.time) AS matched FROM events e LEFT JOIN cpu c
ON c.time BETWEEN e.time AND e.time + INTERVAL '1 minute' WHERE e.time > '2025-10-26 10:00:00';

-- star-of-one-side
SELECT q.* FROM trades t JOIN quotes q ON q.time = t.time;

-- joined-tables-in-parentheses
SELECT count(*) AS n FROM users u LEFT JOIN (events e JOIN trades t ON date_trunc('hour', t.time) = date_trunc('hour', e.time)) ON e.user_id = u.id;

-- lateral
SELECT u.id, l.amount FROM users u, LATERAL (SELECT amount FROM events e WHERE e.user_id = u.id AND amount IS NOT NULL ORDER BY amount DESC LIMIT 1) l;

-- lateral-of-a-column
SELECT u.id, x.double FROM users u, LATERAL (SELECT u.id * 2 AS double) x;

-- lateral-left
SELECT u.id, l.n FROM users u LEFT JOIN LATERAL (SELECT count(*) AS n, u.id AS uid FROM events e WHERE e.user_id = u.id) l ON true;

-- ambiguous-column, refused
SELECT time FROM trades t JOIN quotes q USING (symbol);

-- other-database-name-in-the-way
SELECT "default".users.name FROM "default".users JOIN "default".events ON events.user_id = users.id WHERE events.amount > 80;
