import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type MergePorts, mergeFiles } from "#lib/rewrite/merge-files.ts";
import type { MergeInput } from "#lib/rewrite/input-file.ts";
import type { RowFilter } from "#lib/rewrite/source-rows.ts";
import { ManualClock, MemoryLake } from "../../helpers/memory-world.ts";
import { NativeDuckDb } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { tableValues, type Value } from "../../helpers/random-batch.ts";
import { type ColumnContent, randomTables, tableOf } from "../../helpers/random-table.ts";
import { fetchRangeOf, storeFile, tablesOf } from "../../helpers/stored-files.ts";

vi.setConfig({ testTimeout: 120_000 });

let lake: MemoryLake;
let ports: MergePorts;
beforeEach(() => {
  lake = new MemoryLake(new ManualClock());
  ports = { fetchRange: fetchRangeOf(lake), lake };
});

type Row = Record<string, Value>;

function schemaOf(columns: readonly Pick<SchemaColumn, "name" | "type">[]): TableSchema {
  const typed = columns.map((column) => ({ ...column, takesNumbers: false }));
  return { tableId: 1, measurement: "m", schemaVersion: 1, columns: typed };
}

function rowsOf(content: ReadonlyMap<string, readonly Value[]>): Row[] {
  const names = [...content.keys()];
  return content
    .get("time")!
    .map((_, row) => Object.fromEntries(names.map((name) => [name, content.get(name)![row]!])));
}

function storedRows(files: readonly DataFile[]): Row[] {
  return files.flatMap((file) =>
    tablesOf(lake, file).flatMap((table) => rowsOf(tableValues(table))),
  );
}

async function merge(
  inputs: readonly MergeInput[],
  schema: TableSchema,
): Promise<{ files: DataFile[]; rows: Row[] }> {
  const keyOf = (day: string, fileNumber: number) => `out/${day}/${fileNumber}`;
  const files = await mergeFiles({ inputs, schema, jobId: "j1", keyOf }, ports);
  return { files, rows: storedRows(files) };
}

/** Rows of all inputs in the order of time, equal times in the order of the inputs. */
function sortedRows(rows: readonly Row[]): Row[] {
  const time = (row: Row) => row["time"] as bigint;
  return rows.toSorted((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0));
}

const filters: fc.Arbitrary<RowFilter | null> = fc.option(
  fc.record({
    dropped: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 })),
    fromUs: fc.option(fc.constantFrom(1_767_225_600_000_300n, 0n)),
    toUs: fc.option(fc.constantFrom(1_767_225_600_000_600n, 5n)),
  }),
  { freq: 2 },
);

function keeps(filter: RowFilter | null, row: number, time: bigint): boolean {
  if (filter === null) return true;
  const { dropped, fromUs, toUs } = filter;
  if (dropped !== null && (dropped[row >> 3]! >> (row & 7)) & 1) return false;
  return (fromUs === null || time >= fromUs) && (toUs === null || time < toUs);
}

