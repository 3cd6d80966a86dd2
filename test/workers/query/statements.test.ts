// Statements that are more than a SELECT as it stands: with parameters, DESCRIBE and its kin.

import { beforeAll, describe, expect, test, vi } from "vitest";
import type { QueryParams } from "#lib/sql/types.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { type Answer, answerOf, QueryWorld, sqlQuestion } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const NOON = Date.UTC(2026, 0, 1, 12);

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default", "events");
  await world.open(engineModules());
  world.get().append("cpu", { time: [NOON, NOON + 1], host: ["a", "b'"], v: [1, 2] });
  await world.get().flush();
  world.get().append("cpu", { time: [NOON + 86_400_000], host: ["c"], v: [3] });
  await world.get().flush();
});

async function ask(sql: string, params: QueryParams = []): Promise<Answer> {
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
    expect(await ask("SELECT ?", [2 ** 53])).toMatchObject({ detail: { parameter: "1" } });
    expect(await ask("SELECT ?", ["a\0b"])).toMatchObject({ detail: { parameter: "1" } });
    expect(await ask("SELECT $name", [1])).toMatchObject({ status: 400, code: "sql_invalid" });
  });
});

describe("parameters with names", () => {
  test("take their values from an object", async () => {
    const sql = "SELECT v, $min AS m FROM cpu WHERE v >= $min AND host <> $host ORDER BY v";
    expect((await ask(sql, { min: 2, host: "c" })).data).toEqual([[2, 2]]);
    expect((await ask("SELECT $2, $1", { 1: "a", 2: "b" })).data).toEqual([["b", "a"]]);
  });

  test("are refused by name: without a value, with one too many", async () => {
    const refused = { status: 400, code: "sql_invalid" };
    for (const params of [{}, { naem: 1 }, { name: 1, more: 2 }]) {
      expect(await ask("SELECT $name", params as QueryParams)).toMatchObject(refused);
    }
    expect(await ask("SELECT $constructor", {})).toMatchObject(refused);
    expect(await ask("SELECT ?, $name", { name: 1 })).toMatchObject({ status: 400 });
  });
});

describe("messages speak of the query as it was written", () => {
  test.each([
    ["SELECT hots FROM cpu", /"hots" not found[^]*Candidate bindings: "cpu\./],
    [
      "WITH recent AS (SELECT time FROM cpu) SELECT tim FROM recent",
      /"tim" not found[^]*recent\.time/,
    ],
    ["WITH a AS (FROM cpu) SELECT a.nothing FROM a", /Table "a" does not have a column/],
    ["SELECT sum(host) FROM cpu", /sum\(VARCHAR\)/],
    ["SELECT cpu.tim FROM cpu", /Table "cpu" does not have a column named "tim"/],
    ["SELECT host::DOUBLE FROM cpu", /'a'|'b''|'c'/],
    ["SELECT max(v) FROM cpu GROUP BY nothing", /nothing/],
    ["SELECT count(*) FROM cpu WHERE time > 'yesterday'", /^'yesterday' is not a TIMESTAMP$/],
    ["SELECT count(*) FROM cpu WHERE v = 'four'", /^'four' is not a BIGINT$/],
    ["SELECT now() AT TIME ZONE 'Mars/Olympus'", /^there is no time zone 'Mars\/Olympus'$/],
  ])("%s", async (sql, says) => {
    const { status, error } = await ask(sql);
    expect([400, 422]).toContain(status);
    expect(error).toMatch(says);
    expect(error).not.toMatch(/LINE \d|cte_\d|parquet|epoch_us|Values list/);
  });

  test("and so do the names of unnamed columns", async () => {
    const { columns } = await ask("SELECT (SELECT max(v) FROM cpu), time + v FROM cpu LIMIT 1");
    expect(columns).toEqual(["(SELECT max(v) FROM cpu)", '("time" + v)']);
  });
});

describe("PIVOT", () => {
  test("reads only what its caller may", async () => {
    const sql = "FROM (PIVOT events.cpu ON host IN ('a') USING sum(v))";
    const asked = { databases: ["default"], question: sqlQuestion(sql) };
    expect((await answerOf(await world.ask(asked))).status).toBe(403);
  });

  test.each([
    "PIVOT '/etc/passwd' ON a IN (1) USING count(*)",
    "PIVOT read_csv('/etc/passwd') ON a IN (1) USING count(*)",
    "PIVOT cpu ON host IN ('a') USING getenv('HOME')",
    "PIVOT cpu ON getenv('HOME') IN ('a') USING sum(v)",
    "PIVOT cpu ON host IN (SELECT content FROM read_text('/etc/passwd')) USING sum(v)",
    "PIVOT cpu ON host IN host_enum USING sum(v)",
    "UNPIVOT 'x.parquet' ON a INTO NAME n VALUE v",
    "UNPIVOT cpu ON (SELECT getenv('HOME')) INTO NAME n VALUE v",
  ])("%s is refused", async (sql) => {
    expect((await ask(sql)).status).toBe(400);
  });

  test("without its values says what it lacks", async () => {
    expect((await ask("PIVOT cpu ON host USING sum(v)")).error).toMatch(/ON column IN/);
  });
});

test("a cancelled query ends, and the next one is answered", async () => {
  const endless = "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) FROM t";
  const begun = world.watched.length;
  const answers = [ask(`${endless} WHERE i < 0`), ask("SELECT 1")];
  await vi.waitFor(() => {
    const stages = world.watched.slice(begun).map(({ progress }) => progress.stage);
    expect(stages).toEqual(["running", "queued"]);
  });
  for (const { cancel } of world.watched.slice(begun)) cancel();
  for (const answer of answers) {
    expect(await answer).toMatchObject({ status: 409, code: "query_cancelled" });
  }
  expect(world.outcomes.slice(-2)).toEqual(["query_cancelled", "query_cancelled"]);
  expect((await ask("SELECT 42")).data).toEqual([[42]]);
  expect(world.outcomes.at(-1)).toBe("done");
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

test("a column that has only had NULLs fits where any type does, and is INTEGER by name", async () => {
  const sql = "SELECT v + w, length(v), v = 'a', v > 4, sum(v), v = time FROM blank GROUP BY ALL";
  for (const step of ["tail", "file"]) {
    world.get().append("blank", { time: [NOON], v: [null], w: [null] });
    if (step === "file") await world.get().flush();
    const { data, error } = await ask(sql);
    expect([step, error, data]).toEqual([step, undefined, [[null, null, null, null, null, null]]]);
  }
  const described = (await ask("DESCRIBE blank")).data.map(([name, type]) => [name, type]);
  expect(described).toContainEqual(["v", "INTEGER"]);
});
