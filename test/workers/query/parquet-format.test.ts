// Answers in Parquet, read back by today's DuckDB and by hyparquet.

import { parquetMetadata } from "hyparquet";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { NativeDuckDb, readWithHyparquet } from "../../helpers/parquet-readers.ts";
import { QueryWorld, resultOptions, sqlQuestion } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let world: QueryWorld;
let native: NativeDuckDb;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModules());
  native = await NativeDuckDb.open();
});
beforeEach(() => {
  world.failAfterParts = null;
});
afterAll(() => native.close());

function ask(sql: string): Promise<Response> {
  return world.ask({ question: sqlQuestion(sql), result: resultOptions("parquet") });
}

async function file(sql: string): Promise<Uint8Array> {
  const response = await ask(sql);
  expect(response.status, sql).toBe(200);
  return response.bytes();
}

/** As DuckDB types them, and reads them as text. */
async function readNatively(bytes: Uint8Array, what: string): Promise<unknown> {
  const [row] = await native.query(`SELECT ${what} AS v FROM '${native.put(bytes)}'`);
  return row?.["v"];
}

describe("a cell", () => {
  test.each<[expression: string, type: string, text: string | null]>([
    ["1.25::DECIMAL(9,2)", "DOUBLE", "1.25"],
    ["7::HUGEINT", "BIGINT", "7"],
    ["-129::SMALLINT", "BIGINT", "-129"],
    ["200::UTINYINT", "BIGINT", "200"],
    ["4294967295::UINTEGER", "BIGINT", "4294967295"],
    ["9223372036854775807::UBIGINT", "BIGINT", "9223372036854775807"],
    ["'-9223372036854775808'::BIGINT", "BIGINT", "-9223372036854775808"],
    ["sum(1)", "BIGINT", "1"],
    ["'NaN'::DOUBLE", "DOUBLE", "nan"],
    ["'-inf'::DOUBLE", "DOUBLE", "-inf"],
    ["0.5::FLOAT", "DOUBLE", "0.5"],
    ["true", "BOOLEAN", "true"],
    ["'ü'", "VARCHAR", "ü"],
    ["''", "VARCHAR", ""],
    ["'null'", "VARCHAR", "null"],
    ["NULL", "BIGINT", null],
    ["NULL::DOUBLE", "DOUBLE", null],
    ["NULL::INTEGER[]", "VARCHAR", null],
    ["INTERVAL '1 day'", "VARCHAR", "1 day"],
    ["TIME '01:02:03.5'", "VARCHAR", "01:02:03.5"],
    ["'ab'::BLOB", "VARCHAR", "YWI="],
    ["DATE '1969-12-31'", "TIMESTAMP WITH TIME ZONE", "1969-12-31 00:00:00+00"],
    ["DATE 'infinity'", "TIMESTAMP WITH TIME ZONE", "infinity"],
    [
      "TIMESTAMP '2026-01-01 00:00:00.123456'",
      "TIMESTAMP WITH TIME ZONE",
      "2026-01-01 00:00:00.123456+00",
    ],
    ["'1969-12-31 23:59:59'::TIMESTAMP_S", "TIMESTAMP WITH TIME ZONE", "1969-12-31 23:59:59+00"],
    [
      "'2026-01-01 00:00:00.5'::TIMESTAMP_MS",
      "TIMESTAMP WITH TIME ZONE",
      "2026-01-01 00:00:00.5+00",
    ],
    [
      "'1969-12-31 23:59:59.999999'::TIMESTAMP_NS",
      "TIMESTAMP WITH TIME ZONE",
      "1969-12-31 23:59:59.999999+00",
    ],
    ["'-infinity'::TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "-infinity"],
    ["TIMESTAMPTZ '2026-01-01 00:00:00+00'", "TIMESTAMP WITH TIME ZONE", "2026-01-01 00:00:00+00"],
    ["[1, NULL]", "VARCHAR", "[1,null]"],
    ["{'a': 'x', 'b': [1.5]}", "VARCHAR", '{"a":"x","b":[1.5]}'],
    ["map(['k'], [1])", "VARCHAR", '{"k":1}'],
  ])("%s", async (expression, type, text) => {
    const bytes = await file(`SELECT ${expression} AS v`);
    expect(await readNatively(bytes, "typeof(v)")).toBe(type);
    expect(await readNatively(bytes, "v::VARCHAR")).toBe(text);
  });

  test("beyond int64 is refused and named", async () => {
    for (const value of ["9223372036854775808::UBIGINT", "9223372036854775808::HUGEINT"]) {
      const response = await ask(`SELECT ${value} AS big`);
      expect(response.status, value).toBe(422);
      expect(await response.json()).toMatchObject({ detail: { column: "big" } });
    }
    expect((await ask("SELECT '290000-01-01'::DATE + 10000000 AS far")).status).toBe(422);
  });
});

describe("an answer", () => {
  test("is announced as a file", async () => {
    const { headers } = await ask("SELECT 1 AS a");
    expect(headers.get("content-type")).toBe("application/vnd.apache.parquet");
    expect(headers.get("content-disposition")).toBe('attachment; filename="result.parquet"');
  });

  test("without rows, or without columns, is a file all the same", async () => {
    const empty = await file("SELECT 1 AS a, 'x' AS b WHERE false");
    expect(await native.query(`DESCRIBE SELECT * FROM '${native.put(empty)}'`)).toMatchObject([
      { column_name: "a", column_type: "BIGINT" },
      { column_name: "b", column_type: "VARCHAR" },
    ]);
    expect(await readNatively(empty, "count(*)")).toBe(0n);
    const { schema, num_rows: rowCount } = parquetMetadata(await file("SELECT * FROM nothing"));
    expect([schema.length, rowCount]).toEqual([1, 0n]);
  });

  test("has every column, also those of one name", async () => {
    const content = await readWithHyparquet(await file("SELECT 1 AS a, 2 AS a, NULL AS b"));
    expect([...content]).toEqual([
      ["a", [1n]],
      ["a_1", [2n]],
      ["b", [null]],
    ]);
  });

  test("of many rows is written in row groups, in the order of the query", async () => {
    const rowCount = 2 * LIMITS.rowGroupRows + 1;
    const bytes = await file(
      `SELECT ${rowCount} - i AS i, CASE WHEN i % 3 > 0 THEN 'x' || i % 7 END AS t
      FROM range(${rowCount}) r(i)`,
    );
    const groups = parquetMetadata(bytes).row_groups.map(({ num_rows: rows }) => Number(rows));
    expect(groups).toEqual([LIMITS.rowGroupRows, LIMITS.rowGroupRows, 1]);
    const content = await readWithHyparquet(bytes);
    const numbers = content.get("i")!;
    expect(numbers.findIndex((value, row) => value !== BigInt(rowCount - row))).toBe(-1);
    const texts = content.get("t")!;
    const wrong = texts.findIndex((value, row) => value !== (row % 3 > 0 ? `x${row % 7}` : null));
    expect(wrong).toBe(-1);
  });

  test("of long texts ends its row groups sooner", async () => {
    const bytes = await file("SELECT repeat('x', 1000) || i AS t FROM range(20000) r(i)");
    const { row_groups: groups } = parquetMetadata(bytes);
    expect(groups.length).toBeGreaterThan(1);
    expect(await readNatively(bytes, "count(DISTINCT t)")).toBe(20_000n);
  });

  test("that fails in the middle, or has too many rows, is no file", async () => {
    const sql = "SELECT md5(i::VARCHAR) AS t FROM range(300000) r(i)";
    world.failAfterParts = 110;
    const response = await ask(sql);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("in the middle");
    world.failAfterParts = null;
    const many = await ask("SELECT i FROM range(1000001) r(i)");
    expect(many.status).toBe(422);
    expect(await many.json()).toMatchObject({ code: "query_too_large" });
  });
});
