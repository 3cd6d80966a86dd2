// Parquet files of other writers: their types, how they are cut, and files that are not whole.

import { readFileSync } from "node:fs";
import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { errorKind, isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import {
  parquetBatches,
  type ParquetContent,
  type ParquetOptions,
  scanParquet,
} from "#lib/protocol/parquet-import.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { NativeDuckDb } from "../../helpers/parquet-readers.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { refusalOf } from "../../helpers/refusal.ts";

vi.setConfig({ testTimeout: 60_000 });

let native: NativeDuckDb;
beforeAll(async () => {
  native = await NativeDuckDb.open();
});
afterAll(() => native.close());

const OPTIONS: ParquetOptions = { measurement: "m", timeColumn: "time", timeFormat: null };
const TS = { ...OPTIONS, timeColumn: "ts" };

function fixture(name: string): Uint8Array {
  return new Uint8Array(
    readFileSync(new URL(`../../fixtures/parquet/${name}.parquet`, import.meta.url)),
  );
}

/** What today's DuckDB writes of a query. */
async function written(sql: string, options = ""): Promise<Uint8Array> {
  const path = native.put(new Uint8Array(0));
  await native.query(`COPY (${sql}) TO '${path}' (FORMAT parquet ${options})`);
  return new Uint8Array(readFileSync(path));
}

interface Imported {
  readonly content: ParquetContent;
  readonly batchCount: number;
  readonly columns: Record<string, unknown[]>;
}

function imported(bytes: Uint8Array, options = OPTIONS): Imported {
  const content = scanParquet(bytes, options);
  const columns: Record<string, unknown[]> = {};
  let batchCount = 0;
  for (const batch of parquetBatches(bytes, options, content)) {
    const scan = scanBatch(batch);
    expect(scan.measurement).toBe("m");
    // What the schema was asked is what is stored.
    for (const { name, kinds } of scan.columns) {
      const asked = content.columns.find((column) => column.name === name)!;
      expect(kinds & ~asked.kinds, name).toBe(0);
    }
    const decoded = decode(batch, { useBigInt64: true }) as { columns: typeof columns };
    for (const [name, cells] of Object.entries(decoded.columns)) {
      (columns[name] ??= []).push(...cells);
    }
    batchCount += 1;
  }
  return { content, batchCount, columns };
}

const START_US = 1_772_323_200_000_000n;
const HALF_DAY_US = 43_200_000_000n;
const TIMES = [0n, 1n, 2n, 3n, 4n].map((i) => START_US + i * HALF_DAY_US);

const TYPES: Record<string, unknown[]> = {
  time: TIMES,
  ms: TIMES.map((us) => new Date(Number(us / 1_000n))),
  i8: [1, -2, null, 4, 5],
  u32: [4_294_967_295n, 0, null, 1, 2],
  u64: [2n ** 63n - 1n, 0, null, 1, 2],
  f32: [0.5, null, NaN, 1e10, -1.5],
  f16: [0.5, 1.5, 2, 3, 4],
  b: [true, null, false, true, true],
  s: ["a", "ü", null, "", "x".repeat(300)],
  d: [0, 0, 1, 1, 2].map((day) => new Date(Date.UTC(2026, 2, 1 + day))),
  tm: ["01:02:03.500000", null, "00:00:00", "23:59:59", "05:00:00"],
  dec2: [1.25, null, -0.07, 0, 12345.67],
  dec0: [123_456_789_012_345_678n, null, -1, 0, 7],
  decL: ["12345678901234567890123456789.5", null, "-1.0", "0.0", "7.5"],
  list: ["[1,null]", "[]", null, "[3]", "[4,5]"],
  st: ['{"a":1,"b":"x"}', null, '{"a":null,"b":"y"}', '{"a":2,"b":null}', '{"a":3,"b":"z"}'],
  map: ['{"k":1}', "{}", null, '{"a":2,"b":null}', '{"z":1}'],
  lst_st: ['[{"q":1}]', "[]", null, '[{"q":null},null]', '[{"q":5}]'],
  nul: [null, null, null, null, null],
  dict: ["a", "b", "a", null, "b"],
  bin: ["abc", "", null, "x", "ü"],
};

describe("the types", () => {
  test.each(["pyarrow-types-snappy", "pyarrow-types-zstd-v2", "pyarrow-int96"])("of %s", (name) => {
    const { content, columns } = imported(fixture(name), TS);
    expect(columns).toEqual(TYPES);
    expect(content).toMatchObject({
      rowCount: 5,
      timeMinUs: TIMES[0],
      timeMaxUs: TIMES[4],
      dayCount: 3,
    });
    const kinds = new Map(content.columns.map((column) => [column.name, column.kinds]));
    expect([kinds.get("nul"), kinds.get("d"), kinds.get("decL")]).toEqual([
      0,
      KIND.timestamp,
      KIND.text,
    ]);
  });

  test.each(["polars", "pyarrow-deltas"])("of %s", (name) => {
    const { columns } = imported(fixture(name), TS);
    for (const [column, cells] of Object.entries(columns)) {
      expect(cells, column).toEqual(TYPES[column]);
    }
  });

  test.each(["uncompressed", "snappy", "gzip", "zstd", "brotli"])(
    "of DuckDB, compressed as %s, in both versions",
    async (codec) => {
      const sql = `SELECT (TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND) AS time, i AS n,
        i / 4 AS f, i % 2 = 0 AS b, CASE WHEN i % 3 > 0 THEN 'host-' || i % 7 END AS host,
        'only ' || i AS own, uuid() AS id, [i, i + 1] AS list FROM range(5000) r(i)`;
      for (const version of ["v1", "v2"]) {
        const file = await written(sql, `, COMPRESSION ${codec}, PARQUET_VERSION ${version}`);
        const { columns } = imported(file);
        const row = (name: string) => columns[name]![4_321];
        expect([row("time"), row("n"), row("f"), row("b")]).toEqual([
          1_767_225_600_000_000n + 4_321_000_000n,
          4_321,
          1_080.25,
          false,
        ]);
        expect([row("host"), row("own"), row("list")]).toEqual([
          "host-2",
          "only 4321",
          "[4321,4322]",
        ]);
        expect(row("id")).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
        );
      }
    },
  );
});

