-- truncated
SELECT date_trunc('hour', time) AS h, date_trunc('day', time) AS d, date_trunc('week', time) AS w, date_trunc('month', time) AS m,
  date_trunc('quarter', time) AS q, date_trunc('minute', time) AS mi FROM events;

-- truncated-groups
SELECT date_trunc('hour', time) AS h, host, avg(usage) AS a FROM cpu GROUP BY ALL;

-- time-bucket
SELECT time_bucket(INTERVAL '15 minutes', time) AS b, count(*) AS n FROM events GROUP BY b;

-- time-bucket-with-origin
SELECT time_bucket(INTERVAL '1 hour', time, TIMESTAMP '2025-10-25 00:20:00') AS b, count(*) AS n FROM events GROUP BY b;

-- time-bucket-with-offset
SELECT time_bucket(INTERVAL '1 day', time, INTERVAL '6 hours') AS b, count(*) AS n FROM events GROUP BY b;

-- time-bucket-of-months
SELECT time_bucket(INTERVAL '1 month', joined) AS b, count(*) AS n FROM users GROUP BY b;

-- time-bucket-of-a-week
SELECT time_bucket(INTERVAL '7 days', TIMESTAMP '2025-10-26 12:00:00') AS a, time_bucket(INTERVAL '1 week', DATE '2025-10-26') AS b;

-- parts
SELECT time, extract(year FROM time) AS y, extract(month FROM time) AS mo, extract(day FROM time) AS d, extract(hour FROM time) AS h,
  extract(minute FROM time) AS mi, extract(second FROM time) AS s, extract(milliseconds FROM time) AS ms, extract(microseconds FROM time) AS us
FROM cpu WHERE cores = 16;

-- parts-of-the-calendar
SELECT extract(dow FROM time) AS dow, extract(isodow FROM time) AS isodow, extract(doy FROM time) AS doy, extract(week FROM time) AS week,
  extract(quarter FROM time) AS q, extract(epoch FROM time) AS e, extract(isoyear FROM time) AS iy, extract(decade FROM time) AS dec, extract(century FROM time) AS c
FROM users;

-- date-part-functions
SELECT year(time) AS y, month(time) AS m, day(time) AS d, hour(time) AS h, dayofweek(time) AS w, weekofyear(time) AS wy, dayname(time) AS dn, monthname(time) AS mn, yearweek(time) AS yw
FROM users WHERE id < 5;

-- date-part-by-name
SELECT date_part('hour', time) AS h, count(*) AS n FROM events GROUP BY h;

-- date-part-of-several
SELECT date_part(['year', 'month'], TIMESTAMP '2025-10-26 01:02:03') AS p;

-- epochs
SELECT epoch(time) AS s, epoch_ms(time) AS ms, epoch_us(time) AS us, epoch_ns(time) AS ns FROM cpu WHERE host = 'web-2';

-- from-epochs
SELECT epoch_ms(1761436800123) AS a, make_timestamp(1761436800123456) AS b, to_timestamp(1761436800) AS c, make_timestamp(2025, 10, 26, 1, 2, 3.5) AS d, make_date(2025, 2, 28) AS e;

-- to-timestamp-with-a-fraction
SELECT to_timestamp(1761436800.5) AS t;

