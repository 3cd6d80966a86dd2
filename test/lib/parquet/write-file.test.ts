import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { ParquetWriter, writeParquet } from "#lib/parquet/write-file.ts";
import { readWithHyparquet } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableValues } from "../../helpers/random-batch.ts";
import type { ColumnContent, HeapLayout } from "../../helpers/random-table.ts";
import { randomTables, tableOf } from "../../helpers/random-table.ts";

const options = { keyValues: { "sluice.segment_id": "s" } };

function bytesOf(table: ColumnTable, from = 0, to = table.rowCount): Uint8Array {
  return writeParquet(table, from, to, options).bytes;
}

function withHeaps(columns: readonly ColumnContent[], heap: HeapLayout): ColumnTable {
  return tableOf(columns.map((column) => ({ ...column, heap })));
}

function tableOfTimes(times: readonly bigint[]): ColumnTable {
  return tableOf([{ name: "time", type: "timestamp", values: times }]);
}

describe("the same rows give the same bytes", () => {
  test("however they lie in memory", () => {
    fc.assert(
      fc.property(randomTables(60), (columns) => {
        const table = sortByTime(withHeaps(columns, "in order"));
        // The heap of texts in another order, and a validity for columns that need none.
        const other = sortByTime(withHeaps(columns, "shuffled"));
        const allValid = {
          ...other,
          columns: other.columns.map((column) =>
            column.name === "time" || column.validity !== null
              ? column
              : { ...column, validity: new Uint8Array(column.rowCount).fill(1) },
          ),
        };
        expect(bytesOf(allValid)).toEqual(bytesOf(table));
      }),
      propertyRuns(100),
    );
  });

  test("as part of a larger table or alone", () => {
    const bounds = fc.tuple(fc.nat(), fc.nat());
    fc.assert(
      fc.property(randomTables(60), bounds, (columns, [a, b]) => {
        const sorted = sortByTime(withHeaps(columns, "in order"));
        const from = a % sorted.rowCount;
        const to = from + 1 + (b % (sorted.rowCount - from));
        const values = tableValues(sorted);
        const alone = columns.map(({ name, type }) => ({
          name,
          type,
          values: values.get(name)!.slice(from, to),
        }));
        expect(bytesOf(sorted, from, to)).toEqual(bytesOf(tableOf(alone)));
      }),
      propertyRuns(100),
    );
  });

  test("many texts too, in whatever order the heap has them", () => {
    const rows = Array.from({ length: 30_000 }, (_, row) => row);
    const files = (["in order", "shuffled"] as const).map((heap) =>
      bytesOf(
        tableOf([
          { name: "time", type: "timestamp", values: rows.map(BigInt) },
          {
            name: "user",
            type: "utf8",
            values: rows.map((row) => `u${(row * 31) % 9000}`),
            heap,
          },
          { name: "trace", type: "utf8", values: rows.map((row) => `t${row * 31}`), heap },
        ]),
      ),
    );
    expect(files[0]).toEqual(files[1]);
  });
});

