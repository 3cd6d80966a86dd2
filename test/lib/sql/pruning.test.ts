// What a query can see of a table: narrow where it can be, and never too narrow.

import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { readAst, writeAst } from "#lib/sql/ast.ts";
import { readValues, valuesQuery } from "#lib/sql/fixed-values.ts";
import { constantsOf, type Sight, sightsOf } from "#lib/sql/pruning.ts";
import { resolveQuery } from "#lib/sql/resolve.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { openTestEngine } from "../../helpers/duckdb-wasm.ts";
import { engineRows } from "../../helpers/engine-rows.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { anyPredicate, anyTimeMs } from "../../helpers/random-predicate.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

async function sightsIn(sql: string): Promise<Sight[]> {
  const ast = readAst(engine.parse(sql));
  const { tables } = resolveQuery(ast, { database: "db", isReadable: () => true });
  const expressions = constantsOf(tables);
  if (expressions.length === 0) return sightsOf(tables, [], []);
  const reader = new ArrowStreamReader();
  const values = engine.print(writeAst(valuesQuery(expressions)));
  const { signal } = new AbortController();
  try {
    for await (const part of engine.run(values, new Map(), signal)) {
      for (const { columns } of reader.read(part)) {
        return sightsOf(tables, expressions, readValues(expressions, columns));
      }
    }
  } catch (error) {
    if (!isSluiceError(error)) throw error;
  }
  return sightsOf(tables, expressions, []);
}

async function rangesOf(sql: string): Promise<TimeRangeMs[]> {
  return (await sightsIn(sql)).map(({ time }) => time);
}

const OPEN = { minMs: null, maxMs: null };
const T = Date.UTC(2026, 0, 1);
const from = { minMs: T - 1, maxMs: null };
const to = { minMs: null, maxMs: T + 1 };