describe("the time", () => {
  test.each<[sql: string, format: ParquetOptions["timeFormat"], us: bigint]>([
    ["1767225600::INTEGER", null, 1_767_225_600_000_000n],
    ["1767225600123", null, 1_767_225_600_123_000n],
    ["1767225600123", "epoch_us", 1_767_225_600_123n],
    ["'2026-01-01T00:00:00Z'", null, 1_767_225_600_000_000n],
    ["DATE '2026-01-01'", null, 1_767_225_600_000_000n],
    ["TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", null, -1n],
    ["TIMESTAMPTZ '2026-01-01 00:00:00+00'", "epoch_s", 1_767_225_600_000_000n],
  ])("%s, format %s", async (sql, timeFormat, us) => {
    const file = await written(`SELECT ${sql} AS time`);
    expect(imported(file, { ...OPTIONS, timeFormat }).content.timeMinUs).toBe(us);
  });

  test.each<[sql: string, code: string]>([
    ["NULL::TIMESTAMP", "time_invalid"],
    ["'yesterday'", "time_invalid"],
    ["1.5::DOUBLE", "time_invalid"],
    ["TIMESTAMP '0000-12-31'", "value_out_of_range"],
    ["TIMESTAMP 'infinity'", "value_out_of_range"],
  ])("%s is refused with its row", async (sql, code) => {
    const file = await written(
      `SELECT CASE WHEN i = 7 THEN ${sql} END AS time, i FROM range(7, 9) r(i)`,
    );
    expect(refusalOf(() => scanParquet(file, OPTIONS))).toMatchObject({
      code,
      detail: { column: "time", row: 0 },
    });
  });
});

