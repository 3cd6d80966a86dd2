// Results of every type in every format, and answers that are not whole.

import { decode } from "@msgpack/msgpack";
import { tableFromIPC } from "apache-arrow";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ResultFormat } from "#lib/sql/results/format.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { QueryWorld, resultOptions, sqlQuestion } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModules());
});
beforeEach(() => {
  world.failAfterParts = null;
});

function ask(sql: string, format: ResultFormat): Promise<Response> {
  return world.ask({ question: sqlQuestion(sql), result: resultOptions(format) });
}

async function text(sql: string, format: ResultFormat): Promise<string> {
  return (await ask(sql, format)).text();
}

async function arrow(sql: string) {
  return tableFromIPC(new Uint8Array(await (await ask(sql, "arrow")).arrayBuffer()));
}

async function msgpack(sql: string) {
  const bytes = new Uint8Array(await (await ask(sql, "msgpack")).arrayBuffer());
  return decode(bytes, { useBigInt64: true }) as { types: string[]; data: unknown[][] };
}

/** Expression, CSV, Arrow type and value, MessagePack type and value. */
const CELLS: [string, string, string, unknown, string, unknown][] = [
  ["1.25::DECIMAL(9,2)", "1.25", "Float64", 1.25, "float64", 1.25],
  ["7::HUGEINT", "7", "Int64", 7n, "int64", 7n],
  ["-129::SMALLINT", "-129", "Int16", -129, "int16", -129],
  ["200::UTINYINT", "200", "Uint8", 200, "uint8", 200],
  [
    "18446744073709551615::UBIGINT",
    "18446744073709551615",
    "Uint64",
    2n ** 64n - 1n,
    "uint64",
    2n ** 64n - 1n,
  ],
  ["'NaN'::DOUBLE", "NaN", "Float64", NaN, "float64", NaN],
  ["'-inf'::DOUBLE", "-Infinity", "Float64", -Infinity, "float64", -Infinity],
  ["0.5::FLOAT", "0.5", "Float32", 0.5, "float32", 0.5],
  ["true", "true", "Bool", true, "bool", true],
  ["''", '""', "Utf8", "", "utf8", ""],
  ["'a\"b,'", '"a""b,"', "Utf8", 'a"b,', "utf8", 'a"b,'],
  ["'null'", "null", "Utf8", "null", "utf8", "null"],
  ["NULL::VARCHAR", "", "Utf8", null, "utf8", null],
  ["INTERVAL '1 day'", "1 day", "Utf8", "1 day", "utf8", "1 day"],
  [
    "DATE '1969-12-31'",
    "1969-12-31T00:00:00Z",
    "Date32<DAY>",
    new Date(-86_400_000),
    "date32",
    new Date(-86_400_000),
  ],
  ["[1, NULL]", '"[1,null]"', "List<Int32>", [1, null], "string_encoded", "[1,null]"],
];

describe("a cell", () => {
  test.each(CELLS)("%s", async (expression, csv, arrowType, value, msgpackType, cell) => {
    const sql = `SELECT ${expression} AS v`;
    expect(await text(sql, "csv")).toBe(`v\n${csv}\n`);
    const table = await arrow(sql);
    expect(String(table.schema.fields[0]!.type)).toBe(arrowType);
    const got = table.getChild("v")!.get(0) as { toJSON?(): unknown } | null;
    const isList = Array.isArray(value);
    expect(isList ? (got as unknown as { toJSON(): unknown }).toJSON() : got).toEqual(value);
    const { types, data } = await msgpack(sql);
    expect([types, data]).toEqual([[msgpackType], [[cell]]]);
  });

  test("beyond int64 is refused where the format has nothing larger", async () => {
    const sql = "SELECT 170141183460469231731687303715884105727::HUGEINT AS h";
    expect(await text(sql, "ndjson")).toBe('{"h":170141183460469231731687303715884105727}\n');
    for (const format of ["arrow", "msgpack"] as const) {
      const response = await ask(sql, format);
      expect(response.status, format).toBe(422);
      expect(await response.json()).toMatchObject({ detail: { column: "h" } });
    }
  });
});

describe("an answer", () => {
  test("without rows or columns is one all the same", async () => {
    expect((await arrow("SELECT 1 AS a WHERE false")).numRows).toBe(0);
    expect((await arrow("SELECT * FROM nothing")).numCols).toBe(0);
    expect(await text("SELECT 1 AS a WHERE false", "csv")).toBe("a\n");
    expect(await text("SELECT * FROM nothing", "ndjson")).toBe("");
    expect((await msgpack("SELECT * FROM nothing")).data).toEqual([]);
  });

  test("in NDJSON has every column, also those of one name", async () => {
    expect(await text("SELECT 1 AS a, 2 AS a, 3 AS a", "ndjson")).toBe('{"a":1,"a_1":2,"a_2":3}\n');
  });

  test("that fails in the middle does not look whole", async () => {
    const sql = "SELECT i, repeat('x', 200) AS t FROM range(100000) r(i)";
    world.failAfterParts = 20;
    const lines = (await text(sql, "ndjson")).split("\n");
    expect(JSON.parse(lines.at(-2)!)).toMatchObject({ code: "query_failed" });
    for (const format of ["json", "csv", "arrow"] as const) {
      const response = await ask(sql, format);
      expect(response.status, format).toBe(200);
      await expect(response.arrayBuffer(), format).rejects.toThrow("in the middle");
    }
  });

  test("of more than a million rows says so, or is none", async () => {
    const sql = "SELECT i FROM range(1000001) r(i)";
    const tail = '{"truncated":true,"row_count":1000000}\n';
    expect((await text(sql, "ndjson")).endsWith(`{"i":999999}\n${tail}`)).toBe(true);
    expect(await msgpack(sql)).toMatchObject({ row_count: 1_000_000, truncated: true });
    await expect(text(sql, "csv")).rejects.toThrow("add a LIMIT");
    await expect(arrow(sql)).rejects.toThrow("add a LIMIT");
  });

  test("in MessagePack is refused beyond what is held for it", async () => {
    const response = await ask("SELECT repeat('x', 1000) AS t FROM range(20000)", "msgpack");
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "query_too_large" });
  });
});
