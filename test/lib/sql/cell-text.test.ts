// Every type that a result can have, as JSON text: the engine's own answers, encoded.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { openTestEngine } from "../../helpers/duckdb-wasm.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

async function cells(expression: string): Promise<string[]> {
  const reader = new ArrowStreamReader();
  const texts: string[] = [];
  const sql = `SELECT ${expression} AS v`;
  for await (const part of engine.run(sql, new Map(), new AbortController().signal)) {
    for (const { rowCount, columns } of reader.read(part)) {
      const text = cellText(columns[0]!);
      for (let row = 0; row < rowCount; row++) texts.push(text(row));
    }
  }
  return texts;
}

const EXPECTED: [string, string][] = [
  ["NULL", "null"],
  ["true", "true"],
  ["9223372036854775807::BIGINT", "9223372036854775807"],
  ["-9007199254740993", "-9007199254740993"],
  ["18446744073709551615::UBIGINT", "18446744073709551615"],
  ["-7::TINYINT", "-7"],
  ["300::USMALLINT", "300"],
  ["170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"],
  ["-5::HUGEINT", "-5"],
  ["-1.005::DECIMAL(38, 3)", "-1.005"],
  ["0.5::DECIMAL(4, 2)", "0.50"],
  ["1e300::DOUBLE", "1e+300"],
  ["0.1::FLOAT", "0.1"],
  ["'nan'::DOUBLE", "null"],
  ["'-inf'::FLOAT", "null"],
  [`'"é😀\n'`, '"\\"é😀\\n"'],
  ["TIMESTAMP '2026-01-01'", '"2026-01-01T00:00:00Z"'],
  ["TIMESTAMP '2026-01-01 01:02:03.450'", '"2026-01-01T01:02:03.45Z"'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", '"1969-12-31T23:59:59.999999Z"'],
  ["TIMESTAMP '0001-02-28 00:00:01'", '"0001-02-28T00:00:01Z"'],
  ["TIMESTAMP '9999-12-31 00:00:00'", '"9999-12-31T00:00:00Z"'],
  ["TIMESTAMP_S '2024-02-29 12:00:00'", '"2024-02-29T12:00:00Z"'],
  ["TIMESTAMP_MS '2024-02-29 12:00:00.5'", '"2024-02-29T12:00:00.5Z"'],
  ["TIMESTAMP_NS '2024-02-29 12:00:00.123456'", '"2024-02-29T12:00:00.123456Z"'],
  ["TIMESTAMPTZ '2026-01-01 00:00:01.5+02'", '"2025-12-31T22:00:01.5Z"'],
  ["DATE '2026-03-01'", '"2026-03-01T00:00:00Z"'],
  ["'infinity'::TIMESTAMP", '"infinity"'],
  ["'infinity'::DATE", '"infinity"'],
  ["'-infinity'::DATE", '"-infinity"'],
  ["TIME '10:00:00.5'", '"10:00:00.5"'],
  ["INTERVAL '1 year 2 months 3 days 4 hours'", '"1 year 2 months 3 days 04:00:00"'],
  ["INTERVAL '-90 seconds'", '"-00:01:30"'],
  ["'\\xAA\\x00'::BLOB", '"qgA="'],
  ["[1, NULL, 3]", "[1,null,3]"],
  ["[[1], []]", "[[1],[]]"],
  ["{'a': 1, 'b': ['x']}", '{"a":1,"b":["x"]}'],
  ["MAP(['k', 'l'], [1, NULL])", '{"k":1,"l":null}'],
  ["MAP([1], ['v'])", '{"1":"v"}'],
  ["UUID '7ea3dd1c-0217-4d79-b5e2-c1c7c00b22c5'", '"7ea3dd1c-0217-4d79-b5e2-c1c7c00b22c5"'],
  [`'{"a":1}'::JSON`, '"{\\"a\\":1}"'],
  ["UNION_VALUE(k := 1)", "1"],
];

describe("a cell as JSON text", () => {
  test.each(EXPECTED)("%s is %s", async (expression, expected) => {
    expect(await cells(expression)).toEqual([expected]);
  });

  test("an ENUM is refused, naming the column", async () => {
    await expect(cells("'b'::ENUM('a', 'b')")).rejects.toThrow('column "v" is an ENUM');
  });

  test("NULLs stand where they are, in each type", async () => {
    expect(await cells("unnest([1, NULL, 3])")).toEqual(["1", "null", "3"]);
    expect(await cells("unnest(['a', NULL, ''])")).toEqual(['"a"', "null", '""']);
    expect(await cells("unnest([true, NULL, false])")).toEqual(["true", "null", "false"]);
  });

  test("days of 400 years are those that the engine counts", async () => {
    const dates = await cells(
      "unnest(range(DATE '1599-12-25', DATE '2000-03-05', INTERVAL 1 DAY))",
    );
    const expected: string[] = [];
    for (let ms = Date.UTC(1599, 11, 25); ms < Date.UTC(2000, 2, 5); ms += 86_400_000) {
      expected.push(`"${new Date(ms).toISOString().replace(".000", "")}"`);
    }
    expect(dates).toEqual(expected);
  });
});
