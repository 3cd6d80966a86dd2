// Readers skip row groups and pages by statistics and Bloom filters. None may lose a row by that.

import fc from "fast-check";
import { parquetMetadata, parquetQuery } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { ParquetWriter, writeParquet } from "#lib/parquet/write-file.ts";
import { NativeDuckDb, WasmReader } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import type { Value } from "../../helpers/random-batch.ts";
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

/** Row groups of ten rows, so that small tables have something to skip. */
function inSmallRowGroups(table: ColumnTable): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(table.columns, { keyValues: {} }, (part) => parts.push(part));
  for (let from = 0; from < table.rowCount; from += 10) {
    writer.writeRowGroup(table, from, Math.min(table.rowCount, from + 10));
  }
  writer.finish();
  return Buffer.concat(parts);
}

function literal({ type }: ColumnContent, value: Value): string {
  switch (type) {
    case "int64":
      return `'${value}'::BIGINT`;
    case "float64":
      return `'${Object.is(value, -0) ? "-0" : value}'::DOUBLE`;
    case "bool":
      return `${value}`;
    case "timestamp":
      return `make_timestamptz(${value})`;
    case "utf8":
      return `decode('${Buffer.from(value as string)
        .toString("hex")
        .replace(/../g, "\\x$&")}'::BLOB)`;
  }
}

describe("filters over a file find what they find over the same rows in memory", () => {
  test("whatever value of whatever column they compare with", async () => {
    await fc.assert(
      fc.asyncProperty(randomTables(60), fc.nat(), async (columns, pick) => {
        const path = native.put(inSmallRowGroups(sortByTime(tableOf(columns))));
        await native.query(
          `CREATE OR REPLACE TABLE plain AS SELECT * FROM read_parquet('${path}')`,
        );
        const counts = columns.flatMap((column) => {
          const values = column.values.filter((value) => value !== null);
          if (values.length === 0) return ["count(*)"];
          const value = literal(column, values[pick % values.length]!);
          const name = `"${column.name.replaceAll('"', '""')}"`;
          const compared = ["=", "<>", "<", "<=", ">", ">="].map(
            (operator) => `${name} ${operator} ${value}`,
          );
          return [...compared, `${name} IS NULL`, `${name} IS NOT NULL`];
        });
        // A query for each, as only a filter of the whole query makes the reader skip anything.
        const counted = (source: string) =>
          native.query(
            counts
              .map((filter) => (filter === "count(*)" ? "true" : filter))
              .map((filter) => `(SELECT count(*) FROM ${source} WHERE ${filter})`)
              .map((query, i) => `${i === 0 ? "SELECT " : ""}${query} AS c${i}`)
              .join(", "),
          );
        expect(await counted(`read_parquet('${path}')`)).toEqual(await counted("plain"));
      }),
      propertyRuns(40),
    );
  });

  test("also when the wasm engine filters", () => {
    fc.assert(
      fc.property(randomTables(60), fc.nat(), (columns, pick) => {
        const bytes = inSmallRowGroups(sortByTime(tableOf(columns)));
        wasm.query(bytes, "CREATE OR REPLACE TABLE plain AS SELECT * FROM 'file.parquet'");
        const filters = columns
          .filter(({ type }) => type !== "timestamp")
          .flatMap((column) => {
            const values = column.values.filter((value) => value !== null);
            const name = `"${column.name.replaceAll('"', '""')}"`;
            if (values.length === 0) return [`${name} IS NULL`];
            const value = literal(column, values[pick % values.length]!);
            return ["=", "<", ">="].map((operator) => `${name} ${operator} ${value}`);
          });
        const counted = (source: string) =>
          filters.map((filter) =>
            wasm.query(bytes, `SELECT count(*)::INTEGER FROM ${source} WHERE ${filter}`),
          );
        expect(counted("'file.parquet'")).toEqual(counted("plain"));
      }),
      propertyRuns(40),
    );
  });

  test("also where aggregates are answered from statistics", async () => {
    await fc.assert(
      fc.asyncProperty(randomTables(60), async (columns) => {
        const path = native.put(inSmallRowGroups(sortByTime(tableOf(columns))));
        await native.query(
          `CREATE OR REPLACE TABLE plain AS SELECT * FROM read_parquet('${path}')`,
        );
        const aggregates = columns
          .map(({ name }) => `"${name.replaceAll('"', '""')}"`)
          .map((name, i) => `min(${name}) a${i}, max(${name}) b${i}, count(${name}) c${i}`);
        const aggregated = (source: string) => native.query(`SELECT ${aggregates} FROM ${source}`);
        expect(await aggregated(`read_parquet('${path}')`)).toEqual(await aggregated("plain"));
      }),
      propertyRuns(40),
    );
  });

  test("NaN is greater than every number, and no statistics hide it", async () => {
    const values = Array.from({ length: 40 }, (_, row) => (row === 25 ? NaN : row % 5));
    const time = values.map((_, row) => BigInt(row));
    const table = tableOf([
      { name: "time", type: "timestamp", values: time },
      { name: "load", type: "float64", values },
    ]);
    const source = `read_parquet('${native.put(inSmallRowGroups(table))}')`;
    const [found] = await native.query(`SELECT count(*) AS rows FROM ${source} WHERE load > 4`);
    expect(found).toEqual({ rows: 1n });
  });
});

