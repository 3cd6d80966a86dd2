import { expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { scanSql } from "#lib/sql/scan-sql.ts";

test("no scan has more files than the engine has memory for, and every file is in one", () => {
  const columns = [{ name: "time", type: "timestamp", takesNumbers: false } as const];
  const schema = { tableId: 1, measurement: "m", schemaVersion: 1, columns };
  const names = Array.from({ length: 2 * LIMITS.filesPerScanMax + 1 }, (_, i) => `f/${i}`);
  const types = new Map([["time", "timestamp"] as const]);
  const sql = scanSql(
    schema,
    names.map((name) => ({ name, types })),
    { minMs: null, maxMs: null },
  );
  const scans = sql.split(" UNION ALL ").map((scan) => scan.match(/f\/\d+/g)!);
  expect(scans.map(({ length }) => length)).toEqual([100, 100, 1]);
  expect(scans.flat()).toEqual(names);
});

test("a column in which only NULLs were seen is NULL without a type, in files and without", () => {
  const columns = [
    { name: "time", type: "timestamp", takesNumbers: false },
    { name: "v", type: null, takesNumbers: false },
  ] as const;
  const schema = { tableId: 1, measurement: "m", schemaVersion: 1, columns };
  const always = { minMs: null, maxMs: null };
  const file = { name: "f", types: new Map([["time", "timestamp"] as const]) };
  const list = 'NULL AS "v"';
  expect(scanSql(schema, [file], always)).toBe(`SELECT "time", ${list} FROM read_parquet(['f'])`);
  expect(scanSql(schema, [], always)).toContain(list);
});
