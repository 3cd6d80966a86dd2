import { describe, expect, test } from "vitest";
import type { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import type { SchemaColumn } from "#lib/catalog/schema.ts";
import { KIND, type ScannedColumn, type ValueKind } from "#lib/columnar/kinds.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { refusalOf as refusalOfRun } from "../../helpers/refusal.ts";

const TIME: SchemaColumn = { name: "time", type: "timestamp", takesNumbers: false };

/** A scanned column with these kinds, the first in row 0, the second in row 1 and so on. */
function scanned(name: string, ...kinds: ValueKind[]): ScannedColumn {
  const bits = kinds.reduce((sum, kind) => sum | KIND[kind], 0);
  const firstRows = Object.fromEntries(kinds.map((kind, row) => [kind, row]));
  return { name, nullCount: 0, kinds: bits, firstRows };
}

function column(type: ColumnType | null, takesNumbers = false): SchemaColumn {
  return { name: "v", type, takesNumbers };
}

function refusalOf(current: SchemaColumn[], columns: ScannedColumn[]): SluiceError {
  return refusalOfRun(() => growSchema(current, columns));
}

describe("a new column", () => {
  test.each<[ValueKind[], SchemaColumn]>([
    [["int"], column("int64")],
    [["float"], column("float64")],
    [["int", "float"], column("float64")],
    [["text"], column("utf8")],
    [["nested"], column("utf8")],
    [["text", "nested"], column("utf8")],
    [["bool"], column("bool")],
    [["timestamp"], column("timestamp")],
    [["text", "int"], column("utf8", true)],
    [["nested", "float"], column("utf8", true)],
    [["bool", "int"], column("utf8", true)],
    [["timestamp", "int"], column("utf8", true)],
    [["bool", "timestamp"], column("utf8", true)],
    [[], column(null)],
  ])("of %j is %o", (kinds, expected) => {
    expect(growSchema([TIME], [scanned("v", ...kinds)])).toEqual([expected]);
  });

  test("comes with `time`, which every table has, first", () => {
    expect(growSchema([], [scanned("v", "int")])).toEqual([TIME, column("int64")]);
    expect(growSchema([], [scanned("v", "int"), scanned("time", "float")])).toEqual([
      TIME,
      column("int64"),
    ]);
  });
});

describe("a column that the table has", () => {
  test.each<[SchemaColumn, ValueKind[]]>([
    [column("int64"), ["int"]],
    [column("float64"), ["int", "float"]],
    [column("utf8"), ["text", "nested"]],
    [column("bool"), ["bool"]],
    [column("timestamp"), ["timestamp"]],
    [column("utf8", true), ["text", "int", "float", "bool", "timestamp", "nested"]],
    [column("bool"), []],
    [column(null), []],
  ])("%o takes %j as it is", (before, kinds) => {
    expect(growSchema([TIME, before], [scanned("v", ...kinds)])).toEqual([]);
  });

  test("widens from int64 to float64", () => {
    const columns = [scanned("v", "int", "float")];
    expect(growSchema([TIME, column("int64")], columns)).toEqual([column("float64")]);
  });

  test("that held only NULLs takes the type of the first values", () => {
    const columns = [scanned("v", "text", "int")];
    expect(growSchema([TIME, column(null)], columns)).toEqual([column("utf8", true)]);
  });

  test("named `time` takes integers, floats and timestamps", () => {
    for (const kind of ["int", "float", "timestamp"] as const) {
      expect(growSchema([TIME], [scanned("time", kind)])).toEqual([]);
    }
  });

  test.each<[ColumnType, ValueKind[], ValueKind, number]>([
    ["int64", ["int", "text"], "text", 1],
    ["int64", ["float", "bool"], "bool", 1],
    ["float64", ["int", "float", "timestamp"], "timestamp", 2],
    ["utf8", ["text", "nested", "int"], "int", 2],
    ["utf8", ["bool"], "bool", 0],
    ["utf8", ["timestamp"], "timestamp", 0],
    ["bool", ["bool", "int"], "int", 1],
    ["timestamp", ["int"], "int", 0],
    ["timestamp", ["timestamp", "nested", "int"], "nested", 1],
  ])(
    "of type %s refuses %j, naming the first foreign kind and its row",
    (type, kinds, found, row) => {
      const refused = refusalOf([TIME, column(type)], [scanned("v", ...kinds)]);
      expect(refused.code).toBe("column_type_conflict");
      expect(refused.detail).toEqual({ column: "v", row, expected: type, found });
      expect(refused.message).toBe(`column "v" is ${type} in this table, row ${row} is ${found}`);
    },
  );
});

describe("names", () => {
  test("that differ only in the case of a to z are refused, naming both", () => {
    const host: SchemaColumn = { name: "host", type: "utf8", takesNumbers: false };
    const refused = refusalOf([TIME, host], [scanned("Host", "text")]);
    expect(refused.code).toBe("column_name_invalid");
    expect(refused.detail).toEqual({ column: "Host", found: "host" });
    expect(refusalOf([], [scanned("a", "int"), scanned("A", "int")]).code).toBe(
      "column_name_invalid",
    );
    expect(refusalOf([], [scanned("Time", "int")]).detail).toEqual({
      column: "Time",
      found: "time",
    });
  });

  test("that differ in the case of other letters are two columns, as in DuckDB", () => {
    expect(growSchema([TIME], [scanned("ä", "int"), scanned("Ä", "int")])).toHaveLength(2);
  });

  test("may be as many as the limit, and no more", () => {
    const full = Array.from({ length: LIMITS.columnsPerTableMax - 2 }, (_, at): SchemaColumn => {
      return { name: `c${at}`, type: "int64", takesNumbers: false };
    });
    expect(growSchema([TIME, ...full], [scanned("v", "int")])).toHaveLength(1);
    const refused = refusalOf([TIME, ...full], [scanned("v", "int"), scanned("w", "int")]);
    expect(refused.code).toBe("schema_too_wide");
  });
});
