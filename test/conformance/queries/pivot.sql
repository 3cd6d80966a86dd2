-- pivot-of-given-values
PIVOT cpu ON host IN ('web-1', 'db-1') USING avg(usage) GROUP BY region;

-- pivot-with-several-aggregates
PIVOT events ON severity IN ('error', 'info') USING count(*) AS n, max(amount) AS top GROUP BY event_type ORDER BY event_type;

-- pivot-of-a-subquery
SELECT * FROM (PIVOT (SELECT host, region, usage FROM cpu WHERE usage > 10) ON region IN ('eu', 'us') USING max(usage) GROUP BY host) WHERE eu > 50;

-- pivot-in-from
SELECT * FROM (SELECT symbol, quantity % 2 AS odd, price FROM trades) PIVOT (sum(price) FOR odd IN (0, 1));

-- pivot-of-a-cte
WITH busy AS (SELECT host, cores, usage FROM cpu WHERE usage > 30)
SELECT * FROM (PIVOT busy ON cores IN (4, 8, 16) USING count(usage) GROUP BY host);

-- unpivot
UNPIVOT (SELECT host, min(usage) AS low, max(usage) AS high FROM cpu GROUP BY host) ON low, high INTO NAME bound VALUE usage;

-- unpivot-in-from
SELECT host, name, v FROM (SELECT host, cores, cores * 2 AS twice FROM cpu) UNPIVOT (v FOR name IN (cores, twice));

-- pivot-of-found-values
PIVOT cpu ON host USING avg(usage) GROUP BY region;