describe("a large file", () => {
  test("is cut into batches of a bounded size, always alike", async () => {
    const file = await written(
      `SELECT i + 1767225600000000 AS time, repeat('x', 100 + i % 50) || i AS t
      FROM range(200000) r(i)`,
      ", ROW_GROUP_SIZE 70000",
    );
    const content = scanParquet(file, OPTIONS);
    expect(scanParquet(file, OPTIONS).slices).toEqual(content.slices);
    const batches = [...parquetBatches(file, OPTIONS, content)];
    expect(batches.length).toBeGreaterThan(3);
    for (const { length } of batches) {
      expect(length).toBeLessThan(LIMITS.importSliceBytesMax + 1_000);
    }
    const { columns } = imported(file);
    const wrong = columns["t"]!.findIndex(
      (text, i) => text !== `${"x".repeat(100 + (i % 50))}${i}`,
    );
    expect(wrong).toBe(-1);
    expect(columns["t"]).toHaveLength(200_000);
  });
});

/** What an import came to: "imported", or the kind of its refusal. Throws what is none. */
function outcome(bytes: Uint8Array): string {
  try {
    const content = scanParquet(bytes, TS);
    for (const batch of parquetBatches(bytes, TS, content)) scanBatch(batch);
    return "imported";
  } catch (error) {
    if (isSluiceError(error)) return errorKind(error.code);
    throw error;
  }
}

describe("refused is", () => {
  const code = (bytes: Uint8Array, options = OPTIONS) =>
    refusalOf(() => scanParquet(bytes, options));

  test("a file without the time column, without rows, or with a name twice", async () => {
    expect(code(await written("SELECT 1 AS a"))).toMatchObject({
      code: "parameter_invalid",
      detail: { field: "time_column" },
    });
    expect(code(await written("SELECT now() AS time WHERE false"))).toMatchObject({
      code: "parquet_invalid",
    });
    const other = { ...OPTIONS, timeColumn: "other" };
    expect(code(await written("SELECT now() AS other, 1 AS time"), other)).toMatchObject({
      code: "column_name_invalid",
    });
  });

  test("LZ4, which is named", () => {
    expect(code(fixture("pyarrow-lz4"), TS)).toMatchObject({
      code: "parquet_invalid",
      detail: { found: "LZ4_RAW" },
    });
  });

  test("a value that no column can hold, with column and row", async () => {
    const bytes = await written("SELECT now() AS time, '\\xFF'::BLOB AS raw");
    expect(code(bytes)).toMatchObject({ code: "text_invalid", detail: { column: "raw", row: 0 } });
    const big = await written(
      "SELECT now() AS time, 9223372036854775800::UBIGINT + i::UBIGINT AS u FROM range(20) r(i)",
    );
    expect(code(big)).toMatchObject({
      code: "value_out_of_range",
      detail: { column: "u", row: 8 },
    });
  });

  test("a file cut short, at every byte", () => {
    const whole = fixture("pyarrow-deltas");
    for (let end = 0; end < whole.length; end++) {
      expect(code(whole.slice(0, end), TS).code, `${end} bytes`).toBe("parquet_invalid");
    }
  });

  test("a file whose footer is too large, or beyond the file", () => {
    const whole = fixture("pyarrow-deltas");
    for (const [footerBytes, expected] of [
      [2 ** 31, "batch_too_large"],
      [LIMITS.importFooterBytesMax + 1, "batch_too_large"],
      [whole.length, "parquet_invalid"],
      [0, "parquet_invalid"],
    ] as const) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setUint32(bytes.length - 8, footerBytes, true);
      expect(code(bytes, TS).code, String(footerBytes)).toBe(expected);
    }
  });

  test("a file of more cells than can be read in one request", async () => {
    const rows = LIMITS.importCellsMax / 2 + 1;
    const file = await written(`SELECT 1767225600 AS time, 1 AS v FROM range(${rows})`);
    expect(file.length).toBeLessThan(10_000_000);
    expect(code(file).code).toBe("batch_too_large");
  });

  test("or imported, and nothing else, is a file with bytes that were changed", () => {
    const files = ["pyarrow-types-snappy", "pyarrow-types-zstd-v2", "pyarrow-deltas", "polars"];
    const whole = files.map(fixture);
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (file, changes) => {
          const bytes = file.slice();
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          expect(["imported", "invalid"]).toContain(outcome(bytes));
        },
      ),
      propertyRuns(1_000),
    );
  });
});