describe("a file", () => {
  test("knows its own size, its footer's and its rows", () => {
    const file = writeParquet(tableOfTimes([1n, 2n, 3n]), 1, 3, options);
    expect(file.byteLength).toBe(file.bytes.length);
    expect(file.rowCount).toBe(2);
    const footer = new DataView(file.bytes.buffer, file.byteLength - 8);
    expect(footer.getUint32(0, true) + 8).toBe(file.footerByteLength);
    expect(Buffer.from(file.bytes.subarray(-4)).toString()).toBe("PAR1");
  });

  test("begins a new row group after 100,000 rows", () => {
    const groupRows = (rowCount: number) => {
      const times = Array.from({ length: rowCount }, (_, row) => BigInt(row));
      const { row_groups: groups } = parquetMetadata(bytesOf(tableOfTimes(times)).slice().buffer);
      return groups.map((group) => Number(group.num_rows));
    };
    expect(groupRows(LIMITS.rowGroupRows)).toEqual([LIMITS.rowGroupRows]);
    expect(groupRows(LIMITS.rowGroupRows + 1)).toEqual([LIMITS.rowGroupRows, 1]);
  });

  test("reaches the sink row group by row group, in parts that may be kept", () => {
    const table = tableOfTimes(Array.from({ length: 30 }, (_, row) => BigInt(row)));
    const parts: Uint8Array[] = [];
    const writer = new ParquetWriter(table.columns, options, (part) => parts.push(part));
    const partCounts = [0, 10, 20].map((from) => {
      writer.writeRowGroup(table, from, from + 10);
      return parts.length;
    });
    const { byteLength } = writer.finish();
    expect(partCounts).toEqual([1, 2, 3]);
    expect(Buffer.concat(parts).length).toBe(byteLength);
  });

  test("with pages of long texts cuts them by bytes", async () => {
    const texts = Array.from({ length: 40 }, (_, row) =>
      String(row).padEnd(LIMITS.dataPageBytes / 8, "-x"),
    );
    const table = tableOf([
      { name: "time", type: "timestamp", values: texts.map((_, row) => BigInt(row)) },
      { name: "text", type: "utf8", values: texts.map((text, row) => (row % 4 ? text : null)) },
    ]);
    const bytes = bytesOf(table);
    const [group] = parquetMetadata(bytes.slice().buffer).row_groups;
    expect(group!.columns[1]!.meta_data!.encoding_stats).toEqual([
      { page_type: "DATA_PAGE", encoding: "DELTA_LENGTH_BYTE_ARRAY", count: 4 },
    ]);
    expect(await readWithHyparquet(bytes)).toEqual(tableValues(table));
  });

  test("is none without rows, with rows out of order, or with other columns than the first", () => {
    const table = tableOfTimes([3n, 2n, 1n]);
    expect(() => bytesOf(table)).toThrow("sorted by time");
    const writer = new ParquetWriter(table.columns, options, () => {});
    expect(() => writer.writeRowGroup(table, 1, 1)).toThrow("has rows");
    const other = tableOf([
      { name: "time", type: "timestamp", values: [1n] },
      { name: "more", type: "bool", values: [true] },
    ]);
    expect(() => writer.writeRowGroup(other, 0, 1)).toThrow("the file's columns");
  });
});

test("rows in any order are a file that promises none, `time` or not", async () => {
  const table = tableOf([
    { name: "text", type: "utf8", values: ["b", null, "a"] },
    { name: "time", type: "timestamp", values: [3n, null, 1n] },
  ]);
  const parts: Uint8Array[] = [];
  const anyOrder = { keyValues: {}, isSortedByTime: false };
  const writer = new ParquetWriter(table.columns, anyOrder, (part) => parts.push(part));
  writer.writeRowGroup(table, 0, 3);
  writer.finish();
  const bytes = new Uint8Array(Buffer.concat(parts));
  const { row_groups: groups, schema } = parquetMetadata(bytes.slice().buffer);
  expect(groups[0]!.sorting_columns).toBeUndefined();
  expect(schema[2]).toMatchObject({ name: "time", repetition_type: "OPTIONAL" });
  expect(await readWithHyparquet(bytes)).toEqual(tableValues(table));
});

describe("texts that the decoder found not to repeat", () => {
  test("are stored without a dictionary, and kept", async () => {
    const rows = Array.from({ length: 2000 }, (_, row) => row);
    const table = tableOf([
      { name: "time", type: "timestamp", values: rows.map(BigInt) },
      { name: "text", type: "utf8", values: rows.map((row) => `t${row % 9}`), heap: "repetitive" },
    ]);
    const bytes = bytesOf(table);
    const [group] = parquetMetadata(bytes.slice().buffer).row_groups;
    expect(group!.columns[1]!.meta_data!.dictionary_page_offset).toBeUndefined();
    expect(await readWithHyparquet(bytes)).toEqual(tableValues(table));
  });
});
