// The range of time read from a WHERE: narrow where it can be, and never too narrow.

import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import { readAst, writeAst } from "#lib/sql/ast.ts";
import { resolveQuery } from "#lib/sql/resolve.ts";
import { boundsQuery, timeRanges } from "#lib/sql/time-bounds.ts";
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

async function rangesOf(sql: string): Promise<TimeRangeMs[]> {
  const ast = readAst(engine.parse(sql));
  const { tables } = resolveQuery(ast, { database: "db", isReadable: () => true });
  const query = boundsQuery(tables);
  if (query === null) return timeRanges(tables, []);
  const select = engine.print(writeAst(query));
  const row = await engineRows(engine, `SELECT epoch_us(COLUMNS(*)) FROM (${select})`).catch(
    () => null,
  );
  const us = row?.[0]!.map((value) => (value === null ? null : BigInt(value as number)));
  return timeRanges(tables, us ?? null);
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
    "SELECT 1 FROM t LEFT JOIN u ON u.time > '2026-01-01'",
    "SELECT 1 FROM t, u WHERE time > '2026-01-01'",
    "SELECT 1 FROM (SELECT * FROM t) WHERE time > '2026-01-01'",
    "WITH c AS (FROM t) SELECT 1 FROM c WHERE time > '2026-01-01'",
  ])("stays open for %s", async (sql) => {
    for (const range of await rangesOf(sql)) expect(range).toEqual(OPEN);
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