describe("merging", () => {
  test("keeps every row that is to stay, once, in order of time and inputs", async () => {
    const input = fc.record({
      columns: randomTables(60),
      groupRows: fc.integer({ min: 1, max: 30 }),
      filter: filters,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(input, { minLength: 1, maxLength: 6 }), async (drawn) => {
        lake.objects.clear();
        const types = new Map<string, ColumnContent["type"]>();
        const inputs: MergeInput[] = [];
        const expected: Row[] = [];
        for (const [i, { columns, groupRows, filter }] of drawn.entries()) {
          const fitting = columns.filter(({ name, type }) => (types.get(name) ?? type) === type);
          for (const { name, type } of fitting) types.set(name, type);
          const table = sortByTime(tableOf(fitting));
          inputs.push({ file: await storeFile(lake, `in/${i}`, table, groupRows), filter });
          const rows = rowsOf(tableValues(table));
          expected.push(...rows.filter((row, at) => keeps(filter, at, row["time"] as bigint)));
        }
        const schema = schemaOf([...types].map(([name, type]) => ({ name, type })));
        const nothing = Object.fromEntries([...types.keys()].map((name) => [name, null]));
        const { files, rows } = await merge(inputs, schema);
        expect(rows).toEqual(sortedRows(expected).map((row) => ({ ...nothing, ...row })));
        expect(files.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(expected.length);
      }),
      propertyRuns(200),
    );
  });

  test("brings files to the schema of today", async () => {
    const int64s = tableOf([
      { name: "time", type: "timestamp", values: [1n, 3n, 5n] },
      { name: "v", type: "int64", values: [2n ** 62n + 1n, null, -7n] },
    ]);
    const floats = tableOf([
      { name: "host", type: "utf8", values: ["a", null] },
      { name: "v", type: "float64", values: [0.5, -0] },
      { name: "time", type: "timestamp", values: [2n, 3n] },
    ]);
    const inputs = [
      { file: await storeFile(lake, "in/0", int64s, 2), filter: null },
      { file: await storeFile(lake, "in/1", floats, 2), filter: null },
    ];
    const schema = schemaOf([
      { name: "time", type: "timestamp" },
      { name: "v", type: "float64" },
      { name: "empty", type: null },
      { name: "host", type: "utf8" },
    ]);
    const { files, rows } = await merge(inputs, schema);
    expect(files[0]!.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "time timestamp",
      "v float64",
      "host utf8",
    ]);
    expect(rows).toEqual([
      { time: 1n, v: 2 ** 62, host: null },
      { time: 2n, v: 0.5, host: "a" },
      { time: 3n, v: null, host: null },
      { time: 3n, v: -0, host: null },
      { time: 5n, v: -7, host: null },
    ]);
  });

  test("finds again the texts that small files have in common, and gives up where none are", async () => {
    const inputs: MergeInput[] = [];
    for (let i = 0; i < 40; i++) {
      const rows = Array.from({ length: 1000 }, (_, row) => row);
      const table = tableOf([
        { name: "time", type: "timestamp", values: rows.map((row) => BigInt(i * 1000 + row)) },
        { name: "user", type: "utf8", values: rows.map((row) => `u${row}`), heap: "repetitive" },
        { name: "trace", type: "utf8", values: rows.map((row) => `t${i * 1000 + row}`) },
      ]);
      inputs.push({ file: await storeFile(lake, `in/${i}`, table, 1000), filter: null });
    }
    const schema = schemaOf([
      { name: "time", type: "timestamp" },
      { name: "user", type: "utf8" },
      { name: "trace", type: "utf8" },
    ]);
    const { files, rows } = await merge(inputs, schema);
    const isDistinct = tablesOf(lake, files[0]!).flatMap(({ columns }) =>
      columns.map((column) => column.type === "utf8" && column.heap.isDistinct),
    );
    expect(isDistinct).toEqual([false, true, false]);
    expect(rows).toHaveLength(40_000);
    expect(rows[39_999]).toEqual({ time: 39_999n, user: "u999", trace: "t39999" });
  });

  test("makes no file where no row stays", async () => {
    const table = tableOf([{ name: "time", type: "timestamp", values: [1n, 2n] }]);
    const filter = { dropped: null, fromUs: 3n, toUs: null };
    const inputs = [{ file: await storeFile(lake, "in/0", table, 2), filter }];
    const { files } = await merge(inputs, schemaOf([{ name: "time", type: "timestamp" }]));
    expect(files).toEqual([]);
    expect([...lake.objects.keys()]).toEqual(["in/0"]);
  });

  test("ends row groups of long texts by their bytes, and loads no more than that ahead", async () => {
    const inputs: MergeInput[] = [];
    const textBytes = LIMITS.rewriteRowGroupBytes / 64;
    for (let i = 0; i < 40; i++) {
      const values = Array.from({ length: 8 }, (_, row) => `${i}.${row}`.padEnd(textBytes, "x"));
      const table = tableOf([
        { name: "time", type: "timestamp", values: values.map((_, row) => BigInt(i * 8 + row)) },
        { name: "text", type: "utf8", values },
      ]);
      inputs.push({ file: await storeFile(lake, `in/${i}`, table, 8), filter: null });
    }
    const schema = schemaOf([
      { name: "time", type: "timestamp" },
      { name: "text", type: "utf8" },
    ]);
    const { files } = await merge(inputs, schema);
    const rowCounts = tablesOf(lake, files[0]!).map(({ rowCount }) => rowCount);
    expect(rowCounts).toEqual([64, 64, 64, 64, 64]);
  });
});

