// What the footer says, as DuckDB and hyparquet understand it.

import { Buffer } from "node:buffer";

import fc from "fast-check";
import { parquetMetadata, parquetSchema, readColumnIndex, readOffsetIndex } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import { arrowSchema } from "#lib/parquet/arrow-schema.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { Table } from "#lib/sql/flatbuffer.ts";
import { NativeDuckDb } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import type { Value } from "../../helpers/random-batch.ts";
import { randomTables, tableOf } from "../../helpers/random-table.ts";

let native: NativeDuckDb;
beforeAll(async () => {
  native = await NativeDuckDb.open();
});
afterAll(() => native.close());

/** Two row groups, the first of five pages; a column of each type and of each text encoding. */
function exampleFile() {
  const rows = Array.from({ length: LIMITS.rowGroupRows + 10 }, (_, row) => row);
  const table = tableOf([
    { name: "time", type: "timestamp", values: rows.map((row) => BigInt(row)) },
    { name: "count", type: "int64", values: rows.map((row) => BigInt(row % 7)) },
    { name: "load", type: "float64", values: rows.map((row) => row / 8) },
    { name: "ok", type: "bool", values: rows.map((row) => row % 3 === 0) },
    { name: "kind", type: "utf8", values: rows.map((row) => (row % 2 ? `kind ${row % 9}` : null)) },
    { name: "id", type: "utf8", values: rows.map((row) => `${row * 7919}`), heap: "repetitive" },
    { name: "nothing", type: "int64", values: rows.map(() => null) },
    { name: "seen", type: "timestamp", values: rows.map((row) => BigInt(-row)) },
  ]);
  return writeParquet(table, 0, rows.length, { keyValues: { "sluice.segment_id": "s-17" } });
}

let example: ReturnType<typeof exampleFile>;
let path: string;
beforeAll(() => {
  example = exampleFile();
  path = native.put(example.bytes);
});

