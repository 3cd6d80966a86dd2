// Rows and lists to columns: the same values, whatever the form, and nothing but refusals for what
// is no body.

import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blame } from "#lib/protocol/blame.ts";
import { gatherItems, holdsItems } from "#lib/protocol/gather-items.ts";
import { gatherLines } from "#lib/protocol/gather-lines.ts";
import type { Gathered, Rejections } from "#lib/protocol/gather.ts";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../../helpers/property.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const NOW_US = 1_772_323_200_000_000;
const NONE: Rejections = new Map();

type Columns = Record<string, unknown[]>;

function gather(value: unknown, isPartial = false, rejected = NONE): Gathered {
  const bytes = value instanceof Uint8Array ? value : encode(value);
  return gatherItems(bytes, NOW_US, { noun: "item", isPartial, rejected });
}

function tablesOf({ batches }: Gathered): Record<string, Columns> {
  const tables = batches.map(({ bytes }) => {
    const { m, columns } = decode(bytes, { useBigInt64: false }) as { m: string; columns: Columns };
    return [m, columns];
  });
  return Object.fromEntries(tables) as Record<string, Columns>;
}

describe("which bodies hold items", () => {
  test.each<[string, unknown, boolean]>([
    ["columns", { m: "a", columns: {} }, false],
    ["columns after another key", { x: [1, { f: 1 }], columns: {} }, false],
    ["a row", { m: "a", f: [] }, true],
    ["a batch", { batch: [] }, true],
    ["a list", [], true],
    ["a map of nothing", {}, false],
    ["a number", 5, false],
  ])("%s", (_, value, expected) => {
    expect(holdsItems(encode(value))).toBe(expected);
  });
});

