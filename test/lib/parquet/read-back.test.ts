// Every file is read back by three engines with the content that was written, value by value.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import {
  type Content,
  NativeDuckDb,
  readWithHyparquet,
  WasmReader,
} from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableValues } from "../../helpers/random-batch.ts";
import { type ColumnContent, randomTables, tableOf } from "../../helpers/random-table.ts";

// Engines are slow next to what else is tested here; FC_RUNS may ask for many more runs.
vi.setConfig({ testTimeout: 300_000 });

let native: NativeDuckDb;
let wasm: WasmReader;
beforeAll(async () => {
  native = await NativeDuckDb.open();
  wasm = await WasmReader.open();
});
afterAll(() => native.close());

/** Per engine the first cell that it reads otherwise than it was written. */
async function differences(table: ColumnTable): Promise<string[]> {
  const { bytes } = writeParquet(table, 0, table.rowCount, { keyValues: {} });
  const written: Content = tableValues(table);
  const read = {
    native: await native.read(native.put(bytes)),
    hyparquet: await readWithHyparquet(bytes),
    wasm: wasm.read(bytes),
  };
  return Object.entries(read).flatMap(([engine, content]) => {
    const difference = firstDifference(content, written);
    return difference === null ? [] : [`${engine}: ${difference}`];
  });
}

function firstDifference(read: Content, written: Content): string | null {
  const names = [...read.keys()].join();
  if (names !== [...written.keys()].join()) return `the columns are ${names}`;
  for (const [name, values] of written) {
    const found = read.get(name)!;
    if (found.length !== values.length) return `${name} has ${found.length} rows`;
    const row = values.findIndex((value, i) => !Object.is(value, found[i]));
    if (row >= 0) return `${name}, row ${row}: ${found[row]} and not ${values[row]}`;
  }
  return null;
}

describe("three engines read what was written", () => {
  test("of random tables", async () => {
    await fc.assert(
      fc.asyncProperty(randomTables(40), async (columns) => {
        expect(await differences(sortByTime(tableOf(columns)))).toEqual([]);
      }),
      propertyRuns(100),
    );
  });

  test("of integers at the ends of their range, first or behind one another", async () => {
    const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
    const columns = [
      [min, max, min, 0n, max],
      [2n ** 62n, 2n ** 62n + 1n, 2n ** 62n, 2n ** 62n, 2n ** 62n],
      [-(2n ** 61n), 2n ** 61n - 1n, -(2n ** 61n), 2n ** 61n - 1n, 0n],
      [min, min, min, min, min],
      [2n ** 62n - 1n, 0n, 2n ** 62n - 1n, null, 1n],
    ].map((values, i) => ({ name: `n${i}`, type: "int64" as const, values }));
    const time = { name: "time", type: "timestamp" as const, values: [1n, 2n, 3n, 4n, 5n] };
    expect(await differences(tableOf([time, ...columns]))).toEqual([]);
  });

  test("across the borders of pages and row groups", async () => {
    const rowCount = LIMITS.rowGroupRows + 2 * LIMITS.dataPageRows + 1;
    await fc.assert(
      fc.asyncProperty(randomTables(30), async (columns) => {
        expect(await differences(tableOf(tiled(columns, rowCount)))).toEqual([]);
      }),
      { ...propertyRuns(4), numRuns: 4 },
    );
  });
});

/** The values over and over again, the time growing by a millisecond. */
function tiled(columns: readonly ColumnContent[], rowCount: number): ColumnContent[] {
  return columns.map(({ values, ...column }) => ({
    ...column,
    values: Array.from({ length: rowCount }, (_, row) =>
      column.name === "time" ? BigInt(row) * 1000n : values[row % values.length]!,
    ),
  }));
}
