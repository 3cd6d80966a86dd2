// Files of a snapshot: left out by statistics, small enough to be sent, refused when too many.

import { serialize } from "node:v8";
import { beforeEach, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { ANY_ROW, type RowPredicate } from "#lib/catalog/row-predicate.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "../../helpers/memory-world.ts";

let catalog: CatalogCore;
beforeEach(() => {
  const clock = new ManualClock(0);
  catalog = new CatalogCore({ store: new MemorySqlStore(), clock, lake: new MemoryLake(clock) });
  const columns = [{ name: "v", kind: KIND.int, firstRow: 0 }];
  catalog.extendSchema(1, "cpu", columns as never);
});

function file(at: number, columns: readonly ColumnStatistics[]): DataFile {
  return {
    key: `db/1/t1/2026-01-01/0.${at}.1-${"ab".repeat(8)}.parquet`,
    tableId: 1,
    day: "2026-01-01",
    rowCount: 10,
    byteLength: 100,
    footerByteLength: 40,
    timeMinMs: at,
    timeMaxMs: at,
    sha256: "ab".repeat(32),
    columns,
  };
}

function v(at: number): ColumnStatistics {
  return { name: "v", type: "int64", nullCount: 0, min: String(at), max: String(at) };
}

function snapshot(where: RowPredicate, references = 1) {
  const wanted = { measurement: "cpu", time: { minMs: null, maxMs: null }, where };
  const tables = Array.from({ length: references }, () => wanted);
  return catalog.snapshot({ tables, tailSegmentIds: [] });
}

const number = (value: number) => ({
  number: value,
  isExact: true,
  text: null,
  bool: null,
  time: null,
});

test("files that cannot have a wanted row are not listed, and counted apart", () => {
  const files = [file(0, [v(3)]), file(1, [v(7)]), file(2, [])];
  catalog.commit(1, { segmentId: "0.1.1", files });
  const { tables } = snapshot({ op: ">", column: "v", value: number(3) });
  expect(tables[0]).toMatchObject({ fileCount: 3, timelyFileCount: 3 });
  expect(tables[0]!.files.map(({ timeMinMs }) => timeMinMs)).toEqual([1]);
  const missing = snapshot({ op: "null", column: "v" }).tables[0]!;
  expect(missing.files.map(({ timeMinMs }) => timeMinMs)).toEqual([2]);
  expect(snapshot({ op: ">", column: "w", value: number(3) }).tables[0]!.files).toHaveLength(3);
});

test("as many files as a query may read are sent well within a call, however often they are read", () => {
  const files = Array.from({ length: LIMITS.filesPerQueryMax }, (_, at) => file(at, [v(at)]));
  catalog.commit(1, { segmentId: "0.1.1", files });
  const full = snapshot(ANY_ROW, 20);
  expect(full.hasTooManyFiles).toBe(false);
  expect(full.tables[19]!.files).toHaveLength(LIMITS.filesPerQueryMax);
  expect(serialize(full).byteLength).toBeLessThan(LIMITS.rpcValueBytesMax / 4);
  catalog.commit(1, { segmentId: "0.2.1", files: [{ ...file(0, [v(0)]), key: "one more" }] });
  const over = snapshot(ANY_ROW);
  expect(over.hasTooManyFiles).toBe(true);
  expect(over.tables[0]!.files).toEqual([]);
  expect(snapshot({ op: "<", column: "v", value: number(5) }).tables[0]!.files).toHaveLength(6);
});
