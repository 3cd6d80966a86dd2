import { describe, expect, test } from "vitest";
import type { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { batchOf, type Cell, encodeBatch, encodeCell } from "../../helpers/encode-msgpack.ts";
import { rawBatch, Timestamp } from "../../helpers/encode-msgpack.ts";
import { refusalOf as refusalOfRun } from "../../helpers/refusal.ts";

const T2026_MS = 1_767_225_600_000n;

describe("a good batch", () => {
  test("gives its name, rows, time range, and what each column holds from which row on", () => {
    const bytes = encodeBatch({
      measurement: "cpu-load",
      columns: [
        ["time", [T2026_MS + 1n, T2026_MS, T2026_MS + 5n]],
        ["load", [null, 1n, 0.5]],
        ["host", ["a", null, "größer"]],
        ["ok", [true, false, null]],
        ["seen", [new Timestamp(1n, 0), null, null]],
        ["tags", [null, ["x"], new Map([["k", 1n]])]],
        ["nothing", [null, null, null]],
      ],
    });
    expect(scanBatch(bytes)).toEqual({
      measurement: "cpu-load",
      rowCount: 3,
      time: { unit: "ms", timeMinMs: Number(T2026_MS), timeMaxMs: Number(T2026_MS) + 5 },
      columns: [
        { name: "time", nullCount: 0, kinds: KIND.int, firstRows: { int: 0 } },
        {
          name: "load",
          nullCount: 1,
          kinds: KIND.int | KIND.float,
          firstRows: { int: 1, float: 2 },
        },
        { name: "host", nullCount: 1, kinds: KIND.text, firstRows: { text: 0 } },
        { name: "ok", nullCount: 1, kinds: KIND.bool, firstRows: { bool: 0 } },
        { name: "seen", nullCount: 2, kinds: KIND.timestamp, firstRows: { timestamp: 0 } },
        { name: "tags", nullCount: 1, kinds: KIND.nested, firstRows: { nested: 1 } },
        { name: "nothing", nullCount: 3, kinds: 0, firstRows: {} },
      ],
    });
  });

  test("may mix all kinds in one column", () => {
    const cells = ["a", 1n, null, 1.5, true, [], "b", new Timestamp(0n, 0), null];
    const [column] = scanBatch(batchOf("v", cells)).columns;
    const firstRows = { text: 0, int: 1, float: 3, bool: 4, nested: 5, timestamp: 7 };
    expect(column).toEqual({ name: "v", nullCount: 2, kinds: 63, firstRows });
  });

  test("survives structured clone", () => {
    const scan = scanBatch(batchOf("time", [1n]));
    expect(structuredClone(scan)).toEqual(scan);
  });

  test("has its time range rounded outwards to whole milliseconds", () => {
    const { time } = scanBatch(batchOf("time", [10n ** 15n + 1n, 10n ** 15n + 1001n]));
    expect(time).toEqual({ unit: "us", timeMinMs: 10 ** 12, timeMaxMs: 10 ** 12 + 2 });
    const before1970 = scanBatch(batchOf("time", [new Timestamp(-1n, 999_999_000)]));
    expect(before1970.time).toEqual({ unit: "us", timeMinMs: -1, timeMaxMs: 0 });
  });

  test("without `time` has no time range", () => {
    expect(scanBatch(batchOf("v", [1n])).time).toBe(null);
  });

  test("may hold other keys, which are skipped whatever they hold", () => {
    const columns = new Map([["v", [1n]]]);
    const other = new Map<string, Cell>([["deep", [[[[[["x"]]]]]]]]);
    const bytes = encodeCell(
      new Map<string, Cell>([
        ["other", other],
        ["columns", columns],
        ["t", 1n],
        ["m", "m"],
        ["bytes", "x".repeat(300)],
      ]),
    );
    expect(scanBatch(bytes)).toMatchObject({ measurement: "m", rowCount: 1 });
  });

  test("may have columns named as the properties of objects", () => {
    const names = ["__proto__", "constructor", "toString", "length"];
    const columns = names.map((name): [string, Cell[]] => [name, [1n]]);
    const scan = scanBatch(encodeBatch({ measurement: "m", columns }));
    expect(scan.columns.map(({ name }) => name)).toEqual(names);
    expect(({} as Record<string, unknown>)["name"]).toBe(undefined);
  });
});

describe("values that no column can hold are refused with column and row", () => {
  const binary = Uint8Array.of(0xc4, 1, 0);
  const otherExtension = Uint8Array.of(0xd4, 5, 0);

  test.each<[string, Uint8Array, string]>([
    ["an integer above int64", encodeCell(2n ** 63n), "value_out_of_range"],
    ["binary", binary, "column_type_unsupported"],
    ["an extension that is no timestamp", otherExtension, "column_type_unsupported"],
    ["text that is not UTF-8", Uint8Array.of(0xa2, 0xc3, 0x28), "text_invalid"],
    ["text that is half a character", Uint8Array.of(0xa1, 0xf0), "text_invalid"],
    ["a surrogate", Uint8Array.of(0xa3, 0xed, 0xa0, 0x80), "text_invalid"],
    ["binary in an array", Uint8Array.of(0x91, ...binary), "column_type_unsupported"],
    ["bad text in an array", Uint8Array.of(0x91, 0xa1, 0xff), "text_invalid"],
    ["a bad key of a map", Uint8Array.of(0x81, 0xa1, 0xff, 0xc0), "text_invalid"],
    ["a boolean as the key of a map", Uint8Array.of(0x81, 0xc3, 0xc0), "column_type_unsupported"],
    ["a timestamp of a billion nanoseconds", timestampBytes(0n, 10 ** 9), "msgpack_invalid"],
    ["a timestamp in the year 10000", timestampBytes(253_402_300_800n, 0), "value_out_of_range"],
    ["a timestamp in the year 0", timestampBytes(-62_135_596_801n, 0), "value_out_of_range"],
    ["a timestamp of 2 bytes", Uint8Array.of(0xd5, 0xff, 0, 0), "msgpack_invalid"],
    ["the byte that MessagePack never uses", Uint8Array.of(0xc1), "msgpack_invalid"],
  ])("%s", (_, cell, code) => {
    const refused = refusalOf(rawBatch("v", ["a", "b", cell, "c"]));
    expect(refused).toMatchObject({ code, detail: { column: "v", row: 2 } });
    expect(refused.message).toMatch(/^column "v", row 2: ./);
  });

  test.each<[string, (Cell | Uint8Array)[], string, number]>([
    ["nil", [T2026_MS, null], "time_invalid", 1],
    ["nil at the start", [null, T2026_MS], "time_invalid", 0],
    ["text", [T2026_MS, T2026_MS, "2026-01-01"], "time_invalid", 2],
    ["a boolean", [true], "time_invalid", 0],
    ["an array", [[1n]], "time_invalid", 0],
    ["NaN", [1.5, Number.NaN], "time_invalid", 1],
    ["infinity", [-Infinity], "time_invalid", 0],
    ["a timestamp among numbers", [1n, new Timestamp(1n, 0)], "time_invalid", 1],
    ["a timestamp among floats", [1.5, new Timestamp(1n, 0)], "time_invalid", 1],
    ["a number among timestamps", [new Timestamp(1n, 0), 1n], "time_invalid", 1],
    ["a float that is no time of any unit", [1e300], "value_out_of_range", 0],
    ["an integer above int64", [1n, 2n ** 63n], "value_out_of_range", 1],
  ])("%s as time", (_, cells, code, row) => {
    expect(refusalOf(rawBatch("time", cells))).toMatchObject({
      code,
      detail: { column: "time", row },
    });
  });
});

describe("a body that is no batch is refused", () => {
  const columns: Cell = new Map([["v", [1n]]]);
  const batch = (entries: [string, Cell][]) => encodeCell(new Map(entries));

  test.each<[string, Uint8Array, string, RegExp]>([
    ["nothing", new Uint8Array(), "body_empty", /empty/],
    ["text", encodeCell("m"), "batch_shape_invalid", /is text/],
    ["a list of batches", encodeCell([columns]), "batch_shape_invalid", /array/],
    ["no columns", batch([["m", "m"]]), "batch_shape_invalid", /no "columns"/],
    [
      "row form",
      batch([
        ["m", "m"],
        ["fields", new Map()],
      ]),
      "batch_shape_invalid",
      /no "columns"/,
    ],
    [
      "columns and rows",
      batch([
        ["m", "m"],
        ["columns", columns],
        ["batch", []],
      ]),
      "batch_shape_invalid",
      /"columns" and "batch"/,
    ],
    ["columns twice", twice("columns", columns), "batch_shape_invalid", /"columns" is there twice/],
    ["no name", batch([["columns", columns]]), "batch_shape_invalid", /"m", is missing/],
    ["a number as name", batch([["m", 1n]]), "name_invalid", /an integer, not text/],
    ["a bad name", batch([["m", "1m"]]), "name_invalid", /"1m"/],
    ["no column", batch([["columns", new Map()]]), "batch_shape_invalid", /empty/],
    ["columns in a list", batch([["columns", [1n]]]), "batch_shape_invalid", /array stands where/],
    ["no rows", batchOf("v", []), "batch_shape_invalid", /no rows/],
    [
      "a number as column",
      batch([["columns", new Map([["v", 1n]])]]),
      "batch_shape_invalid",
      /"v"/,
    ],
    [
      "an integer as column name",
      batch([["columns", new Map([[1n, [1n]]])]]),
      "column_name_invalid",
      /integer/,
    ],
    ["an empty column name", batchOf("", [1n]), "column_name_invalid", /empty/],
    ["a NUL in a column name", batchOf("a\0b", [1n]), "column_name_invalid", /control/],
    ["a line break in a column name", batchOf("a\nb", [1n]), "column_name_invalid", /control/],
    ["a bad unit", batch([["time_unit", "minutes"]]), "batch_shape_invalid", /"minutes"/],
    [
      "bytes behind it",
      Buffer.concat([batchOf("v", [1n]), Uint8Array.of(0)]),
      "msgpack_invalid",
      /1 bytes follow/,
    ],
  ])("%s", (_, bytes, code, message) => {
    const refused = refusalOf(bytes);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
  });

  test("columns of unequal length, naming the odd one", () => {
    const unequal: [string, Cell[]][] = [
      ["a", [1n, 2n]],
      ["b", [1n]],
    ];
    expect(refusalOf(encodeBatch({ measurement: "m", columns: unequal }))).toMatchObject({
      code: "column_length_mismatch",
      detail: { column: "b", expected: 2, found: 1 },
    });
  });

  test("a column that is there twice", () => {
    const column = [encodeCell("v"), encodeCell([1n])];
    const head = [Uint8Array.of(0x81), encodeCell("columns"), Uint8Array.of(0x82)];
    const bytes = Buffer.concat([...head, ...column, ...column]);
    expect(refusalOf(bytes)).toMatchObject({
      code: "column_name_invalid",
      detail: { column: "v" },
    });
  });
});

function twice(key: string, value: Cell): Uint8Array {
  const pair = [encodeCell(key), encodeCell(value)];
  return Buffer.concat([Uint8Array.of(0x82), ...pair, ...pair]);
}

function timestampBytes(seconds: bigint, nanoseconds: number): Uint8Array {
  const bytes = new Uint8Array(15);
  bytes.set([0xc7, 12, 0xff]);
  const view = new DataView(bytes.buffer);
  view.setUint32(3, nanoseconds);
  view.setBigInt64(7, seconds);
  return bytes;
}

function refusalOf(bytes: Uint8Array): SluiceError {
  return refusalOfRun(() => scanBatch(bytes));
}

describe("a cell as large as it may be", () => {
  const { cellBytesMax, nestedCellBytesMax } = LIMITS;

  test("is taken, a text", () => {
    scanBatch(batchOf("v", ["a", "x".repeat(cellBytesMax)]));
    const long = batchOf("v", ["a", "x".repeat(cellBytesMax + 1)]);
    const error = refusalOfRun(() => scanBatch(long));
    expect(error).toMatchObject({ code: "cell_too_large", detail: { column: "v", row: 1 } });
  });

  test("is taken, a list", () => {
    // Beside the text stand a header of five bytes and that of the list.
    const list = (byteLength: number) => [["x".repeat(byteLength - 6)]];
    scanBatch(batchOf("v", list(nestedCellBytesMax)));
    const error = refusalOfRun(() => scanBatch(batchOf("v", list(nestedCellBytesMax + 1))));
    expect(error).toMatchObject({ code: "cell_too_large", detail: { column: "v", row: 0 } });
  });
});