describe("Bloom filters", () => {
  const idOf = (row: number) => `user-${(row * 2_654_435_761) % 4_294_967_296}`;

  function idsFile(rowCount: number, textCount: number): string {
    const rows = Array.from({ length: rowCount }, (_, row) => row);
    const table = tableOf([
      { name: "time", type: "timestamp", values: rows.map(BigInt) },
      { name: "id", type: "utf8", values: rows.map((row) => idOf(row % textCount)) },
      { name: "kind", type: "utf8", values: rows.map((row) => `kind ${row % 10}`) },
      { name: "message", type: "utf8", values: rows.map((row) => `${idOf(row)} `.repeat(10)) },
    ]);
    return native.put(writeParquet(table, 0, rowCount, { keyValues: {} }).bytes);
  }

  async function excludedCount(path: string, ids: readonly string[]): Promise<number> {
    let count = 0;
    for (const id of ids) {
      const groups = await native.query(`FROM parquet_bloom_probe('${path}', 'id', '${id}')`);
      if (groups.every((group) => group["bloom_filter_excludes"])) count += 1;
    }
    return count;
  }

  test.each([
    { form: "without a dictionary", textCount: 3000 },
    { form: "with a dictionary", textCount: 1200 },
  ])("never rule out a text that is there, and nearly all others, $form", async ({ textCount }) => {
    const path = idsFile(3000, textCount);
    const rows = Array.from({ length: 300 }, (_, i) => (i * 37) % textCount);
    expect(await excludedCount(path, rows.map(idOf))).toBe(0);
    const absent = rows.map((row) => idOf(row + 1_000_000));
    expect(await excludedCount(path, absent)).toBeGreaterThanOrEqual(0.97 * absent.length);
  });

  test("exist for many short texts, and for nothing else", async () => {
    const filters = await native.query(
      `SELECT path_in_schema AS name, bloom_filter_length AS byteLength
       FROM parquet_metadata('${idsFile(3000, 3000)}') WHERE bloom_filter_offset IS NOT NULL`,
    );
    expect(filters).toEqual([{ name: "id", byteLength: BigInt(4096 + 16) }]);
  });

  test("are read by hyparquet, which finds the row that they let through", async () => {
    const rows = Array.from({ length: 2500 }, (_, row) => row);
    const table = tableOf([
      { name: "time", type: "timestamp", values: rows.map(BigInt) },
      { name: "id", type: "utf8", values: rows.map(idOf) },
    ]);
    const { bytes } = writeParquet(table, 0, rows.length, { keyValues: {} });
    const found = await parquetQuery({
      file: bytes.buffer,
      compressors,
      filter: { id: { $eq: idOf(1234) } },
      useBloomFilters: true,
      usePageIndex: true,
    });
    expect(found.map(({ id }) => id as string)).toEqual([idOf(1234)]);
  });
});

describe("the page index", () => {
  test("lets a reader fetch single pages", async () => {
    const rowCount = 3 * LIMITS.dataPageRows;
    const rows = Array.from({ length: rowCount }, (_, row) => row);
    const table = tableOf([
      { name: "time", type: "timestamp", values: rows.map((row) => BigInt(row) * 1000n) },
      { name: "value", type: "float64", values: rows.map((row) => Math.sin(row)) },
      { name: "half", type: "int64", values: rows.map((row) => (row % 2 ? null : BigInt(row))) },
    ]);
    const { bytes, footerByteLength } = writeParquet(table, 0, rowCount, { keyValues: {} });
    let readByteLength = 0;
    const file = {
      byteLength: bytes.length,
      slice(from: number, to = bytes.length) {
        readByteLength += to - from;
        return bytes.slice(from, to).buffer;
      },
    };
    const metadata = parquetMetadata(bytes.buffer);
    const wanted = LIMITS.dataPageRows + 17;
    const found = await parquetQuery({
      file,
      metadata,
      compressors,
      filter: { time: { $eq: new Date(wanted) } },
      filterStrict: false,
      usePageIndex: true,
      useOffsetIndex: true,
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ value: Math.sin(wanted), half: null });
    expect(readByteLength).toBeLessThan((bytes.length - footerByteLength) / 2);
  });
});
