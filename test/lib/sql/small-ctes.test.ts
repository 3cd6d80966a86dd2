// Which CTEs are computed once, before what they are joined with.

import { beforeAll, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { readAst, writeAst } from "#lib/sql/ast.ts";
import { materializeSmallCtes } from "#lib/sql/small-ctes.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { openTestEngine } from "../../helpers/duckdb-wasm.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

/** Names of the CTEs that are materialised. */
function materialized(sql: string): string[] {
  const ast = readAst(engine.parse(sql));
  materializeSmallCtes(ast);
  const printed = engine.print(writeAst(ast));
  return [...printed.matchAll(/(\w+) AS MATERIALIZED/g)].map(([, name]) => name!);
}

const MAX = LIMITS.smallCteRowsMax;

test.each([
  "SELECT v FROM t ORDER BY v LIMIT 1",
  `SELECT v FROM t LIMIT ${MAX} OFFSET 5`,
  "(SELECT v FROM t LIMIT 1) UNION ALL (SELECT v FROM u LIMIT 1)",
  "SELECT v FROM t UNION SELECT v FROM u LIMIT 2",
  "SELECT max(v) AS v FROM t",
  "SELECT coalesce(max(v), 0) + 1 AS v FROM t HAVING count(*) > 1",
  "SELECT now() AS v",
  "SELECT * FROM (VALUES (1), (2)) x(v)",
  "SELECT * FROM (SELECT v FROM t LIMIT 1) x WHERE v > 1",
  "SELECT a.v FROM (SELECT max(v) AS v FROM t) a, (SELECT 1) b",
])("a CTE of a few rows is: %s", (cte) => {
  for (const from of ["m, c", "c, m", "m JOIN c ON m.v > c.v", "c LEFT JOIN m ON m.v > c.v"]) {
    expect(materialized(`WITH c AS (${cte}) SELECT count(*) FROM ${from}`)).toEqual(["c"]);
  }
});

test.each([
  "SELECT v FROM t",
  `SELECT v FROM t LIMIT ${MAX + 1}`,
  "SELECT v FROM t LIMIT 1 + 1",
  "SELECT v FROM t LIMIT 10%",
  "SELECT max(v) AS v FROM t GROUP BY k",
  "SELECT max(v) OVER () AS v FROM t",
  "SELECT (SELECT max(v) FROM t) AS v FROM u",
  "SELECT unnest(list(v)) AS v FROM t",
  "SELECT v FROM t UNION ALL SELECT max(v) FROM u",
  "SELECT t.v FROM t, (SELECT 1) b",
  "SELECT i AS v FROM range(5) r(i)",
])("a CTE of perhaps many rows is not: %s", (cte) => {
  expect(materialized(`WITH c AS (${cte}) SELECT count(*) FROM m, c`)).toEqual([]);
});

const ONE = "(SELECT max(v) AS v FROM t)";

test.each([
  [`WITH c AS ${ONE} SELECT * FROM c`, []],
  [`WITH c AS ${ONE} SELECT * FROM m WHERE v > (SELECT v FROM c)`, []],
  [`WITH c AS ${ONE}, d AS (SELECT v + 1 AS v FROM c) SELECT * FROM m, d`, ["d"]],
  [`WITH d AS (SELECT * FROM c), c AS ${ONE} SELECT * FROM m, d`, ["d"]],
  [`WITH c AS ${ONE} SELECT v FROM m UNION ALL SELECT m.v FROM m, c`, ["c"]],
  [`SELECT * FROM (WITH c AS ${ONE} SELECT * FROM m, c)`, ["c"]],
  [`WITH c AS ${ONE} SELECT (SELECT count(*) FROM m, c WHERE m.v > c.v) FROM t`, ["c"]],
  [`SELECT (WITH c AS ${ONE} SELECT count(*) FROM m, c) FROM t`, []],
  [`SELECT * FROM t, (WITH c AS ${ONE} SELECT * FROM m, c) x`, []],
  [`WITH c AS (FROM d), d AS (FROM c) SELECT * FROM m, d`, []],
  ["WITH RECURSIVE r AS (SELECT 1 AS v UNION ALL SELECT v + 1 FROM r WHERE v < 9) FROM r, m", []],
])("only where it is joined, and nowhere that a row around it is visible: %s", (sql, expected) => {
  expect(materialized(sql)).toEqual(expected);
});
