-- integer-division
SELECT 7 // 2 AS a, -7 // 2 AS b, 7 // -2 AS c, 7 / 2 AS d, 6 / 2 AS e, 7 // 2.0 AS f;

-- division-by-zero
SELECT 1 / 0 AS a, 1 // 0 AS b, 1 % 0 AS c, 0.0 / 0 AS d, 1.5 / 0 AS e;

-- division-of-columns
SELECT symbol, quantity, price / quantity AS x, quantity // 3 AS y, quantity % 3 AS z FROM trades;

-- int64-extremes
SELECT id, i FROM numbers;

-- int64-extremes-in-where
SELECT id FROM numbers WHERE i = 9223372036854775807 OR i = -9223372036854775808;

-- int64-beyond-doubles
SELECT id, i FROM numbers WHERE i > 9007199254740992 AND i < 9007199254740994;

-- compare-with-a-larger-literal
SELECT id FROM numbers WHERE i < 9223372036854775808 AND i > 100;

-- sum-beyond-int64
SELECT sum(i) AS s, sum(i)::VARCHAR AS t FROM numbers WHERE i > 1000;

-- sum-below-int64
SELECT sum(i) AS s FROM numbers WHERE i < -1000;

-- sums-by-group
SELECT g, sum(i) AS s, avg(i) AS a, min(i) AS lo, max(i) AS hi FROM numbers GROUP BY g;

-- running-sum-beyond-int64
SELECT id, sum(i) OVER (ORDER BY id) AS s FROM numbers;

-- overflow-of-addition, refused
SELECT i + 1 FROM numbers;

-- overflow-of-multiplication, refused
SELECT i * 2 FROM numbers WHERE id = 1;

-- overflow-of-negation, refused
SELECT -i FROM numbers WHERE id = 2;

-- hugeint-arithmetic
SELECT i::HUGEINT + 1 AS a, i::HUGEINT * 4 AS b FROM numbers;

-- hugeint-extremes
SELECT 170141183460469231731687303715884105727 AS a, -170141183460469231731687303715884105727 AS b;

-- unsigned
SELECT 18446744073709551615::UBIGINT AS a, 255::UTINYINT AS b, 4294967295::UINTEGER AS c;

-- int64-to-double-and-back
SELECT id, i::DOUBLE AS d, (i::DOUBLE)::VARCHAR AS t FROM numbers;

-- double-too-large-for-int64, refused
SELECT f::BIGINT FROM numbers WHERE id = 9;

-- nan-to-integer, refused
SELECT f::BIGINT FROM numbers WHERE id = 1;

-- floats
SELECT id, f FROM numbers;

-- floats-as-text
SELECT id, f::VARCHAR AS t FROM numbers;

-- nan-is-greatest
SELECT id FROM numbers WHERE f > 1e308;

-- nan-equals-nan
SELECT id FROM numbers WHERE f = 'NaN'::DOUBLE;

-- infinities-in-where
SELECT id, isinf(f) AS inf, isnan(f) AS nan, isfinite(f) AS finite FROM numbers;

-- min-max-with-nan
SELECT min(f)::VARCHAR AS lo, max(f)::VARCHAR AS hi FROM numbers;

-- min-max-without-nan
SELECT min(f) AS lo, max(f) AS hi FROM numbers WHERE NOT isnan(f) AND isfinite(f);

-- sum-with-nan
SELECT g, sum(f)::VARCHAR AS s FROM numbers WHERE g <> 'a' OR g IS NULL GROUP BY g;

-- arithmetic-with-infinity
SELECT ('Infinity'::DOUBLE - 'Infinity'::DOUBLE)::VARCHAR AS a, ('Infinity'::DOUBLE + 1)::VARCHAR AS b, (1 / 'Infinity'::DOUBLE)::VARCHAR AS c;

-- zeros
SELECT 0.0::DOUBLE = -0.0::DOUBLE AS same, (-(0.0::DOUBLE))::VARCHAR AS t, count(*) AS n
FROM numbers WHERE f = -0.0::DOUBLE;

-- zeros-in-groups
SELECT count(*) AS groups FROM (SELECT z FROM (SELECT f * -1 AS z FROM numbers WHERE f = 0 UNION ALL SELECT f FROM numbers WHERE f = 0) GROUP BY z);

-- zeros-as-keys
SELECT count(*) AS n FROM numbers a JOIN (SELECT f * -1 AS z FROM numbers WHERE f = 0) b ON a.f = b.z;

-- subnormal
SELECT f > 0 AS positive, f / 2 AS half, f::VARCHAR AS t FROM numbers WHERE id = 8;

-- overflow-of-doubles
SELECT (1e308::DOUBLE * 10)::VARCHAR AS a;

-- exact-and-inexact
SELECT 0.1::DOUBLE + 0.2::DOUBLE AS a, 0.1::DOUBLE + 0.2::DOUBLE = 0.3::DOUBLE AS b, 0.1 + 0.2 AS c;

-- average-of-large-integers
SELECT avg(i) AS a FROM numbers WHERE id IN (8, 10, 11);

-- rounding
SELECT round(0.5) AS a, round(1.5) AS b, round(2.5::DOUBLE) AS c, round(-0.5::DOUBLE)::VARCHAR AS d, round(1234.5678, -2) AS e, round_even(2.5, 0) AS f;

-- square-root-of-negative, refused
SELECT sqrt(-1);

-- logarithm-of-zero, refused
SELECT ln(0);

-- formats
SELECT format('{:,}', 1234567) AS a, format('{:.2f}', 3.14159) AS b, printf('%05d', 42) AS c, format('{} and {}', 'a', 2) AS d;

-- bytes-for-people
SELECT format_bytes(1500000) AS b;

-- texts-of-numbers-in-a-list
WITH u AS (SELECT id, id / 2 AS half FROM users)
SELECT id, id IN ('02', '7') AS a, half NOT IN ('1.50', '3.0', NULL) AS b, half + 1 IN ('2.50', 3) AS c FROM u;

-- texts-of-numbers-beside-numbers
SELECT id FROM users WHERE id IN ('02', 7.0) OR id + 1 IN ('011');

-- texts-in-a-list
WITH u AS (SELECT id, name, strftime(joined, '%Y') AS year FROM users)
SELECT id FROM u WHERE name NOT IN ('Ada', '1') AND year IN ('2024', '02024');
