// Queries that would go on for hours: each ends with a clear error, and the next one is answered.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { engineModule } from "../../helpers/duckdb-wasm.ts";
import { QueryWorld } from "../../helpers/query-world.ts";

vi.mock("#lib/base/limits.ts", async (original) => {
  const { LIMITS } = await original<typeof import("#lib/base/limits.ts")>();
  return { LIMITS: { ...LIMITS, engineSliceMsMax: 300, queryTimeoutMs: 1_500 } };
});
vi.setConfig({ testTimeout: 60_000 });

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModule());
});

describe("a query without end", () => {
  test.each([
    [
      "a cross product",
      "SELECT count(*) FROM range(10000000) a(i), range(100000) b(j) WHERE hash(i + j) = 0",
    ],
    [
      "a join of two values",
      `WITH t AS (SELECT i % 2 AS k FROM range(300000) r(i))
       SELECT count(*) FROM t a JOIN t b USING (k)`,
    ],
    ["a join by range", "SELECT count(*) FROM range(300000) a(i) JOIN range(300000) b(j) ON i < j"],
    [
      "a cross product of lists",
      `SELECT count(*) FROM unnest(range(2000000)) a(i), unnest(range(2000000)) b(j)
       WHERE hash(i::BIGINT + j::BIGINT) = 0`,
    ],
    [
      "a recursive CTE",
      "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t",
    ],
  ])("%s is ended", async (_name, sql) => {
    const { status, code } = await world.query(sql);
    expect(["query_too_large", "query_timeout", "query_out_of_memory"]).toContain(code);
    expect([422, 504]).toContain(status);
    expect((await world.query("SELECT 42")).data).toEqual([[42]]);
  });

  test("a catastrophic regular expression is none", async () => {
    const sql = "SELECT regexp_matches(repeat('a', 100000), '(a*)*(a|aa)*b$')";
    expect((await world.query(sql)).data).toEqual([[false]]);
  });
});
