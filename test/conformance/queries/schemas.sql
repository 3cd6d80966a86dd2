-- everything
SELECT * FROM sensor;

-- widened-integers
SELECT station, v, typeof(v) AS t FROM sensor;

-- widened-integers-aggregated
SELECT station, sum(v) AS s, min(v) AS lo, max(v) AS hi, count(v) AS n FROM sensor GROUP BY station;

-- widened-integers-in-where
SELECT station, v FROM sensor WHERE v = 2;

-- widened-integers-beyond-doubles
SELECT v FROM sensor WHERE v > 9007199254740991;

-- late-column
SELECT station, humidity FROM sensor;

-- late-column-aggregated
SELECT station, avg(humidity) AS a, count(humidity) AS n, count(*) AS c FROM sensor GROUP BY station;

-- late-column-in-where
SELECT station FROM sensor WHERE humidity > 40;

-- late-column-is-null
SELECT count(*) AS n FROM sensor WHERE humidity IS NULL;

-- late-column-in-a-join
SELECT a.station, b.humidity FROM sensor a JOIN sensor b ON a.humidity = b.humidity;

-- late-column-in-a-window
SELECT time, station, last_value(humidity IGNORE NULLS) OVER (PARTITION BY station ORDER BY time) AS h FROM sensor;

-- only-a-late-column
SELECT max(humidity) AS h FROM sensor;

-- undecided-column
SELECT undecided, undecided IS NULL AS n FROM sensor;

-- undecided-column-aggregated
SELECT count(undecided) AS n, max(undecided) AS m FROM sensor;

-- undecided-column-coalesced
SELECT DISTINCT coalesce(undecided, 'nothing') AS u FROM sensor;

-- mixed-column
SELECT mixed, typeof(mixed) AS t FROM sensor;

-- mixed-column-as-numbers
SELECT sum(try_cast(mixed AS DOUBLE)) AS s FROM sensor;

-- late-timestamp-column
SELECT since, since + INTERVAL '1 day' AS next FROM sensor;

-- late-timestamp-in-where
SELECT station, since FROM sensor WHERE since <= TIMESTAMP '1970-01-01';

-- late-boolean
SELECT "Upper", count(*) AS n FROM sensor GROUP BY "Upper";

-- quoted-names
SELECT "Odd ""name""", "select", "with space", "größe" FROM sensor WHERE "select" IS NOT NULL;

-- names-without-regard-to-case
SELECT STATION, uPPer, "UPPER" FROM sensor WHERE Upper;

-- unquoted-unicode-name
SELECT größe FROM sensor WHERE größe IS NOT NULL;

-- quoted-names-qualified
SELECT s."with space" * 2 AS twice, sensor_b."Odd ""name""" AS odd
FROM sensor s JOIN sensor AS sensor_b ON s.time = sensor_b.time WHERE s."with space" IS NOT NULL;

-- quoted-names-in-groups
SELECT "with space" AS w, count(*) AS n FROM sensor GROUP BY "with space" HAVING max("select") IS NOT NULL;

-- quoted-alias
SELECT station AS "the station", count(*) AS "count of ""rows""" FROM sensor GROUP BY "the station";

-- alias-with-unicode
SELECT count(*) AS größe, max(v) AS "ä ö" FROM sensor;

-- count-over-all-schemas
SELECT count(*) AS n FROM sensor;

-- count-over-one-batch
SELECT count(*) AS n FROM sensor WHERE time < '2025-10-26 00:00:05';

-- rows-that-only-old-files-have
SELECT station, v, humidity, größe FROM sensor WHERE time < '2025-10-26 00:00:05';

-- rows-that-only-the-newest-batch-has
SELECT station, v, mixed, humidity FROM sensor WHERE time > '2025-10-26 00:00:25';

-- empty-table
SELECT * FROM vacant;

-- empty-table-counted
SELECT count(*) AS n, max(v) AS m FROM vacant;

-- empty-table-joined
SELECT u.id, v.v FROM users u LEFT JOIN vacant v ON v.v = u.id;

-- empty-table-by-group
SELECT name, count(*) AS n FROM vacant GROUP BY name;

-- empty-table-in-a-union
SELECT name FROM vacant UNION ALL SELECT name FROM users WHERE id < 4;

-- empty-table-not-in
SELECT count(*) AS n FROM users WHERE id NOT IN (SELECT v FROM vacant);

-- one-row-table
SELECT * FROM single;

-- tail-only
SELECT count(*) AS n, sum(v) AS s FROM newest;

-- by-database-name
SELECT count(*) AS n FROM "default".sensor;
