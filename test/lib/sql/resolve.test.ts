// What a query may name: tables through the catalog alone, functions by list, nothing else.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { callOf, readAst, writeAst } from "#lib/sql/ast.ts";
import { isFunctionAllowed, isTableFunctionAllowed } from "#lib/sql/functions.ts";
import { resolveQuery } from "#lib/sql/resolve.ts";
import type { Resolved } from "#lib/sql/scope.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { openTestEngine } from "../../helpers/duckdb-wasm.ts";
import { engineRows } from "../../helpers/engine-rows.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

const context = { database: "db", isReadable: (database: string) => database !== "secret" };

function resolve(sql: string): Resolved & { printed: string } {
  const ast = readAst(engine.parse(sql));
  const resolved = resolveQuery(ast, context);
  return { ...resolved, printed: engine.print(writeAst(ast)) };
}

function tablesOf(sql: string): string[] {
  return resolve(sql).tables.map(({ database, measurement }) => `${database}.${measurement}`);
}

describe("refused, whatever way it is written", () => {
  test.each([
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "SELECT * FROM \"read_parquet\"('x')",
    "SELECT * FROM main.read_csv('x')",
    "SELECT * FROM t, read_json_auto('x')",
    "SELECT * FROM t JOIN read_csv_auto('/etc/passwd') ON true",
    "SELECT * FROM t LEFT JOIN LATERAL read_ndjson('x') ON true",
    "SELECT * FROM (SELECT * FROM parquet_scan('x'))",
    "WITH x AS (FROM parquet_metadata('x')) SELECT * FROM x",
    "SELECT (SELECT count(*) FROM glob('*'))",
    "SELECT * FROM t WHERE v IN (SELECT a FROM read_text('x') y(a))",
    "SELECT 1 UNION ALL SELECT 1 FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM pragma_table_info('t')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM sqlite_scan('x', 'y')",
    "SELECT getenv('HOME')",
    "SELECT \"getenv\"('HOME')",
    "SELECT main.getenv('HOME')",
    "SELECT pg_catalog.lower('X')",
    "SELECT GETENV(E'HOME')",
    "SELECT getenv($$HOME$$)",
    "SELECT max(v) OVER (ORDER BY current_setting('home_directory')) FROM t",
    "SELECT current_setting('s3_secret_access_key')",
    "SELECT nextval('s')",
    "SELECT v FROM t ORDER BY getenv('HOME')",
    "SELECT v FROM t LIMIT (SELECT getenv('x')::INT)",
    "SELECT count(*) FILTER (WHERE getenv('x') = '') FROM t",
    "SELECT list_transform([1], x -> getenv('HOME'))",
    "SELECT CASE WHEN getenv('x') IS NULL THEN 1 END",
    "SELECT * REPLACE (getenv('x') AS v) FROM t",
    "SELECT DISTINCT ON (getenv('x')) v FROM t",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT * FROM memory.main.t",
    "SELECT * FROM system.information_schema.tables",
    "FROM 'x.parquet' PIVOT (sum(v) FOR h IN ('a'))",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM PG_CATALOG.pg_tables",
    "INSTALL httpfs",
    "LOAD httpfs",
    "ATTACH 'x.db' AS x",
    "DETACH db",
    "COPY t TO 'x'",
    "COPY (SELECT 1) TO 'x'",
    "EXPORT DATABASE 'x'",
    "IMPORT DATABASE 'x'",
    "PRAGMA database_list",
    "SET memory_limit = '10GB'",
    "RESET memory_limit",
    "CALL pragma_version()",
    "CREATE TABLE x (i INT)",
    "CREATE VIEW x AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET v = 1",
    "DELETE FROM t",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN x INT",
    "TRUNCATE t",
    "VACUUM",
    "CHECKPOINT",
    "BEGIN TRANSACTION",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "USE memory",
    "EXPLAIN SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE t",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "FROM '/etc/passwd'",
    'FROM "x.parquet"',
    "FROM E'x.csv'",
    "SELECT * FROM t, 'https://example.com/x.parquet'",
    'FROM "a ""b"""',
    "FROM _t",
    'FROM "..".t',
    "SELECT (SELECT 1 FROM '*')",
  ])("%s", (sql) => {
    expect(() => resolve(sql)).toThrow(expect.objectContaining({ code: "sql_not_allowed" }));
  });

  test.each(["", ";", "SELEC 1", "SELECT '", "SELECT 1\0; DROP TABLE t", "SELECT 1e400"])(
    "%j as SQL that is not valid",
    (sql) => {
      expect(() => resolve(sql)).toThrow(expect.objectContaining({ code: "sql_invalid" }));
    },
  );

  test("a database that the caller may not read, anywhere in a query", () => {
    for (const sql of [
      "SELECT * FROM secret.t",
      'SELECT * FROM "secret"."t"',
      "SELECT (SELECT max(v) FROM secret.t)",
      "SELECT * FROM t WHERE EXISTS (FROM secret.t)",
      "WITH x AS (FROM secret.t) SELECT 1",
    ]) {
      const denied = expect.objectContaining({ code: "permission_denied" });
      expect(() => resolve(sql)).toThrow(denied);
    }
  });
});

