-- ascending-nulls-last, in order
SELECT id, plan FROM users ORDER BY plan, id;

-- descending, in order
SELECT id, plan FROM users ORDER BY plan DESC, id DESC;

-- nulls-first, in order
SELECT id, plan FROM users ORDER BY plan NULLS FIRST, id;

-- descending-nulls-first, in order
SELECT id, manager_id FROM users ORDER BY manager_id DESC NULLS FIRST, id;

-- text-by-bytes, in order
SELECT w FROM words ORDER BY w;

-- text-by-bytes-descending, in order
SELECT w FROM words ORDER BY w DESC NULLS LAST;

-- text-without-case, in order
SELECT w FROM words ORDER BY w COLLATE NOCASE, id;

-- text-without-accents, in order
SELECT w FROM words WHERE id < 5 ORDER BY w COLLATE NOACCENT, id;

-- floats-with-nan-and-infinities, in order
SELECT id FROM numbers ORDER BY f, id;

-- floats-descending, in order
SELECT id FROM numbers ORDER BY f DESC NULLS LAST, id;

-- big-integers, in order
SELECT i FROM numbers ORDER BY i, id;

-- times, in order
SELECT time, host FROM cpu ORDER BY time DESC LIMIT 7;

-- booleans, in order
SELECT id, success FROM (SELECT row_number() OVER (ORDER BY time) AS id, success FROM events) ORDER BY success, id;

-- by-position, in order
SELECT name, id FROM users ORDER BY 2 DESC;

-- by-expression, in order
SELECT name FROM users ORDER BY length(name), name;

-- by-what-is-not-selected, in order
SELECT name FROM users ORDER BY joined NULLS LAST, id;

-- all, in order
SELECT plan, name FROM users ORDER BY ALL;

-- all-descending, in order
SELECT plan, id FROM users ORDER BY ALL DESC;

-- by-aggregate, in order
SELECT event_type FROM events GROUP BY event_type ORDER BY count(*) DESC, event_type;

-- limit-and-offset, in order
SELECT id FROM users ORDER BY id LIMIT 3 OFFSET 4;

-- offset-beyond-the-end
SELECT id FROM users ORDER BY id LIMIT 3 OFFSET 40;

-- limit-zero
SELECT id FROM users LIMIT 0;

-- limit-percent
SELECT count(*) AS n FROM (SELECT id FROM users ORDER BY id LIMIT 50%);

-- limit-by-expression, in order
SELECT id FROM users ORDER BY id LIMIT (SELECT count(*) / 2 FROM users)::INT;

-- fetch-first, in order
SELECT id FROM users ORDER BY id OFFSET 2 ROWS;

-- distinct
SELECT DISTINCT host, region FROM cpu;

-- distinct-of-nan-and-zero
SELECT count(DISTINCT f) AS n FROM (SELECT f FROM numbers UNION ALL SELECT -0.0::DOUBLE);

-- distinct-on, in order
SELECT DISTINCT ON (host) host, time, usage FROM cpu ORDER BY host, time DESC;

-- distinct-on-two, in order
SELECT DISTINCT ON (event_type, success) event_type, success, time FROM events ORDER BY event_type, success NULLS FIRST, time;

-- distinct-on-expression, in order
SELECT DISTINCT ON (id % 3) id, name FROM users ORDER BY id % 3, id DESC;

-- top-of-each-by-distinct-on
SELECT count(*) AS n FROM (SELECT DISTINCT ON (symbol) * FROM trades ORDER BY symbol, price DESC);

-- lists, in order
SELECT l FROM (VALUES ([1, 2]), ([1]), ([]), (NULL), ([1, NULL]), ([0, 9])) t(l) ORDER BY l NULLS FIRST;

-- structs, in order
SELECT s FROM (VALUES ({'a': 2, 'b': 1}), ({'a': 1, 'b': 9}), ({'a': 1, 'b': NULL})) t(s) ORDER BY s;

-- intervals, in order
SELECT i FROM (VALUES (INTERVAL '1 month'), (INTERVAL '29 days'), (INTERVAL '31 days'), (INTERVAL '1 hour')) t(i) ORDER BY i;
