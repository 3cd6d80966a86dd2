// What our writer made, read back by our own reader; three other readers: read-back.test.ts.

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { readRowGroup } from "#lib/parquet/read-file.ts";
import { readFooter } from "#lib/parquet/read-footer.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { NativeDuckDb, readWithHyparquet } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableValues, type Value } from "../../helpers/random-batch.ts";
import { type ColumnContent, randomTables, tableOf } from "../../helpers/random-table.ts";
import { refusalOf } from "../../helpers/refusal.ts";

vi.setConfig({ testTimeout: 300_000 });

let native: NativeDuckDb;
beforeAll(async () => {
  native = await NativeDuckDb.open();
});
afterAll(() => native.close());

function bytesOf(table: ColumnTable): Uint8Array {
  return writeParquet(table, 0, table.rowCount, { keyValues: { "sluice.segment_id": "s" } }).bytes;
}

/** All row groups' values, one behind the other. */
function read(bytes: Uint8Array, footerByteLength = footerLength(bytes)): Map<string, Value[]> {
  const layout = readFooter(bytes.subarray(-footerByteLength), bytes.length);
  const content = new Map<string, Value[]>(layout.columns.map(({ name }) => [name, []]));
  for (const rowGroup of layout.rowGroups) {
    const { offset, byteLength } = rowGroup;
    const table = readRowGroup(layout, rowGroup, bytes.subarray(offset, offset + byteLength));
    for (const [name, values] of tableValues(table)) {
      const all = content.get(name)!;
      for (const value of values) all.push(value);
    }
  }
  return content;
}

function footerLength(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true) + 8;
}

function repeated(columns: readonly ColumnContent[], rowCount: number): ColumnContent[] {
  return columns.map(({ values, ...column }) => ({
    ...column,
    values: Array.from({ length: rowCount }, (_, row) =>
      column.name === "time" ? BigInt(row) * 1000n : values[row % values.length]!,
    ),
  }));
}

describe("a file of ours comes back as it was written", () => {
  test("of random tables", () => {
    fc.assert(
      fc.property(randomTables(60), (columns) => {
        const table = sortByTime(tableOf(columns));
        expect(read(bytesOf(table))).toEqual(tableValues(table));
      }),
      propertyRuns(300),
    );
  });

  test("across the borders of pages and row groups", () => {
    const rowCount = LIMITS.rowGroupRows + 2 * LIMITS.dataPageRows + 1;
    fc.assert(
      fc.property(randomTables(40), (columns) => {
        const table = tableOf(repeated(columns, rowCount));
        expect(read(bytesOf(table))).toEqual(tableValues(table));
      }),
      { ...propertyRuns(5), numRuns: 5 },
    );
  });

  test("integers of every width and at the ends of their range", () => {
    const steps = Array.from({ length: 63 }, (_, bits) => (bits % 2 ? -1n : 1n) << BigInt(bits));
    const wide = steps.flatMap((step) =>
      Array.from({ length: 40 }, (_, i) => step * BigInt(i % 2)),
    );
    const ends = wide.map((_, i) => (i % 2 ? 2n ** 63n - 1n : -(2n ** 63n)));
    const table = tableOf([
      { name: "time", type: "timestamp", values: wide.map((_, row) => BigInt(row)) },
      { name: "wide", type: "int64", values: wide },
      { name: "ends", type: "int64", values: ends },
    ]);
    expect(read(bytesOf(table))).toEqual(tableValues(table));
  });

  test("as DuckDB and hyparquet read it", async () => {
    await fc.assert(
      fc.asyncProperty(randomTables(40), async (columns) => {
        const bytes = bytesOf(sortByTime(tableOf(columns)));
        const own = read(bytes);
        expect(own).toEqual(await native.read(native.put(bytes)));
        expect(own).toEqual(await readWithHyparquet(bytes));
      }),
      propertyRuns(60),
    );
  });
});

describe("damage is refused or changes no row", () => {
  const rows = Array.from({ length: 300 }, (_, row) => row);
  const table = tableOf([
    { name: "time", type: "timestamp", values: rows.map((row) => BigInt(row) * 7n) },
    { name: "host", type: "utf8", values: rows.map((row) => (row % 9 ? `h${row % 5}` : null)) },
    { name: "trace", type: "utf8", values: rows.map((row) => `t${row * 31}`), heap: "repetitive" },
    { name: "n", type: "int64", values: rows.map((row) => (row % 7 ? BigInt(row) : null)) },
    { name: "far", type: "int64", values: rows.map((row) => BigInt.asIntN(64, 3n ** BigInt(row))) },
    { name: "v", type: "float64", values: rows.map((row) => row / 3) },
    { name: "ok", type: "bool", values: rows.map((row) => row % 2 === 0) },
  ]);
  const whole = bytesOf(table);
  const written = tableValues(table);

  /** True: the rows as they were, or none at all. */
  function isSafe(bytes: Uint8Array): boolean {
    try {
      return isDeepStrictEqual(read(bytes, footerLength(whole)), written);
    } catch (error) {
      if (isSluiceError(error) && error.code === "file_corrupt") return true;
      throw error;
    }
  }

  test("of any byte", () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(change, ([at, bits]) => {
        const damaged = whole.slice();
        damaged[at]! ^= bits;
        expect(isSafe(damaged), `byte ${at}`).toBe(true);
      }),
      propertyRuns(1_500),
    );
  });

  test("of any byte of a footer", () => {
    for (let at = whole.length - footerLength(whole); at < whole.length; at++) {
      const damaged = whole.slice();
      damaged[at]! ^= 1 << (at % 8);
      expect(isSafe(damaged), `byte ${at}`).toBe(true);
    }
  });

  test("by a missing end", () => {
    for (let length = 1; length < whole.length; length += 13) {
      expect(refusalOf(() => read(whole.slice(0, length), footerLength(whole))).code).toBe(
        "file_corrupt",
      );
    }
  });

  test("and is told with its place", () => {
    const layout = readFooter(whole.subarray(-footerLength(whole)), whole.length);
    const [rowGroup] = layout.rowGroups;
    const bytes = whole.slice(rowGroup!.offset, rowGroup!.offset + rowGroup!.byteLength);
    bytes[rowGroup!.chunks[0]!.byteLength + rowGroup!.chunks[1]!.byteLength - 1]! ^= 1;
    const { code, message, detail } = refusalOf(() => readRowGroup(layout, rowGroup!, bytes));
    expect([code, detail]).toEqual(["file_corrupt", { row: 0, column: "host" }]);
    expect(message).toContain("checksum");
  });
});

test("a file that another made is refused", () => {
  const bytes = new Uint8Array(Buffer.from("PAR1 and something else PAR1"));
  expect(refusalOf(() => readFooter(bytes, bytes.length)).code).toBe("file_corrupt");
});