describe("rows", () => {
  test(
    "become columns, cell by cell, whatever the order of their keys",
    () => {
      const cell = fc.oneof(
        fc.integer(),
        // The client's encoder writes −0 as the integer 0.
        fc.double({ noNaN: true }).map((value) => value + 0),
        fc.string({ unit: "grapheme" }),
        fc.boolean(),
        fc.constant(null),
      );
      const fields = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), cell);
      const row = fc.record({
        m: fc.constantFrom("x", "y"),
        t: fc.nat(1e9),
        h: fc.string(),
        fields,
      });
      const rows = fc.array(
        fc.tuple(row, fc.boolean()).map(([one, isReversed]) => {
          return isReversed ? Object.fromEntries(Object.entries(one).toReversed()) : one;
        }) as fc.Arbitrary<{ m: string; t: number; h: string; fields: Record<string, unknown> }>,
        { minLength: 1, maxLength: 30 },
      );
      fc.assert(
        fc.property(rows, (all) => {
          const tables = tablesOf(gather(all));
          for (const [measurement, columns] of Object.entries(tables)) {
            const mine = all.filter(({ m }) => m === measurement);
            expect(columns["time"]).toEqual(mine.map(({ t }) => t * 1e6));
            expect(columns["host"]).toEqual(mine.map(({ h }) => h));
            for (const name of ["a", "b", "c", "d", "e"]) {
              const expected = mine.map((one) => one.fields[name] ?? null);
              const isThere = mine.some((one) => name in one.fields);
              expect(columns[name]).toEqual(isThere ? expected : undefined);
            }
          }
          expect(Object.keys(tables).toSorted()).toEqual(
            [...new Set(all.map(({ m }) => m))].toSorted(),
          );
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test("that are left out are listed again, and the others keep their numbers", () => {
    const rows = [1, 2, 3].map((v) => ({ m: "a", f: [v] }));
    const rejected = new Map([[1, new SluiceError("column_type_conflict", "item 1: no")]]);
    const gathered = gather(rows, true, rejected);
    expect([...gathered.rejected.keys()]).toEqual([1]);
    expect([gathered.acceptedCount, gathered.batches[0]!.places]).toEqual([2, [0, 2]]);
    expect(tablesOf(gathered)["a"]!["field_0"]).toEqual([1, 3]);
  });

  test("are blamed for what the schema refuses, those with such a value and no others", () => {
    const rows = [1, "x", null, 2.5, "y"].map((v) => ({ m: "a", f: [v] }));
    const refused = new SluiceError("column_type_conflict", "row 1", {
      measurement: "a",
      column: "field_0",
      row: 1,
      expected: "int64",
      found: "text",
    });
    const blamed = blame(gather(rows).batches[0]!, refused, "item");
    expect([...blamed.keys()]).toEqual([1, 4]);
    expect(blamed.get(4)!.message).toBe(
      'item 4: column "field_0" is int64 in this table, not text',
    );
    expect(blamed.get(4)!.detail).not.toHaveProperty("row");
  });
});

describe("columns in a list", () => {
  test("keep their own unit of time, and meet rows and each other", () => {
    const list = [
      { m: "a", columns: { time: [1, 2], v: [1, 2] }, time_unit: "s" },
      { m: "a", columns: { v: [3], time: [3000] }, time_unit: "ms" },
      { m: "a", columns: { v: [4] } },
      { batch: [{ m: "a", t: 5, f: [] }] },
    ];
    expect(tablesOf(gather(list))["a"]).toEqual({
      time: [1e6, 2e6, 3e6, NOW_US, 5e6],
      v: [1, 2, 3, 4, null],
      host: [null, null, null, null, "unknown"],
    });
  });
});

describe("limits", () => {
  const wide = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, 1]));

  test("of columns: time, host and 1022 fields are taken, one more is not", () => {
    expect(gather([{ m: "a", f: wide(1022) }]).batches).toHaveLength(1);
    expect(refusalOf(() => gather([{ m: "a", f: wide(1023) }]))).toMatchObject({
      code: "batch_too_large",
      detail: { item: 0 },
    });
  });

  test("of measurements: 500 are taken, 501 are not", () => {
    const rows = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ m: `m${i}`, f: [1] }));
    expect(gather(rows(500)).batches).toHaveLength(500);
    expect(refusalOf(() => gather(rows(501))).code).toBe("batch_too_large");
  });

  test("of rejections: 1000 are listed, 1001 are refused", () => {
    const bad = (count: number) => Array.from({ length: count }, () => 5);
    expect(gather(bad(1000), true).rejected.size).toBe(1000);
    expect(refusalOf(() => gather(bad(1001), true)).code).toBe("rejections_too_many");
  });

  test("of the body: 20 MB are read, more is not", () => {
    const body = (length: number) => encode([{ m: "a", f: ["x".repeat(length)] }]);
    expect(refusalOf(() => gather(body(20_000_000))).code).toBe("body_too_large");
    const lines = new Uint8Array(20_000_001).fill(0x0a);
    const options = { noun: "line", isPartial: false, rejected: NONE } as const;
    const run = (bytes: Uint8Array) => () => gatherLines(bytes, 0n, NOW_US, options);
    expect(refusalOf(run(lines)).code).toBe("body_too_large");
    expect(refusalOf(run(lines.subarray(1))).code).toBe("body_empty");
  });
});

describe("any bytes", () => {
  const valid = encode([
    {
      m: "cpu",
      t: 1_700_000_000,
      h: "a",
      fields: { v: 1.5, s: "ü", l: [1, { k: "v" }] },
      tags: { t: 1 },
    },
    { m: "cpu", columns: { time: [1, 2], v: [1, null] } },
    { batch: [{ m: 7, f: [1, true, null] }] },
  ]);
  const damage = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 });
  const damaged = damage.map((bytes) => {
    const copy = valid.slice();
    for (const [at, byte] of bytes) copy[at] = byte;
    return copy;
  });

  test(
    "are gathered or refused, and nothing else is thrown",
    () => {
      fc.assert(
        fc.property(
          fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged),
          fc.boolean(),
          (bytes, isPartial) => {
            expect(outcomeOf(() => holdsItems(bytes))).not.toBe("thrown");
            expect(outcomeOf(() => gather(bytes, isPartial))).not.toBe("thrown");
          },
        ),
        propertyRuns(1_000),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

function outcomeOf(run: () => unknown): "gathered" | "refused" | "thrown" {
  try {
    run();
    return "gathered";
  } catch (error) {
    return isSluiceError(error) ? "refused" : "thrown";
  }
}
