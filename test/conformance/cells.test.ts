// The comparison itself: a suite that takes everything for equal would be worth nothing.

import { DuckDBDecimalValue, DuckDBTimestampValue, type DuckDBValue } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { type Cell, firstDifference, nativeCell, parseExactly } from "./cells.ts";

/** `sluice`: rows as JSON text. */
function differs(sluice: string, native: DuckDBValue[][], isOrdered = false): boolean {
  const rows = parseExactly(sluice) as Cell[][];
  return (
    firstDifference(
      rows,
      native.map((row) => row.map(nativeCell)),
      isOrdered,
    ) !== null
  );
}

describe("cells", () => {
  test("that are integers agree digit by digit, beyond what doubles hold", () => {
    expect(differs("[[9223372036854775807]]", [[9_223_372_036_854_775_807n]])).toBe(false);
    expect(differs("[[9223372036854775806]]", [[9_223_372_036_854_775_807n]])).toBe(true);
    expect(differs('[["7"]]', [[7n]])).toBe(true);
  });

  test("that are decimals agree in all their digits, doubles nearly", () => {
    expect(differs("[[1.50]]", [[new DuckDBDecimalValue(150n, 5, 2)]])).toBe(false);
    expect(differs("[[1.5]]", [[new DuckDBDecimalValue(150n, 5, 2)]])).toBe(true);
    expect(differs("[[0.3]]", [[0.1 + 0.2]])).toBe(false);
    expect(differs("[[0.300000001]]", [[0.3]])).toBe(true);
    expect(differs("[[null]]", [[Number.NaN]])).toBe(false);
    expect(differs("[[0]]", [[null]])).toBe(true);
  });

  test("that are times agree to the microsecond", () => {
    const time = new DuckDBTimestampValue(-1n);
    expect(differs('[["1969-12-31T23:59:59.999999Z"]]', [[time]])).toBe(false);
    expect(differs('[["1969-12-31T23:59:59.999Z"]]', [[time]])).toBe(true);
  });
});

describe("rows", () => {
  test("agree in any order, or in theirs where it counts", () => {
    expect(differs("[[2],[1]]", [[1n], [2n]])).toBe(false);
    expect(differs("[[2],[1]]", [[1n], [2n]], true)).toBe(true);
  });

  test("are counted", () => {
    expect(differs("[[1]]", [[1n], [1n]])).toBe(true);
    expect(differs("[]", [])).toBe(false);
  });
});
