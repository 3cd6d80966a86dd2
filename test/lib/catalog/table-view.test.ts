import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "../../helpers/memory-world.ts";

let catalog: CatalogCore;
let fileCount: number;

beforeEach(() => {
  const clock = new ManualClock();
  catalog = new CatalogCore({ store: new MemorySqlStore(), clock, lake: new MemoryLake(clock) });
  fileCount = 0;
});

function extend(name: string, ...kinds: (keyof typeof KIND)[]): void {
  const mask = kinds.reduce((sum, kind) => sum | KIND[kind], 0);
  const column = { name, kinds: mask, firstRows: {}, nullCount: 0 };
  const schema = catalog.extendSchema(1, "cpu", [column]);
  if (isRefusal(schema)) throw new Error(schema.message);
}

/** Ten rows, over 10 ms of its own. */
function add(...columns: ColumnStatistics[]): void {
  const n = fileCount++;
  const file = {
    key: `k${n}`,
    tableId: 1,
    day: "2026-01-01",
    rowCount: 10,
    byteLength: 1000,
    footerByteLength: 100,
    timeMinMs: n * 10,
    timeMaxMs: n * 10 + 9,
    sha256: "aa",
    columns,
  };
  catalog.commit(1, { segmentId: `0.1.${n + 1}`, files: [file] });
}

const view = (name: string) => {
  return catalog.viewTable("cpu")!.columns.find((column) => column.name === name)!;
};

describe("the view of a measurement", () => {
  test("adds up its files, and is none where there is no measurement", () => {
    expect(catalog.viewTable("cpu")).toBeNull();
    extend("v", "int");
    const empty = { fileCount: 0, rowCount: 0, byteLength: 0, time: null };
    expect(catalog.viewTable("cpu")).toMatchObject(empty);
    add();
    add();
    const time = { timeMinMs: 0, timeMaxMs: 19 };
    const two = { fileCount: 2, rowCount: 20, byteLength: 2000, time };
    expect(catalog.viewTable("cpu")).toMatchObject(two);
  });

  test("counts as NULL what a file does not have, and sees a column where it has values", () => {
    extend("v", "int");
    add();
    add({ name: "v", type: "int64", nullCount: 4, min: "1", max: "2" });
    add({ name: "v", type: "int64", nullCount: 10, min: null, max: null });
    const seen = { timeMinMs: 10, timeMaxMs: 19 };
    expect(view("v")).toEqual({
      name: "v",
      type: "int64",
      nullCount: 24,
      seen,
      min: "1",
      max: "2",
    });
  });

  test("compares integers as integers, also beyond what a double holds", () => {
    extend("v", "int");
    const [low, high] = ["9007199254740992", "9007199254740993"];
    for (const value of [high, low, "-5", "10"]) {
      add({ name: "v", type: "int64", nullCount: 0, min: value, max: value });
    }
    expect(view("v")).toMatchObject({ min: "-5", max: high });
  });

  test("reads integers of older files as floats when the column has widened", () => {
    extend("v", "int", "float");
    add({ name: "v", type: "int64", nullCount: 0, min: "3", max: "20" });
    add({ name: "v", type: "float64", nullCount: 0, min: 2.5, max: 10.5 });
    expect(view("v")).toMatchObject({ type: "float64", min: 2.5, max: 20 });
  });

  test("compares texts by their bytes", () => {
    extend("v", "text");
    // As UTF-16 the second would come first.
    const [first, second] = ["\uffee", "\u{1f600}"];
    for (const text of [second, first]) {
      add({ name: "v", type: "utf8", nullCount: 0, min: text, max: text });
    }
    expect(view("v")).toMatchObject({ min: first, max: second });
  });

  test("has no bounds where those of one file are not known", () => {
    extend("v", "float");
    add({ name: "v", type: "float64", nullCount: 0, min: 1, max: 2 });
    add({ name: "v", type: "float64", nullCount: 0, min: null, max: null });
    expect(view("v")).toMatchObject({ nullCount: 0, min: null, max: null });
  });
});
