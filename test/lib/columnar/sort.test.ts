import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sortByTime } from "#lib/columnar/sort.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableValues } from "../../helpers/random-batch.ts";
import { randomTables, tableOf } from "../../helpers/random-table.ts";

function sortedRows(times: readonly bigint[]): (readonly [bigint, number])[] {
  const table = tableOf([
    { name: "time", type: "timestamp", values: times },
    { name: "row", type: "float64", values: times.map((_, row) => row) },
  ]);
  const sorted = tableValues(sortByTime(table));
  const rows = sorted.get("row") as number[];
  return (sorted.get("time") as bigint[]).map((time, i) => [time, rows[i]!]);
}

function expectedRows(times: readonly bigint[]): (readonly [bigint, number])[] {
  const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  return times.map((time, row) => [time, row] as const).sort((a, b) => compare(a[0], b[0]));
}

describe("rows sorted by time", () => {
  test("are those of a stable sort, over the whole range of int64", () => {
    const anyTime = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: -3n, max: 3n }),
      fc.bigInt({ min: 2n ** 32n - 2n, max: 2n ** 32n + 2n }),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 53n + 4n }),
    );
    fc.assert(
      fc.property(fc.array(anyTime, { minLength: 1, maxLength: 60 }), (times) => {
        expect(sortedRows(times)).toEqual(expectedRows(times));
      }),
      propertyRuns(300),
    );
  });

  test("may be any distance from each other", () => {
    const distances = fc.integer({ min: 0, max: 63 }).chain((bits) =>
      fc.array(fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }), {
        minLength: 2,
        maxLength: 60,
      }),
    );
    fc.assert(
      fc.property(distances, (times) => {
        const moved = times.map((time) => time - 2n ** 62n);
        expect(sortedRows(moved)).toEqual(expectedRows(moved));
      }),
      propertyRuns(300),
    );
  });

  test("keep the cells of all their columns", () => {
    fc.assert(
      fc.property(randomTables(40), (columns) => {
        const table = tableOf(columns);
        const times = columns[0]!.values as bigint[];
        const order = expectedRows(times).map(([, row]) => row);
        const sorted = tableValues(sortByTime(table));
        for (const { name, values } of columns) {
          expect(sorted.get(name)).toEqual(order.map((row) => values[row]));
        }
      }),
      propertyRuns(200),
    );
  });

  test("in order already are the very table that came in", () => {
    const table = tableOf([{ name: "time", type: "timestamp", values: [-1n, 0n, 0n, 2n ** 32n] }]);
    expect(sortByTime(table)).toBe(table);
  });

  test("share their texts with the table that came in", () => {
    const table = tableOf([
      { name: "time", type: "timestamp", values: [2n, 1n] },
      { name: "text", type: "utf8", values: ["a", "b"] },
    ]);
    const [before, after] = [table, sortByTime(table)].map(({ columns }) => columns[1]!);
    expect(before!.type === "utf8" && after!.type === "utf8" && before.heap === after.heap).toBe(
      true,
    );
  });

  test("need a time that is never NULL", () => {
    const table = (name: string, value: bigint | null) =>
      tableOf([{ name, type: "timestamp", values: [value] }]);
    expect(() => sortByTime(table("when", 1n))).toThrow("has a time column");
    expect(() => sortByTime(table("time", null))).toThrow("no time is NULL");
  });
});
