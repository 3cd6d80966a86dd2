// Every file is read back by three engines with the content that was written, value by value.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

let native: NativeDuckDb;
let wasm: WasmReader;
beforeAll(async () => {
  native = await NativeDuckDb.open();
  wasm = await WasmReader.open();
});
afterAll(() => native.close());

async function expectReadBack(table: ColumnTable): Promise<void> {
  const { bytes } = writeParquet(table, 0, table.rowCount, { keyValues: {} });
  const written: Content = tableValues(table);
  expectEqual(await native.read(native.put(bytes)), written);
  expectEqual(await readWithHyparquet(bytes), written);
  expectEqual(wasm.read(bytes), written);
}

/** Column by column with Object.is, as `toEqual` takes long for 100,000 rows. */
function expectEqual(read: Content, written: Content): void {
  expect([...read.keys()]).toEqual([...written.keys()]);
  for (const [name, values] of written) {
    const found = read.get(name)!;
    expect(found.length).toBe(values.length);
    const row = values.findIndex((value, i) => !Object.is(value, found[i]));
    if (row >= 0)
      expect({ name, row, value: found[row] }).toEqual({ name, row, value: values[row] });
  }
}

describe("three engines read what was written", () => {
  test("of random tables", async () => {
    await fc.assert(
      fc.asyncProperty(randomTables(40), async (columns) => {
        await expectReadBack(sortByTime(tableOf(columns)));
      }),
      propertyRuns(100),
    );
  });

  test("across the borders of pages and row groups", async () => {
    const rowCount = LIMITS.rowGroupRows + 2 * LIMITS.dataPageRows + 1;
    await fc.assert(
      fc.asyncProperty(randomTables(30), async (columns) => {
        await expectReadBack(tableOf(tiled(columns, rowCount)));
      }),
      propertyRuns(2),
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