test("files that follow each other are let go as they are written", async () => {
  const groupRows = LIMITS.rowGroupRows / 10;
  const inputs: MergeInput[] = [];
  for (let i = 0; i < 40; i++) {
    const values = Array.from({ length: groupRows }, (_, row) => BigInt(i * groupRows + row));
    const table = tableOf([{ name: "time", type: "timestamp", values }]);
    inputs.push({ file: await storeFile(lake, `in/${i}`, table, groupRows), filter: null });
  }
  const fetched = new Set<string>();
  const fetchedAtWrite: number[] = [];
  const observed: MergePorts = {
    async fetchRange(key, offset, byteLength) {
      fetched.add(key);
      return lake.read(key, offset, byteLength);
    },
    lake: {
      createInParts(key) {
        const writer = lake.createInParts(key);
        const write = (bytes: Uint8Array) => {
          fetchedAtWrite.push(fetched.size);
          return writer.write(bytes);
        };
        return { ...writer, write };
      },
    },
  };
  const schema = schemaOf([{ name: "time", type: "timestamp" }]);
  const request = { inputs, schema, jobId: "j", keyOf: () => "out" };
  const [file] = await mergeFiles(request, observed);
  expect(tablesOf(lake, file!).map(({ rowCount }) => rowCount)).toEqual(
    Array(4).fill(LIMITS.rowGroupRows),
  );
  // Ten files a row group, the one behind them, and what is fetched ahead.
  const ahead = LIMITS.connectionsMax;
  expect(fetchedAtWrite.slice(0, 3).map((count, i) => count <= (i + 1) * 10 + ahead)).toEqual([
    true,
    true,
    true,
  ]);
});

test("native DuckDB finds the same rows before and after", async () => {
  const native = await NativeDuckDb.open();
  try {
    await fc.assert(
      fc.asyncProperty(randomTables(50), fc.integer({ min: 2, max: 5 }), async (columns, parts) => {
        lake.objects.clear();
        const table = tableOf(columns);
        const inputs: MergeInput[] = [];
        for (let part = 0; part < parts; part++) {
          const rows = columns.map(({ values, ...column }) => ({
            ...column,
            values: values.filter((_, row) => row % parts === part),
          }));
          if (rows[0]!.values.length === 0) continue;
          const file = await storeFile(lake, `in/${part}`, sortByTime(tableOf(rows)), 20);
          inputs.push({ file, filter: null });
        }
        const { files } = await merge(inputs, schemaOf(table.columns));
        const paths = (stored: readonly { readonly key: string }[]) =>
          stored.map(({ key }) => `'${native.put(lake.objects.get(key)!.bytes)}'`).join();
        const before = `SELECT * FROM read_parquet([${paths(inputs.map(({ file }) => file))}])`;
        const after = `SELECT * FROM read_parquet([${paths(files)}])`;
        const differences = `(${before} EXCEPT ALL ${after}) UNION ALL (${after} EXCEPT ALL ${before})`;
        expect(await native.query(differences)).toEqual([]);
      }),
      propertyRuns(30),
    );
  } finally {
    native.close();
  }
});

describe("a merge that fails", () => {
  const table = tableOf([{ name: "time", type: "timestamp", values: [1n, 2n, 3n] }]);
  const schema = schemaOf([{ name: "time", type: "timestamp" }]);

  test("over a damaged input names it, and leaves no file behind", async () => {
    const good = await storeFile(lake, "in/0", table, 3);
    const bad = await storeFile(lake, "in/1", table, 3);
    lake.objects.get("in/1")!.bytes[30]! ^= 1;
    const inputs = [good, bad].map((file) => ({ file, filter: null }));
    const failed = merge(inputs, schema);
    await expect(failed).rejects.toMatchObject({ code: "file_corrupt", detail: { key: "in/1" } });
    expect([...lake.objects.keys()]).toEqual(["in/0", "in/1"]);
  });

  test("over another file than the catalog knows is corrupt", async () => {
    const file = await storeFile(lake, "in/0", table, 3);
    const inputs = [{ file: { ...file, rowCount: 4 }, filter: null }];
    await expect(merge(inputs, schema)).rejects.toMatchObject({ code: "file_corrupt" });
  });

  test("over a store that does not answer gives its error", async () => {
    const file = await storeFile(lake, "in/0", table, 3);
    const fetchRange = () => Promise.reject(new Error("the store is gone"));
    const request = { inputs: [{ file, filter: null }], schema, jobId: "j", keyOf: () => "out" };
    await expect(mergeFiles(request, { fetchRange, lake })).rejects.toThrow("the store is gone");
  });
});