describe("a name in the place of a table", () => {
  test.each([
    "FROM 'passwd'",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_tables",
    "TABLE duckdb_columns",
  ])("is a measurement and nothing else: %s", (sql) => {
    const { tables } = resolve(sql);
    expect(tables.length).toBeGreaterThan(0);
    for (const { node } of tables) expect(node.type).toBe("BASE_TABLE");
  });

  test("belongs to the database of the request unless it says another", () => {
    expect(tablesOf("SELECT * FROM cpu, events.logs")).toEqual(["db.cpu", "events.logs"]);
    expect(tablesOf('FROM "my-db"."a-b_1"')).toEqual(["my-db.a-b_1"]);
    expect(tablesOf('WITH "a b" AS (FROM t) FROM "a b"')).toEqual(["db.t"]);
    expect(tablesOf("FROM Cpu")).toEqual(["db.Cpu"]);
  });
});

describe("a CTE", () => {
  test.each([
    ["WITH a AS (FROM x) SELECT * FROM a", ["db.x"]],
    ["WITH a AS (FROM x), b AS (FROM a) SELECT * FROM b, A", ["db.x"]],
    ["WITH b AS (FROM a), a AS (FROM x) SELECT * FROM b", ["db.x"]],
    ["WITH x AS (FROM x) SELECT * FROM x", ["db.x"]],
    ["WITH a AS (FROM x) SELECT * FROM other.a", ["db.x", "other.a"]],
    ["SELECT * FROM (WITH a AS (FROM x) FROM a), a", ["db.x", "db.a"]],
    ["WITH a AS (FROM x) SELECT * FROM (WITH a AS (FROM y) FROM a), a", ["db.x", "db.y"]],
    ["WITH a AS (FROM x) SELECT * FROM (WITH a AS (FROM a) FROM a)", ["db.x"]],
    ["WITH a AS (FROM x) SELECT (SELECT count(*) FROM a), (SELECT 1 FROM b)", ["db.x", "db.b"]],
    ["WITH a AS (FROM x) SELECT * FROM a UNION ALL SELECT * FROM a", ["db.x"]],
    ["WITH a AS MATERIALIZED (FROM x), b AS MATERIALIZED (FROM a) FROM a, b", ["db.x"]],
    [
      "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r, x WHERE i < 3) FROM r",
      ["db.x"],
    ],
  ])("is in scope where the engine says so: %s", (sql, expected) => {
    expect(tablesOf(sql)).toEqual(expected);
  });

  test("answers as if nobody had renamed it", async () => {
    const { printed } = resolve(
      `WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 4),
        m AS MATERIALIZED (SELECT sum(i) AS s FROM r), cte_0 AS (SELECT m.s, r.i FROM m, r)
       SELECT cte_0.i, s, (SELECT max(r.i) FROM r) FROM cte_0 WHERE i > 2 ORDER BY cte_0.i`,
    );
    expect(await engineRows(engine, printed)).toEqual([
      [3, 10, 4],
      [4, 10, 4],
    ]);
  });
});

describe("the columns that can matter", () => {
  test.each([
    ["SELECT a, T.B FROM t WHERE c > 1 ORDER BY d", ["a", "b", "c", "d", "t"]],
    ["SELECT count(*) FROM t", []],
    ["SELECT a FROM t JOIN u USING (K)", ["a", "k"]],
    ["SELECT * FROM t", null],
    ["SELECT 1 FROM (SELECT t.* FROM t)", null],
    ["SELECT COLUMNS('a.*') FROM t", null],
    ["SELECT 1 FROM t NATURAL JOIN u", null],
    ["SELECT t FROM t", null],
    ["SELECT to_json(e) FROM t AS e", null],
    ["SELECT x FROM t AS e(x, y)", null],
    ["SELECT (SELECT to_json(e)) FROM t AS e", null],
  ])("of %s", (sql, expected) => {
    const { columnNames } = resolve(sql);
    expect(columnNames === null ? null : [...columnNames].toSorted()).toEqual(expected);
  });
});

describe("the list of functions", () => {
  /** Functions of the engine that no query may call. */
  const REFUSED = [
    "combine current_catalog current_database current_query current_role current_schema",
    "current_schemas current_setting current_user currval finalize icu_sort_key in_search_path",
    "json_deserialize_sql json_serialize_sql nextval session_user setseed stats txid_current user",
    "vector_type col_description obj_description shobj_description format_pg_type format_type",
  ].flatMap((line) => line.split(" "));
  const REFUSED_PREFIXES = ["__internal_", "has_", "inet_", "pg_"];
  const ALLOWED_DESPITE_PREFIX = ["pg_typeof", "pg_size_pretty"];

  test("decides on every function that the engine has", async () => {
    const kinds = "('scalar', 'aggregate', 'macro')";
    const sql = `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ${kinds}`;
    const names = (await engineRows(engine, sql)).map(([name]) => name as string);
    expect(names.length).toBeGreaterThan(400);
    const isRefused = (name: string) =>
      REFUSED.includes(name) ||
      (REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
        !ALLOWED_DESPITE_PREFIX.includes(name));
    const undecided = names.filter((name) => isFunctionAllowed(callOf(name)) === isRefused(name));
    expect(undecided).toEqual([]);
  });

  test("lets three functions stand for a table", async () => {
    const sql =
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table'";
    const names = (await engineRows(engine, sql)).map(([name]) => name as string);
    const allowed = names.filter((name) => isTableFunctionAllowed(callOf(name)));
    expect(allowed.toSorted()).toEqual(["generate_series", "range", "unnest"]);
  });
});
