import { describe, expect, test } from "vitest";
import { toTimeUs } from "../../../clients/client/cells.ts";
import { gatherColumns } from "../../../clients/client/gather-columns.ts";
import { checkRows, GatheredRows } from "../../../clients/client/gather-rows.ts";
import type { Row } from "../../../clients/client/gather-rows.ts";

function gathered(rows: readonly Row[], floatColumns = new Set<string>()) {
  const batch = new GatheredRows();
  for (const row of checkRows("m", rows)) batch.add(row);
  return batch.columns(floatColumns);
}

describe("rows become columns", () => {
  test("in which what a row lacks is null", () => {
    const { time, ...columns } = gathered([{ a: 1 }, { b: "x" }, {}, { a: null, b: undefined }]);
    expect(columns).toEqual({ a: [1, null, null, null], b: [null, "x", null, null] });
    expect(time).toHaveLength(4);
  });

  test("of one type each: whole and broken numbers are floats, other mixtures text", () => {
    const date = new Date("2026-01-01T00:00:00Z");
    const columns = gathered([
      { numbers: 1, wide: 1, mixed: 1, flags: true, dates: date, odd: true, json: { a: [1] } },
      {
        numbers: 2.5,
        wide: 2n ** 60n,
        mixed: "x",
        flags: false,
        dates: date,
        odd: date,
        json: [2],
      },
    ]);
    expect(columns).toMatchObject({
      numbers: { floats: [1, 2.5] },
      wide: [1, 2n ** 60n],
      mixed: ["1", "x"],
      flags: [true, false],
      dates: [date, date],
      odd: ["true", "2026-01-01T00:00:00.000Z"],
      json: ['{"a":[1]}', "[2]"],
    });
  });

  test("that stay floats in later batches that have whole numbers only", () => {
    const floats = new Set<string>();
    gathered([{ amount: 0.5, count: 1 }], floats);
    expect(gathered([{ amount: 20, count: 2 }], floats)).toMatchObject({
      amount: { floats: [20] },
      count: [2],
    });
  });

  test("of at most as many names as the server takes", () => {
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`c${at}`, 1]));
    const batch = new GatheredRows();
    const [row, same, other] = checkRows("m", [wide, wide, { ...wide, d: 1, e: 2 }]);
    batch.add(row!);
    expect(batch.hasPlaceFor(same!)).toBe(true);
    expect(batch.hasPlaceFor(other!)).toBe(true);
    const [wider] = checkRows("m", [
      Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at}`, 1])),
    ]);
    expect(batch.hasPlaceFor(wider!)).toBe(false);
  });

  test("without names that differ only in case", () => {
    const batch = new GatheredRows();
    const [first, twin] = checkRows("m", [{ host: "a" }, { Host: "b" }]);
    expect(batch.hasPlaceFor(first!)).toBe(true);
    batch.add(first!);
    expect(batch.hasPlaceFor(first!)).toBe(true);
    expect(batch.hasPlaceFor(twin!)).toBe(false);
  });

  test.each([
    ["a function", { v: () => 1 }],
    ["a bigint of more than 64 bits", { v: 2n ** 63n }],
    ["a date that is none", { v: new Date(Number.NaN) }],
    ["an object that is no JSON", { v: { n: 1n } }],
  ])("but not with %s, whose row and column are named", (_, row) => {
    expect(() => checkRows("m", [{ v: 1 }, row])).toThrow(
      expect.objectContaining({
        code: "rows_invalid",
        detail: { measurement: "m", row: 1, column: "v" },
      }),
    );
  });
});

test.each(["", "a\nb", "n".repeat(129)])("no row has a column %j", (name) => {
  expect(() => checkRows("m", [{ [name]: 1 }])).toThrow(/no column can be called so/);
});

describe("times are microseconds", () => {
  test.each([
    [1_767_225_600_000, 1_767_225_600_000_000],
    [1_767_225_600_000.25, 1_767_225_600_000_250],
    [new Date("2026-01-01T00:00:00.001Z"), 1_767_225_600_001_000],
    [1_767_225_600_000_123n, 1_767_225_600_000_123],
    ["2026-01-01T00:00:00.000123Z", 1_767_225_600_000_123],
    ["2026-01-01T02:00:00+02:00", 1_767_225_600_000_000],
    ["2026-01-01", 1_767_225_600_000_000],
    ["1969-12-31T23:59:59.999999Z", -1],
    ["9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999n],
    [undefined, 7],
  ])("%s is %s", (given, us) => {
    expect(toTimeUs(given, 7)).toBe(us);
  });

  // A number of nanoseconds is beyond the year 9999.
  const nanoseconds = 1_767_225_600_000_000_000;
  test.each([
    "2026-01-01T00:00:00",
    "soon",
    Number.NaN,
    true,
    {},
    nanoseconds,
    BigInt(nanoseconds),
    -62_135_596_800_001,
  ])("%s is none", (given) => {
    expect(() => toTimeUs(given, 7)).toThrow(/is not a time/);
  });
});

describe("columns of a caller", () => {
  test("are copied, floats stay floats, and a time is given to those without", () => {
    const v = Float64Array.of(1, 2);
    const { columns, rowCount } = gatherColumns("m", { v, i: Uint8Array.of(1, 2) }, new Set());
    v[0] = 9;
    expect(rowCount).toBe(2);
    expect(columns).toMatchObject({ v: Float64Array.of(1, 2), i: [1, 2] });
    expect(columns["time"]).toHaveLength(2);
  });

  test("must be of equal length", () => {
    expect(() => gatherColumns("m", { a: [1, 2], b: [1] }, new Set())).toThrow(
      expect.objectContaining({ code: "rows_invalid", detail: { measurement: "m", column: "b" } }),
    );
  });
});