-- nanoseconds-to-times
SELECT span_id, make_timestamp(start_ns // 1000) AS t, make_timestamp(start_ns // 1000) = time AS same FROM spans;

-- literals-of-rfc3339
SELECT count(*) AS n FROM cpu WHERE time >= '2025-10-26T00:00:00Z' AND time < '2025-10-26T06:00:00.000Z';

-- literals-with-an-offset
SELECT count(*) AS n FROM cpu WHERE time >= TIMESTAMPTZ '2025-10-26T00:00:00+02:00';

-- literals-with-a-space
SELECT count(*) AS n FROM cpu WHERE time BETWEEN '2025-10-26 00:00:00' AND '2025-10-26 06:00:00';

-- literals-without-seconds
SELECT count(*) AS n FROM cpu WHERE time > '2025-10-26 03:30';

-- literals-without-seconds-that-say-their-type
SELECT count(*) AS n FROM cpu WHERE time > TIMESTAMP '2025-10-26 03:30';

-- literals-of-dates
SELECT count(*) AS n FROM cpu WHERE time >= DATE '2025-10-26' AND time::DATE = '2025-10-26';

-- literals-to-the-microsecond
SELECT host FROM cpu WHERE time = TIMESTAMP '2025-10-25 20:00:00.002002';

-- literal-in-utc-cast-to-timestamp
SELECT TIMESTAMP '2025-10-26T00:00:00Z' AS a, '2025-10-26 00:00:00.5Z'::TIMESTAMP AS b;

-- literal-with-an-offset-cast-to-timestamp
SELECT TIMESTAMP '2025-10-26T00:00:00+02:00' AS t;

-- time-in-a-list
SELECT host FROM cpu WHERE time IN (TIMESTAMP '2025-10-25 20:00:00', TIMESTAMP '2025-10-25 20:00:00.001001');

-- time-or-time
SELECT count(*) AS n FROM cpu WHERE time < '2025-10-25 22:00:00' OR time > '2025-10-26 10:00:00';

-- not-between-times
SELECT count(*) AS n FROM cpu WHERE NOT (time BETWEEN '2025-10-25 22:00:00' AND '2025-10-26 10:00:00');

-- time-before-everything
SELECT count(*) AS n, min(usage) AS m FROM cpu WHERE time < '2001-01-01';

-- time-of-a-far-year
SELECT count(*) AS n FROM cpu WHERE time < '9999-12-31 23:59:59' AND time > '0001-01-01';

-- time-minus-interval
SELECT count(*) AS n FROM events WHERE time > TIMESTAMP '2025-10-26 12:00:00' - INTERVAL '6 hours';

-- time-plus-column
SELECT event_type, time + to_milliseconds(duration_ms) AS ends FROM events WHERE time + to_milliseconds(duration_ms) > '2025-10-26 20:00:00';

-- time-plus-interval-of-a-column
SELECT id, time + INTERVAL (id) HOUR AS later, time + id * INTERVAL '1 minute' AS sooner FROM users;

-- intervals
SELECT INTERVAL '1 year 2 months 3 days 04:05:06.789' AS a, INTERVAL 90 MINUTE AS b, INTERVAL '-1 day' AS c, INTERVAL '1' DAY * 3 AS d, to_days(2) + to_hours(3) AS e, -INTERVAL '1 hour' AS f;

-- interval-arithmetic
SELECT TIMESTAMP '2025-01-31 10:00:00' + INTERVAL '1 month' AS a, TIMESTAMP '2024-02-29' + INTERVAL '1 year' AS b, DATE '2025-03-31' - INTERVAL '1 month' AS c, TIMESTAMP '2025-01-01' - INTERVAL '1 second' AS d;

-- interval-comparison
SELECT INTERVAL '60 minutes' = INTERVAL '1 hour' AS a, INTERVAL '2 hours' > INTERVAL '90 minutes' AS b, INTERVAL '12 months' = INTERVAL '1 year' AS c;

-- intervals-of-days-and-hours
SELECT INTERVAL '1 day' = INTERVAL '24 hours' AS a, INTERVAL '1 month' = INTERVAL '30 days' AS b;

-- interval-parts
SELECT extract(hour FROM INTERVAL '26 hours 30 minutes') AS a, extract(epoch FROM INTERVAL '1 day 1 second') AS b, epoch(INTERVAL '90 seconds') AS c;

-- differences
SELECT TIMESTAMP '2025-10-26 12:00:00' - TIMESTAMP '2025-10-24 11:59:58.5' AS a, DATE '2025-03-01' - DATE '2025-02-01' AS b, max(time) - min(time) AS c FROM cpu;

-- date-diff
SELECT date_diff('hour', TIMESTAMP '2025-10-25 23:59:00', TIMESTAMP '2025-10-26 01:00:00') AS a, date_diff('month', DATE '2025-01-31', DATE '2025-03-01') AS b,
  date_sub('hour', TIMESTAMP '2025-10-25 23:59:00', TIMESTAMP '2025-10-26 01:00:00') AS c, datediff('day', DATE '2024-12-31', DATE '2025-01-01') AS d;

-- age
SELECT age(TIMESTAMP '2025-10-26', TIMESTAMP '2024-02-29') AS a;

-- dates
SELECT time::DATE AS d, count(*) AS n FROM events GROUP BY d;

-- dates-in-arithmetic
SELECT DATE '2025-02-27' + 3 AS a, last_day(DATE '2024-02-10') AS b, DATE '2025-01-01' + INTERVAL '1 day' AS c, date_add(DATE '2025-01-31', INTERVAL '1 month') AS d;

-- times-of-day
SELECT time::TIME AS t, TIME '12:34:56.789' AS l, make_time(1, 2, 3.25) AS m FROM users WHERE id < 4;

-- formatted
SELECT strftime(time, '%Y-%m-%d %H:%M:%S') AS a, strftime(time, '%a %d %b %Y %I:%M %p') AS b, strftime(time, '%j %U %f %g') AS c FROM cpu WHERE host = 'db-1';

-- parsed
SELECT strptime('26/10/2025 13:14', '%d/%m/%Y %H:%M') AS a, try_strptime('nonsense', '%Y') AS b, strptime('2025-10-26', ['%d.%m.%Y', '%Y-%m-%d']) AS c;

-- at-time-zone-from-utc
SELECT time, (time AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin' AS berlin FROM cpu WHERE host = 'web-1';

-- at-time-zone-of-local-times
SELECT TIMESTAMP '2025-10-26 02:30:00' AT TIME ZONE 'Europe/Berlin' AS twice, TIMESTAMP '2025-03-30 02:30:00' AT TIME ZONE 'Europe/Berlin' AS never,
  TIMESTAMP '2025-07-01 12:00:00' AT TIME ZONE 'America/New_York' AS summer;

-- timezone-function
SELECT timezone('Asia/Kolkata', TIMESTAMPTZ '2025-10-26 00:00:00+00') AS a, timezone('Asia/Kathmandu', TIMESTAMP '2025-10-26 00:00:00') AS b;

-- local-days-over-the-change
SELECT date_trunc('day', (time AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin') AS day, count(*) AS n FROM cpu GROUP BY day;

-- local-hours-over-the-change
SELECT extract(hour FROM (time AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin') AS h, count(*) AS n FROM cpu GROUP BY h;

-- buckets-in-a-time-zone
SELECT time_bucket(INTERVAL '1 day', time AT TIME ZONE 'UTC', 'Europe/Berlin') AS b, count(*) AS n FROM cpu GROUP BY b;

-- timestamptz-arithmetic
SELECT TIMESTAMPTZ '2025-10-25 12:00:00+02' + INTERVAL '1 day' AS a, TIMESTAMPTZ '2025-10-26 00:00:00+02' - TIMESTAMPTZ '2025-10-25 00:00:00+00' AS b,
  date_trunc('month', TIMESTAMPTZ '2025-10-26 00:00:00+00') AS c;

-- timestamptz-as-text
SELECT (TIMESTAMPTZ '2025-10-26 00:00:00+02')::VARCHAR AS a, (TIMESTAMP '2025-10-26 00:00:00')::VARCHAR AS b, DATE '2025-10-26'::VARCHAR AS c;

-- old-and-far-times
SELECT TIMESTAMP '1969-12-31 23:59:59.999999' AS a, TIMESTAMP '0001-01-01' AS b, TIMESTAMP '9999-12-31 23:59:59.999999' AS c, epoch_us(TIMESTAMP '1900-01-01') AS d;

-- infinite-times
SELECT ('infinity'::TIMESTAMP)::VARCHAR AS a, 'infinity'::TIMESTAMP > TIMESTAMP '9999-01-01' AS b, isfinite('-infinity'::TIMESTAMP) AS c;

-- times-of-another-column
SELECT id, joined, joined < '2024-03-01' AS early, date_trunc('month', joined) AS m FROM users;

-- time-joined-by-bucket
SELECT c.b, c.a, e.n FROM (SELECT time_bucket(INTERVAL '1 hour', time) AS b, avg(usage) AS a FROM cpu GROUP BY b) c
LEFT JOIN (SELECT time_bucket(INTERVAL '1 hour', time) AS b, count(*) AS n FROM events GROUP BY b) e ON e.b = c.b;

-- gaps-filled
SELECT g.t, count(e.time) AS n FROM generate_series(TIMESTAMP '2025-10-25 20:00:00', TIMESTAMP '2025-10-26 04:00:00', INTERVAL '30 minutes') AS g(t)
LEFT JOIN events e ON time_bucket(INTERVAL '30 minutes', e.time) = g.t GROUP BY g.t;

-- leap-second-and-day
SELECT DATE '2024-02-29' + INTERVAL '4 years' AS a, DATE '2023-02-28' + 1 AS b, dayofyear(DATE '2024-12-31') AS c;

-- bad-literal, refused
SELECT 'yesterday-ish'::TIMESTAMP;

-- bad-literal-in-where, refused
SELECT count(*) FROM cpu WHERE time > 'yesterday-ish';

-- bad-number-in-where, refused
SELECT count(*) FROM cpu WHERE cores = 'four';

-- bad-time-zone, refused
SELECT TIMESTAMP '2025-01-01' AT TIME ZONE 'Mars/Olympus';

-- out-of-range-date, refused
SELECT make_date(2025, 13, 1);

-- date-minus-interval-is-a-moment
SELECT DATE '2026-01-02' - INTERVAL '1 second' AS a, DATE '2026-01-02' + INTERVAL 90 MINUTE AS b,
  INTERVAL '1 hour' + DATE '2026-01-02' AS c, DATE '2026-01-02' + 1 AS d;

-- truncated-time-and-interval
SELECT date_trunc('day', TIMESTAMP '2026-01-02 10:11:12') + INTERVAL '6 hours' AS a,
  date_trunc('month', TIMESTAMP '2026-01-02 10:11:12') - INTERVAL '1 minute' AS b;

-- literals-without-seconds-between
SELECT count(*) AS n FROM cpu WHERE time BETWEEN '2025-10-26 03:30' AND '2025-10-26T04:30' OR time IN ('2025-10-26 00:00');

-- literals-without-seconds-beside-buckets
SELECT date_trunc('hour', time) AS hour, count(*) AS n FROM cpu GROUP BY 1
HAVING date_trunc('hour', time) >= '2025-10-26 03:00' AND max(time) < '2025-10-26 06:00';

-- literal-without-seconds-in-a-join
SELECT a.host, count(*) AS n FROM cpu a JOIN cpu b ON a.time = b.time AND b.time > '2025-10-26 03:30' GROUP BY ALL;

-- time-of-day-without-seconds
SELECT TIME '03:30' AS t, TIMESTAMPTZ '2025-10-26 03:30' AS z;

-- numbers-written-as-texts
SELECT count(*) AS n FROM cpu WHERE cores IN ('4', '16') AND usage > '20' AND throttled = 'false';

-- bad-number-in-a-list, refused
SELECT count(*) AS n FROM cpu WHERE cores IN ('4', 'many');

-- bad-date-in-a-cast, refused
SELECT count(*) AS n FROM cpu WHERE time::DATE = '2025-13-45';

-- time-zone-in-another-case
SELECT time AT TIME ZONE 'europe/berlin' AS t FROM cpu;

-- date-of-a-cte-and-interval
WITH d AS (SELECT DISTINCT time::DATE AS day FROM events)
SELECT d.day + INTERVAL 6 HOUR AS a, count(e.time) AS n FROM d LEFT JOIN events e ON e.time BETWEEN d.day AND d.day + INTERVAL 6 HOUR GROUP BY ALL;

-- date-of-a-deep-subquery-and-interval
SELECT d.day - INTERVAL 1 HOUR AS a FROM (SELECT * FROM (SELECT max(time::DATE) AS day FROM events UNION SELECT DATE '2020-01-01')) d;

-- date-of-a-function-and-interval
SELECT coalesce(joined::DATE, DATE '2000-01-01') + INTERVAL 90 MINUTE AS a, make_date(2025, 1, 1) + INTERVAL 1 HOUR AS b,
  greatest(DATE '2025-01-01', DATE '2025-02-01') + INTERVAL 1 HOUR AS c, (SELECT DATE '2025-01-01') + INTERVAL 1 HOUR AS d,
  CASE WHEN true THEN DATE '2025-01-01' END + INTERVAL 1 HOUR AS e, max(joined::DATE) OVER () + INTERVAL 1 HOUR AS f
FROM users;

-- no-date-and-interval
SELECT t + INTERVAL 1 HOUR AS a, time + INTERVAL 1 HOUR AS b, coalesce(time, time) + INTERVAL 1 HOUR AS c FROM (SELECT time, time::TIME AS t FROM users);

-- date-of-values-and-interval
SELECT min(d) + INTERVAL 1 HOUR AS a FROM (VALUES (DATE '2025-01-01')) t(d);

-- fractions-parsed
SELECT strptime(x, '%Y-%m-%d %H:%M:%S.%f') AS a
FROM (VALUES ('2025-01-05 03:04:05.5'), ('2025-01-05 03:04:05.000001'), ('2025-01-05 03:04:05.1000'), (NULL), ('2025-01-05 03:04:05.123456')) t(x);

-- fractions-parsed-in-other-forms
SELECT strptime('03:04:05,5 x', '%H:%M:%S,%f x') AS a, try_strptime('05.01.2025 1.25', '%d.%m.%Y %S.%g') AS b,
  try_strptime('26.10.2025 03:04:05.25Z', '%d.%m.%Y %H:%M:%S.%fZ') AS c, try_strptime('nonsense', '%S.%f') AS d;

-- fractions-parsed-by-several-formats
SELECT strptime('2025-01-05 03:04:05.5', ['%d.%m.%Y', '%Y-%m-%d %H:%M:%S.%f']) AS a;

-- divided-span-of-time
SELECT (max(time) - min(time)) / 3 AS a FROM events;

-- divided-days
SELECT INTERVAL '3 days' / 2 AS a;

-- divided-hours
SELECT INTERVAL '1 hour' / 2 AS a, to_hours(5) / 2 AS b, epoch(max(time) - min(time)) / 3 AS c FROM events;

-- divided-span-of-a-subquery
SELECT d / 2 AS a FROM (SELECT max(time) - min(time) AS d FROM events);

-- weeks-from-a-sunday
SELECT date_diff('week', DATE '2025-01-05', DATE '2025-01-06') AS w;

-- truncated-date-as-text
SELECT date_trunc('month', DATE '2025-10-26')::VARCHAR AS m;

-- time-of-day-with-a-zone
SELECT '12:00:00+02'::TIMETZ AS t;

-- days-before-as-text
SELECT INTERVAL '-1 day'::VARCHAR AS i;

-- date-and-made-interval
SELECT date_add(time::DATE, INTERVAL 6 HOUR) AS a, date_add(time, INTERVAL 6 HOUR) AS b, time::DATE + id * INTERVAL 1 HOUR AS c,
  DATE '2025-01-01' + (INTERVAL 1 HOUR + INTERVAL 1 MINUTE) AS d, date_add(DATE '2025-01-31', INTERVAL 1 MONTH) AS e
FROM users;

-- date-and-span-of-columns
SELECT DATE '2025-01-01' + (time - joined) AS d FROM users WHERE id = 3;

-- text-and-time-in-a-list
WITH u AS (SELECT id, make_timestamp(epoch_us(joined)) AS t FROM users)
SELECT id, t IN ('2024-06-30 05:30:00.000', TIMESTAMP '2024-07-28 06:30:00.000456') AS a,
  NOT (NOT (t IN ('2024-06-30 05:30:00.000', TIMESTAMP '2024-07-28 06:30:00.000456'))) AS b FROM u;

-- texts-of-times-not-in-a-list
WITH u AS (SELECT id, joined FROM users)
SELECT id FROM u WHERE joined NOT IN ('2024-06-30T05:30:00Z', '2024-07-28 06:30:00.000');

-- truncated-null
SELECT id, date_trunc('day', joined) IS NULL AS a, date_trunc('month', joined) < TIMESTAMP '2999-01-01' AS b FROM users
WHERE coalesce(date_trunc('year', joined) > TIMESTAMP '2000-01-01', true);

-- truncated-null-of-an-outer-join
SELECT u.id, date_trunc('hour', e.time) IS NULL AS a FROM users u FULL JOIN events e ON u.id = e.user_id
WHERE NOT (date_trunc('day', e.time) > TIMESTAMP '2999-01-01');

-- truncated-null-counted
SELECT count(*) AS n, count(date_trunc('day', joined)) AS m, max(date_trunc('day', joined)) AS d FROM users;
