// Statements that are more than a SELECT as it stands: with parameters, DESCRIBE and its kin.

import { beforeAll, describe, expect, test, vi } from "vitest";
import type { QueryParam } from "#lib/sql/types.ts";
import { engineModule } from "../../helpers/duckdb-wasm.ts";
import { type Answer, answerOf, QueryWorld, sqlQuestion } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const NOON = Date.UTC(2026, 0, 1, 12);

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default", "events");
  await world.open(engineModule());
  world.get().append("cpu", { time: [NOON, NOON + 1], host: ["a", "b'"], v: [1, 2] });
  await world.get().flush();
  world.get().append("cpu", { time: [NOON + 86_400_000], host: ["c"], v: [3] });
  await world.get().flush();
});

async function ask(sql: string, params: QueryParam[] = []): Promise<Answer> {
  return answerOf(await world.ask({ question: sqlQuestion(sql, params) }));
}

describe("parameters", () => {
  test("stand for values of their type and never for SQL", async () => {
    const sql = "SELECT v FROM cpu WHERE host = ? OR v = ? ORDER BY v LIMIT ?";
    expect((await ask(sql, ["b'", 3, 5])).data).toEqual([[2], [3]]);
    expect((await ask(sql, ["' OR 1=1 --", -1, 5])).data).toEqual([]);
    const types = "SELECT ? AS i, typeof(?), typeof(?), typeof(?), typeof(?), ?, ? IS NULL";
    const values = [1, 5_000_000_000, 0.1, "x", true, 'it\'s \\ "ü" \u{1f600} $$', null];
    expect(await ask(types, values)).toMatchObject({
      columns: ["i", ...Array.from({ length: 6 }, () => expect.any(String) as string)],
      data: [[1, "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", values[5], true]],
    });
    expect((await ask("SELECT $2, $1, $2", ["a", "b"])).data).toEqual([["b", "a", "b"]]);
  });

  test("prune files as constants do", async () => {
    const sql = "SELECT count(*) FROM cpu WHERE time > ?::TIMESTAMP";
    const answer = await ask(sql, ["2026-01-02 00:00:00"]);
    expect(answer.data).toEqual([[1]]);
    expect(answer.cost).toMatchObject({ files_considered: 2, files_read: 1 });
  });

  test("are refused by number: too many, too few, too large, with a name", async () => {
    const missing = await ask("SELECT ?, ?", [1]);
    expect(missing).toMatchObject({ status: 400, detail: { expected: 2, found: 1 } });
    expect(await ask("SELECT 1", [1])).toMatchObject({ detail: { expected: 0, found: 1 } });
    expect(await ask("SELECT ?", [2 ** 53])).toMatchObject({ detail: { parameter: 1 } });
    expect(await ask("SELECT ?", ["a\0b"])).toMatchObject({ detail: { parameter: 1 } });
    expect(await ask("SELECT $name", [1])).toMatchObject({ status: 400, code: "sql_invalid" });
  });
});

describe("statements about a query", () => {
  test("DESCRIBE tells columns and types of a table or a SELECT", async () => {
    const columns = [
      ["time", "TIMESTAMP"],
      ["host", "VARCHAR"],
      ["v", "BIGINT"],
    ];
    for (const sql of [
      "DESCRIBE cpu",
      "desc /* of */ cpu;",
      'DESCRIBE "cpu"',
      "DESCRIBE FROM cpu",
    ]) {
      const { data } = await ask(sql);
      expect(
        data.map(([name, type]) => [name, type]),
        sql,
      ).toEqual(columns);
    }
    expect((await ask("DESCRIBE SELECT avg(v) AS a FROM cpu WHERE v > ?", [1])).data).toEqual([
      ["a", "DOUBLE", "YES", null, null, null],
    ]);
    expect((await ask("DESCRIBE nothing")).data).toEqual([]);
  });

  test("SUMMARIZE reads all rows, and EXPLAIN none", async () => {
    const summary = await ask("SUMMARIZE cpu");
    expect(summary.data.map((row) => row.slice(0, 4))).toContainEqual(["v", "BIGINT", "1", "3"]);
    const [plan] = (await ask("EXPLAIN SELECT count(*) FROM cpu")).data;
    expect(plan![0]).toBe("physical_plan");
    expect(plan![1]).toContain("AGGREGATE");
  });

  test.each([
    ["EXPLAIN ANALYZE SELECT 1"],
    ["EXPLAIN (ANALYZE) SELECT 1"],
    ["EXPLAIN DROP TABLE cpu"],
    ["EXPLAIN EXPLAIN SELECT 1"],
    ["DESCRIBE read_csv('/etc/passwd')"],
    ["DESCRIBE '/etc/passwd'"],
    ["DESCRIBE SELECT * FROM duckdb_settings()"],
    ["DESCRIBE cpu; DROP TABLE cpu"],
    ["SUMMARIZE information_schema.tables"],
    ["SUMMARIZE read_parquet('files/0.parquet')"],
    ["PIVOT cpu ON host USING sum(v)"],
    ["DESCRIBE"],
  ])("%s is refused, or finds nothing", async (sql) => {
    const { status, data } = await ask(sql);
    expect([400, 403].includes(status) || (status === 200 && data.length === 0), sql).toBe(true);
  });

  test("keep to the caller's databases", async () => {
    for (const verb of ["DESCRIBE", "SUMMARIZE", "EXPLAIN SELECT * FROM"]) {
      const asked = { databases: ["events"], question: sqlQuestion(`${verb} "default".cpu`) };
      expect((await answerOf(await world.ask(asked))).status, verb).toBe(403);
    }
  });
});
