// Queries that would go on for hours: each ends with a clear error, and the next one is answered.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { QueryWorld } from "../../helpers/query-world.ts";

vi.mock("#lib/base/limits.ts", async (original) => {
  const { LIMITS } = await original<typeof import("#lib/base/limits.ts")>();
  return { LIMITS: { ...LIMITS, queryTimeoutMs: 1_500 } };
});
vi.setConfig({ testTimeout: 60_000 });

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModules());
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

describe("a value without bounds", () => {
  test.each([
    ["a text", "SELECT length(repeat('x', 1000000000))"],
    ["a text of texts", "SELECT length(repeat(repeat('x', 100000), 100000))"],
    ["a list", "SELECT len(range(1000000000000))"],
    ["a list of all rows", "SELECT len(list(i)) FROM range(50000000) r(i)"],
    ["a text of all rows", "SELECT length(string_agg(i::VARCHAR, ',')) FROM range(50000000) r(i)"],
    ["texts padded", "SELECT length(lpad('x', 2000000000, 'y'))"],
    ["parentheses", `SELECT ${"(".repeat(10_000)}1${")".repeat(10_000)}`],
    ["a sum of terms", `SELECT ${"1+".repeat(40_000)}1`],
    ["calls in calls", `SELECT ${"abs(".repeat(10_000)}1${")".repeat(10_000)}`],
    ["subqueries", `SELECT * FROM ${"(SELECT * FROM ".repeat(2_000)}range(1)${")".repeat(2_000)}`],
    ["a list of constants", `SELECT 1 IN (${"1,".repeat(60_000)}2)`],
  ])("%s is refused, or ended, or fits", async (_name, sql) => {
    const { status, code, error } = await world.query(sql);
    expect([status, code, error]).toEqual([expect.toBeOneOf([200, 400, 422, 504]), code, error]);
    expect(code).not.toBe("bug");
    expect((await world.query("SELECT 42")).data).toEqual([[42]]);
  });
});
