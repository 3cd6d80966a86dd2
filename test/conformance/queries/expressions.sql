-- case
SELECT id, CASE WHEN id < 4 THEN 'low' WHEN id < 8 THEN 'mid' ELSE 'high' END AS band FROM users;

-- case-of-a-value
SELECT plan, CASE plan WHEN 'free' THEN 0 WHEN 'pro' THEN 1 END AS p FROM users;

-- case-with-types-that-meet
SELECT CASE WHEN id > 5 THEN 1 ELSE 0.5 END AS x FROM users;

-- case-does-not-divide-by-zero
SELECT CASE WHEN quantity = 0 THEN NULL ELSE price / quantity END AS x FROM trades;

-- if-and-iff
SELECT if(id > 5, 'big', 'small') AS x, ifnull(plan, 'none') AS p FROM users;

-- coalesce-and-nullif
SELECT coalesce(plan, name, '?') AS a, nullif(plan, 'free') AS b, coalesce(NULL, NULL) AS c FROM users;

-- greatest-and-least
SELECT greatest(1, 3, 2) AS g, least(1, 3, 2) AS l, greatest(NULL, 1) AS n, least('b', 'a') AS t;

-- three-valued-logic
SELECT a, b, a AND b AS a_and_b, a OR b AS a_or_b, NOT a AS not_a
FROM (VALUES (true), (false), (NULL)) x(a), (VALUES (true), (false), (NULL)) y(b);

-- comparisons-with-null
SELECT NULL = NULL AS a, NULL <> 1 AS b, NULL IS NULL AS c, 1 IS NOT NULL AS d, NULL IS NOT DISTINCT FROM NULL AS e, 1 IS DISTINCT FROM NULL AS f;

-- is-true-and-false
SELECT count(*) FILTER (WHERE success IS TRUE) AS t, count(*) FILTER (WHERE success IS NOT TRUE) AS nt,
  count(*) FILTER (WHERE success IS FALSE) AS f, count(*) FILTER (WHERE success IS UNKNOWN) AS u FROM events;

-- where-null-is-not-true
SELECT count(*) AS n FROM events WHERE NOT (success = true);

-- null-in-arithmetic-and-text
SELECT 1 + NULL AS a, 'x' || NULL AS b, concat('x', NULL, 'y') AS c, NULL > 1 AS d;

-- between
SELECT count(*) AS n FROM cpu WHERE usage BETWEEN 10 AND 20 OR usage NOT BETWEEN 5 AND 90;

-- between-with-null
SELECT 5 BETWEEN 1 AND NULL AS a, 5 BETWEEN 6 AND NULL AS b;

-- cast-to-integer-rounds
SELECT 1.5::INT AS a, 2.5::INT AS b, (-1.5)::INT AS c, 2.5::DOUBLE::INT AS d, 0.49::DOUBLE::INT AS e;

-- cast-text
SELECT '42'::INT AS a, ' 42 '::INT AS b, '4.2e1'::DOUBLE AS c, '1.25'::DECIMAL(5,2) AS d, 'true'::BOOLEAN AS e, 'f'::BOOLEAN AS f;

-- cast-to-text
SELECT 1.0::DOUBLE::VARCHAR AS a, 1e100::VARCHAR AS b, true::VARCHAR AS c, 1.50::DECIMAL(5,2)::VARCHAR AS d,
  TIMESTAMP '2025-01-02 03:04:05.678'::VARCHAR AS e, [1, 2]::VARCHAR AS f, {'a': 'x'}::VARCHAR AS g;

-- cast-of-columns-to-text
SELECT usage::VARCHAR AS u, time::VARCHAR AS t, throttled::VARCHAR AS b FROM cpu WHERE host = 'db-1';

-- try-cast
SELECT w, try_cast(w AS INTEGER) AS n FROM words;

-- cast-that-fails, refused
SELECT w::INTEGER FROM words;

-- cast-out-of-range, refused
SELECT 300::TINYINT;

-- decimals
SELECT 1.10 + 2.205 AS a, 1.5 * 1.5 AS b, 10.0 / 4 AS c, 0.1 + 0.2 = 0.3 AS d, -0.5::DECIMAL(3,1) AS f;

-- decimals-with-fewer-digits
SELECT 1.005::DECIMAL(10,2) AS a, 1.999::DECIMAL(10,2) AS b;

-- decimal-sums
SELECT sum(amount::DECIMAL(10, 2)) AS s, avg(amount::DECIMAL(10, 2)) AS a FROM events;