describe("a range", () => {
  test.each([
    ["SELECT 1 FROM t WHERE time > '2026-01-01'", [from]],
    ["SELECT 1 FROM t WHERE '2026-01-01' <= time", [from]],
    ["SELECT 1 FROM t WHERE NOT time > '2026-01-01'", [to]],
    ["SELECT 1 FROM t WHERE TIME < DATE '2026-01-01'", [to]],
    ["SELECT 1 FROM t AS e WHERE E.time >= '2026-01-01T02:00:00+02:00'", [from]],
    ["SELECT 1 FROM db.t WHERE db.t.time >= '2026-01-01'", [from]],
    ["SELECT 1 FROM t WHERE time = '2026-01-01' AND v > 1", [{ minMs: T - 1, maxMs: T + 1 }]],
    [
      "SELECT 1 FROM t WHERE time IN ('2026-01-01', '2025-12-31')",
      [{ minMs: T - 86_400_001, maxMs: T + 1 }],
    ],
    [
      "SELECT 1 FROM t WHERE time BETWEEN '2026-01-01' AND now()",
      [{ ...from, maxMs: expect.any(Number) }],
    ],
    ["SELECT 1 FROM t WHERE time BETWEEN '2026-01-01' AND x", [from]],
    ["SELECT 1 FROM t, u WHERE t.time > '2026-01-01' AND u.time < '2026-01-01'", [from, to]],
    ["SELECT 1 FROM t LEFT JOIN u ON u.a = t.a WHERE u.time > '2026-01-01'", [OPEN, from]],
    ["SELECT 1 FROM t FULL JOIN u USING (a) WHERE t.time > '2026-01-01'", [from, OPEN]],
    ["SELECT (SELECT max(v) FROM u WHERE u.time < '2026-01-01') FROM t", [to, OPEN]],
    ["FROM t WHERE time > '2026-01-01' UNION ALL FROM t WHERE time < '2026-01-01'", [from, to]],
    ["SELECT 1 FROM t, u WHERE t.time >= u.time AND u.time > '2026-01-01'", [from, from]],
    ["SELECT 1 FROM t, u WHERE t.time > u.time AND t.time < '2026-01-01'", [to, to]],
    ["SELECT 1 FROM t JOIN u ON t.time = u.time WHERE u.time > '2026-01-01'", [from, from]],
    [
      `SELECT 1 FROM t JOIN u ON t.time BETWEEN u.time - INTERVAL '1 day' AND u.time + u.d
       WHERE u.time > '2026-01-02'`,
      [from, { minMs: T + 86_400_000 - 1, maxMs: null }],
    ],
    [
      `SELECT 1 FROM v LEFT JOIN (t JOIN u ON t.time < u.time + INTERVAL 2 HOURS) ON true
       WHERE u.time IN ('2025-12-31', '2025-12-31 22:00:00')`,
      [OPEN, to, { minMs: T - 86_400_001, maxMs: T - 7_200_000 + 1 }],
    ],
    ["SELECT 1 FROM t LEFT JOIN u ON u.time > '2026-01-01'", [OPEN, from]],
    [
      "SELECT 1 FROM t RIGHT JOIN u ON t.time > '2026-01-01' AND u.time > '2026-01-01'",
      [from, OPEN],
    ],
    ["SELECT 1 FROM t ANTI JOIN u ON u.time > '2026-01-01'", [OPEN, from]],
    ["SELECT 1 FROM t WHERE time < '2025-12-31' OR time < '2026-01-01' AND v = 1", [to]],
    ["SELECT 1 FROM (SELECT * FROM t) WHERE time > '2026-01-01'", [from]],
    ["SELECT 1 FROM (SELECT time AS at FROM t ORDER BY 1) s WHERE s.at > '2026-01-01'", [from]],
    ["WITH c AS (FROM t) SELECT 1 FROM c WHERE time > '2026-01-01'", [from]],
    ["WITH c AS (FROM t), d AS (SELECT c.* FROM c) FROM d x WHERE x.time > '2026-01-01'", [from]],
    ["FROM (SELECT time, sum(v) AS s FROM t GROUP BY time) WHERE time > '2026-01-01'", [from]],
    ["FROM (SELECT time, sum(v) FROM t GROUP BY ALL) WHERE time > '2026-01-01'", [from]],
    ["FROM (SELECT time, sum(v) FROM t GROUP BY 1) WHERE time > '2026-01-01'", [from]],
    ["FROM (SELECT DISTINCT time FROM t) WHERE time > '2026-01-01'", [from]],
    ["FROM (SELECT u.* FROM t JOIN u USING (a)) WHERE time > '2026-01-01'", [OPEN, from]],
  ] as [string, unknown][])("is read from %s", async (sql, expected) => {
    const ranges = await rangesOf(sql);
    expect(ranges.toSorted(byText)).toEqual((expected as object[]).toSorted(byText));
  });

  test.each([
    "FROM t WHERE time > '2026-01-01' OR v = 1",
    "FROM t WHERE NOT (time > '2026-01-01' AND v = 1)",
    "FROM t WHERE time <> '2026-01-01'",
    "FROM t WHERE time NOT BETWEEN '2026-01-01' AND '2026-01-02'",
    "FROM t WHERE time IS DISTINCT FROM '2026-01-01'",
    "FROM t WHERE time > x",
    "FROM t WHERE time > (SELECT TIMESTAMP '2026-01-01')",
    "FROM t WHERE time > random() * DATE '2026-01-01'",
    "FROM t WHERE time > 'no time'",
    "FROM t WHERE time > NULL",
    "FROM t WHERE time > '-infinity'",
    "FROM t WHERE x.time > '2026-01-01'",
    "SELECT 1 FROM t HAVING max(time) > '2026-01-01'",
    "SELECT 1 FROM t AS e(a, time) WHERE time > '2026-01-01'",
    "SELECT 1 FROM t TABLESAMPLE 10% WHERE time > '2026-01-01'",
    "SELECT 1 FROM t ASOF JOIN u ON t.time >= u.time WHERE u.time < '2026-01-01'",
    "SELECT 1 FROM t POSITIONAL JOIN u WHERE u.time < '2026-01-01'",
    "SELECT 1 FROM t, u WHERE time > '2026-01-01'",
    "SELECT 1 FROM t FULL JOIN u ON u.time > '2026-01-01'",
    "SELECT 1 FROM t LEFT JOIN u ON t.time > '2026-01-01'",
    "FROM (SELECT * FROM t LIMIT 3) WHERE time > '2026-01-01'",
    "FROM (SELECT * FROM t ORDER BY v LIMIT 3 OFFSET 1) WHERE time > '2026-01-01'",
    "FROM (SELECT DISTINCT ON (v) * FROM t) WHERE time > '2026-01-01'",
    "FROM (SELECT *, row_number() OVER () FROM t) WHERE time > '2026-01-01'",
    "FROM (SELECT * FROM t QUALIFY row_number() OVER () = 1) WHERE time > '2026-01-01'",
    "FROM (SELECT * FROM t USING SAMPLE 3) WHERE time > '2026-01-01'",
    "FROM (SELECT max(time) AS time FROM t) WHERE time > '2026-01-01'",
    "FROM (SELECT time + INTERVAL 1 DAY AS time FROM t) WHERE time > '2026-01-01'",
    "FROM (SELECT time, 1 AS time FROM t) s WHERE s.time > '2026-01-01'",
    "FROM (SELECT * REPLACE (time + INTERVAL 1 DAY AS time) FROM t) WHERE time > '2026-01-01'",
    "FROM (SELECT time, count(*) FROM t GROUP BY ROLLUP (time)) WHERE time > '2026-01-01'",
    "FROM (SELECT v, any_value(time) AS time FROM t GROUP BY v) WHERE time > '2026-01-01'",
    "FROM (FROM t UNION ALL FROM u) WHERE time > '2026-01-01'",
    "FROM (FROM t) AS s (a, time) WHERE time > '2026-01-01'",
    "WITH c (a, time) AS (FROM t) FROM c WHERE time > '2026-01-01'",
    "WITH c AS (FROM t) FROM c WHERE time > '2026-01-01' UNION ALL FROM c",
    "FROM t ASOF JOIN (FROM u) s ON t.time >= s.time WHERE s.time > '2026-01-01'",
  ])("stays open for %s", async (sql) => {
    const ranges = await rangesOf(sql);
    expect(ranges.length).toBeGreaterThan(0);
    for (const range of ranges) expect(range).toEqual(OPEN);
  });

  test.each([
    "t LEFT JOIN u ON t.time >= u.time",
    "t FULL JOIN u ON t.time >= u.time",
    "t JOIN u ON t.time >= u.time OR t.v = 1",
    "t JOIN u ON t.time <= u.time",
    "t JOIN u ON t.time >= u.time - INTERVAL '1 month'",
    "t JOIN u ON t.time >= u.time + u.d",
    "t JOIN u ON t.time >= greatest(u.time, u.later)",
    "t JOIN u ON t.later >= u.time",
  ])("of one table says nothing about the other in %s", async (join) => {
    const ranges = await rangesOf(`SELECT 1 FROM ${join} WHERE u.time > '2026-01-01'`);
    expect(ranges).toEqual([OPEN, from]);
  });

  test("up to now ends as late as the query may still be running", async () => {
    const before = Date.now();
    const [range] = await rangesOf("FROM t WHERE time < current_timestamp");
    expect(range!.maxMs).toBeGreaterThanOrEqual(before + LIMITS.queryTimeoutMs);
  });

  test("keeps every row for which the condition holds, whatever the condition", async () => {
    const columns = ["time", "t.time", '"TIME"'];
    const rows = fc.array(fc.tuple(anyTimeMs, fc.integer({ min: 0, max: 999 })), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(anyPredicate(columns), rows, async (predicate, times) => {
        const [range] = await rangesOf(`SELECT 1 FROM t WHERE ${predicate}`);
        const us = times.map(([ms, more]) => BigInt(ms) * 1_000n + BigInt(more));
        const table = `(SELECT make_timestamp(unnest([${us.join(", ")}])) AS time,
          unnest(range(${us.length})) % 4 AS v) AS t`;
        const kept = await engineRows(
          engine,
          `SELECT epoch_ms(time) FROM ${table} WHERE ${predicate}`,
        );
        for (const [ms] of kept as [number][]) {
          expect(ms).toBeGreaterThanOrEqual(range!.minMs ?? -Infinity);
          expect(ms).toBeLessThanOrEqual(range!.maxMs ?? Infinity);
        }
      }),
      propertyRuns(300),
    );
  });
});

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