describe("the schema", () => {
  test("has logical and converted types, and NULLs everywhere but in time", async () => {
    const columns = await native.query(
      `SELECT name, type, repetition_type AS repetition, converted_type AS converted, duckdb_type
       FROM parquet_schema('${path}') WHERE name <> 'schema'`,
    );
    const times = {
      type: "INT64",
      converted: "TIMESTAMP_MICROS",
      duckdb_type: "TIMESTAMP WITH TIME ZONE",
    };
    const texts = { type: "BYTE_ARRAY", converted: "UTF8", duckdb_type: "VARCHAR" };
    const integers = { type: "INT64", converted: null, duckdb_type: "BIGINT" };
    const repetition = "OPTIONAL";
    expect(columns).toEqual([
      { name: "time", repetition: "REQUIRED", ...times },
      { name: "count", repetition, ...integers },
      { name: "load", repetition, type: "DOUBLE", converted: null, duckdb_type: "DOUBLE" },
      { name: "ok", repetition, type: "BOOLEAN", converted: null, duckdb_type: "BOOLEAN" },
      { name: "kind", repetition, ...texts },
      { name: "id", repetition, ...texts },
      { name: "nothing", repetition, ...integers },
      { name: "seen", repetition, ...times },
    ]);
    const logical = parquetSchema(parquetMetadata(example.bytes.buffer)).children.map(
      ({ element }) => element.logical_type,
    );
    const utc = { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" };
    expect([logical[0], logical[1], logical[4]]).toEqual([utc, undefined, { type: "STRING" }]);
  });

  test("is there once more in Arrow's terms", () => {
    const base64 = arrowSchema([
      { name: "time", type: "timestamp", isRequired: true },
      { name: "größe", type: "float64", isRequired: false },
      { name: "n", type: "int64", isRequired: false },
      { name: "ok", type: "bool", isRequired: false },
      { name: "text", type: "utf8", isRequired: false },
    ]);
    const framed = Buffer.from(base64, "base64");
    expect(framed.readUInt32LE(0)).toBe(0xffff_ffff);
    expect(framed.readUInt32LE(4)).toBe(framed.length - 8);
    expect(framed.length % 8).toBe(0);

    const message = Table.root(framed.subarray(8));
    expect([message.int16(0), message.uint8(1)]).toEqual([4, 1]); // version 5, a schema
    const fields = message.table(2)!.tables(1);
    expect(fields.map((field) => [field.text(0), field.uint8(1), field.uint8(2)])).toEqual([
      ["time", 0, 10],
      ["größe", 1, 3],
      ["n", 1, 2],
      ["ok", 1, 6],
      ["text", 1, 5],
    ]);
    const [timestamp, double, integer] = fields.map((field) => field.table(3)!);
    expect([timestamp!.int16(0), timestamp!.text(1)]).toEqual([2, "UTC"]);
    expect(double!.int16(0)).toBe(2);
    expect([integer!.int32(0), integer!.uint8(1)]).toEqual([64, 1]);
  });

  test("goes into the footer with what the caller has to say", () => {
    const metadata = parquetMetadata(example.bytes.buffer);
    const pairs = Object.fromEntries(
      metadata.key_value_metadata!.map(({ key, value }) => [key, value]),
    );
    expect(Object.keys(pairs)).toEqual(["ARROW:schema", "sluice.segment_id"]);
    expect(pairs["sluice.segment_id"]).toBe("s-17");
    expect(metadata.created_by).toMatch(/^sluice version \d+\.\d+\.\d+$/);
    expect(metadata.metadata_length + 8).toBe(example.footerByteLength);
  });
});

describe("row groups and chunks", () => {
  test("hold 100,000 rows, sorted by time", () => {
    const { row_groups: groups, num_rows: rowCount } = parquetMetadata(example.bytes.buffer);
    expect(rowCount).toBe(100_010n);
    expect(groups.map((group) => group.num_rows)).toEqual([100_000n, 10n]);
    expect(groups[0]!.sorting_columns).toEqual([
      { column_idx: 0, descending: false, nulls_first: false },
    ]);
  });

  test("are encoded by type, texts by how often they repeat, all compressed by zstd", async () => {
    const chunks = await native.query(
      `SELECT path_in_schema AS name, encodings, compression FROM parquet_metadata('${path}')
       WHERE row_group_id = 0`,
    );
    expect(Object.fromEntries(chunks.map(({ name, encodings }) => [name, encodings]))).toEqual({
      time: "RLE, DELTA_BINARY_PACKED",
      count: "RLE, DELTA_BINARY_PACKED",
      load: "RLE, PLAIN",
      ok: "RLE, PLAIN",
      kind: "RLE, PLAIN, RLE_DICTIONARY",
      id: "RLE, DELTA_LENGTH_BYTE_ARRAY",
      nothing: "RLE, PLAIN",
      seen: "RLE, DELTA_BINARY_PACKED",
    });
    expect(new Set(chunks.map(({ compression }) => compression))).toEqual(new Set(["ZSTD"]));
  });

  test("count NULLs and give bounds, exact where they are", async () => {
    const chunks = await native.query(
      `SELECT path_in_schema AS name, stats_null_count AS nulls, stats_min_value AS min,
              stats_max_value AS max, min_is_exact AND max_is_exact AS isExact
       FROM parquet_metadata('${path}')
       WHERE row_group_id = 0 AND name IN ('kind', 'nothing', 'load')`,
    );
    expect(chunks).toEqual([
      { name: "load", nulls: 0n, min: "-0.0", max: "12499.875", isExact: false },
      { name: "kind", nulls: 50_000n, min: "kind 0", max: "kind 8", isExact: true },
      { name: "nothing", nulls: 100_000n, min: null, max: null, isExact: null },
    ]);
  });
});

describe("the page index", () => {
  test("tells of each page where it lies and between which values", () => {
    const { bytes } = example;
    const metadata = parquetMetadata(bytes.buffer);
    const columns = parquetSchema(metadata).children;
    const [group] = metadata.row_groups;
    const indexesOf = (column: number) => {
      const chunk = group!.columns[column]!;
      const viewOf = (offset: bigint, length: number) => ({
        view: new DataView(bytes.buffer, Number(offset), length),
        offset: 0,
      });
      return {
        columnIndex: readColumnIndex(
          viewOf(chunk.column_index_offset!, chunk.column_index_length!),
          columns[column]!.element,
        ),
        offsetIndex: readOffsetIndex(
          viewOf(chunk.offset_index_offset!, chunk.offset_index_length!),
        ),
      };
    };

    const load = indexesOf(2);
    expect(load.offsetIndex.page_locations.map((page) => page.first_row_index)).toEqual([
      0n,
      20_000n,
      40_000n,
      60_000n,
      80_000n,
    ]);
    const first = load.offsetIndex.page_locations[0]!;
    expect(first.offset).toBe(group!.columns[2]!.meta_data!.data_page_offset);
    expect(load.columnIndex).toMatchObject({
      boundary_order: "ASCENDING",
      null_pages: Array(5).fill(false),
      null_counts: Array(5).fill(0n),
      max_values: [2499.875, 4999.875, 7499.875, 9999.875, 12499.875],
    });
    expect(indexesOf(4).columnIndex.null_counts).toEqual(Array(5).fill(10_000n));
    expect(indexesOf(6).columnIndex.null_pages).toEqual(Array(5).fill(true));
    expect(indexesOf(7).columnIndex.boundary_order).toBe("DESCENDING");
  });
});

describe("statistics of the whole file", () => {
  test("are those of its rows", () => {
    expect(example.columns.map(({ min, max, nullCount }) => [min, max, nullCount])).toEqual([
      ["0", "100009", 0],
      ["0", "6", 0],
      [-0, 100_009 / 8, 0],
      [false, true, 0],
      ["kind 0", "kind 8", 50_005],
      ["0", "99993213", 0], // as text greater than all others
      [null, null, 100_010],
      ["-100009", "0", 0],
    ]);
  });

  test("are the same whether told to the catalog or written to the footer", () => {
    fc.assert(
      fc.property(randomTables(30), (columns) => {
        const table = sortByTime(tableOf(columns));
        const file = writeParquet(table, 0, table.rowCount, { keyValues: {} });
        const micros = { timestampFromMicroseconds: (us: bigint) => us };
        const [group] = parquetMetadata(file.bytes.buffer, { parsers: micros }).row_groups;
        const written = group!.columns.map(({ meta_data: chunk }) => chunk!.statistics!);
        for (const [i, { type, nullCount, min, max }] of file.columns.entries()) {
          const isInteger = type === "int64" || type === "timestamp";
          const known = (value: unknown): Value => (isInteger ? String(value) : value) as Value;
          const { min_value: minWritten, max_value: maxWritten, null_count } = written[i]!;
          expect(null_count).toBe(BigInt(nullCount));
          expect(min).toBe(minWritten === undefined ? null : known(minWritten));
          expect(max).toBe(maxWritten === undefined ? null : known(maxWritten));
        }
      }),
      propertyRuns(100),
    );
  });
});