-- precedence
SELECT 2 + 3 * 4 AS a, (2 + 3) * 4 AS b, -2 ** 2 AS c, 2 ** 3 ** 2 AS d, 7 - 2 - 1 AS e, NOT true OR true AS f, 10 % 4 * 2 AS g;

-- boolean-as-a-number
SELECT true::INT + true::INT AS a, (1 = 1)::INT AS b, sum((usage > 50)::INT) AS n FROM cpu;

-- booleans-select
SELECT host, throttled, NOT throttled AS free FROM cpu WHERE throttled OR usage > 95;

-- text-compared-with-a-number
SELECT '10' > 9 AS a, '10' = 10 AS b;

-- typeof
SELECT typeof(1) AS a, typeof(1.5) AS b, typeof('x') AS c, typeof([1]) AS e, typeof(99999999999) AS g;

-- type-of-null
SELECT typeof(NULL) AS t;

-- type-of-a-float-literal
SELECT typeof(1e0) AS t, 0.1e0 + 0.2e0 = 0.3e0 AS same;

-- types-of-columns
SELECT DISTINCT typeof(time) AS t, typeof(host) AS h, typeof(usage) AS u, typeof(cores) AS c, typeof(throttled) AS b FROM cpu;

-- types-of-aggregates
SELECT typeof(count(*)) AS a, typeof(sum(cores)) AS b, typeof(avg(cores)) AS c, typeof(sum(usage)) AS d, typeof(max(time)) AS e FROM cpu;

-- bit-operators
SELECT 5 & 3 AS a, 5 | 3 AS b, xor(5, 3) AS c, ~5 AS d, 1 << 4 AS e, 256 >> 2 AS f;

-- mathematics
SELECT abs(-2.5) AS a, ceil(1.2) AS b, floor(-1.2) AS c, round(2.567, 2) AS d, round(-2.5) AS e, sqrt(2) AS f, ln(10) AS g,
  log10(1000) AS h, log2(8) AS i, exp(1) AS j, power(2, 0.5) AS k, sign(-3) AS l, pi() AS m, cbrt(27) AS n, trunc(-1.7) AS o;

-- trigonometry
SELECT sin(1) AS a, cos(1) AS b, tan(1) AS c, asin(0.5) AS d, acos(0.5) AS e, atan(1) AS f, atan2(1, -1) AS g, degrees(pi()) AS h, radians(180) AS i, cot(1) AS j;

-- modulo
SELECT 7 % 3 AS a, -7 % 3 AS b, 7 % -3 AS c, 7.5 % 2 AS d, mod(10, 3) AS e, fmod(7.5, -2) AS f, 5 % 0 AS g;

-- gcd-lcm-factorial
SELECT gcd(12, 18) AS a, lcm(4, 6) AS b, 5! AS c, factorial(20) AS d;

-- row-comparison
SELECT (1, 2) < (1, 3) AS a, (1, NULL) = (1, NULL) AS b, (2, 0) > (1, 9) AS c;

-- reused-alias
SELECT id * 2 AS twice, twice + 1 AS more FROM users WHERE twice > 10;

-- blobs
SELECT 'ab'::BLOB AS a, '\xAA\x00'::BLOB AS b, encode('ö') AS c, octet_length('\xAA'::BLOB) AS d;

-- enums-and-uuids
SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID AS u;

-- hashes
SELECT md5('sluice') AS a, sha256('sluice') AS b, md5('') AS c;

-- hex-and-binary
SELECT hex('ab') AS a, to_hex(255) AS b, bin(5) AS c, unhex('6162')::VARCHAR AS d, to_base64('abc'::BLOB) AS e, from_base64('YWJj')::VARCHAR AS f;

-- number-literals
SELECT .5 AS b, 1e3 AS c, 1.5e-3 AS d, 12345678901234567890 AS e;

-- digits-in-groups
SELECT 1_000_000 AS a;

-- unknown-function, refused
SELECT no_such_function(1);

-- unknown-column, refused
SELECT no_such_column FROM cpu;

-- wrong-argument-types, refused
SELECT date_trunc('hour', 5);

-- made-text-compared-with-a-number
SELECT w > 5 AS a FROM (VALUES ('10'), ('4')) t(w);

-- hash-of-a-value
SELECT hash('x') AS h;

-- hash-as-a-number
SELECT md5_number('x') AS h;

-- bits
SELECT '1010'::BIT AS b;

-- bits-as-text
SELECT '1010'::BIT::VARCHAR AS a, bitstring_agg(n, 0, 4)::VARCHAR AS b FROM (VALUES (1), (3)) t(n);
