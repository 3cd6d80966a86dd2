import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import { decodeTimestampToTimeSpec, encodeTimeSpecToTimestamp } from "@msgpack/msgpack";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";
import { type BatchContent, type Cell, encodeBatch } from "../../helpers/encode-msgpack.ts";
import { Timestamp } from "../../helpers/encode-msgpack.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { expectedValues, randomTables, tableValues } from "../../helpers/random-batch.ts";
import type { Value } from "../../helpers/random-batch.ts";

const TIME = { name: "time", type: "timestamp" } as const;

/** Timestamps as ours, not as Dates, which have no microseconds. */
const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: -1,
  encode: (value) =>
    value instanceof Timestamp
      ? encodeTimeSpecToTimestamp({ sec: Number(value.seconds), nsec: value.nanoseconds })
      : null,
  decode: (bytes) => {
    const { sec, nsec } = decodeTimestampToTimeSpec(bytes);
    return new Timestamp(BigInt(sec), nsec);
  },
});

describe("random batches", () => {
  test(
    "decode to the values they were made of, in every width MessagePack has",
    () => {
      fc.assert(
        fc.property(randomTables, ({ columns, batches, values }) => {
          const builder = new TableBuilder(columns);
          for (const { bytes, receivedUs, rowCount } of batches) {
            expect(scanBatch(bytes).rowCount).toBe(rowCount);
            builder.append(bytes, receivedUs);
          }
          const table = builder.finish();
          expect(table.rowCount).toBe(batches.reduce((sum, batch) => sum + batch.rowCount, 0));
          expect(tableValues(table)).toEqual(values);
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test(
    "written by @msgpack/msgpack decode to the same values",
    () => {
      fc.assert(
        fc.property(randomTables, ({ columns, batches }) => {
          const builder = new TableBuilder(columns);
          const forOracle = batches.map((batch) => ({ ...batch, content: oracleContent(batch) }));
          for (const { content, receivedUs } of forOracle) {
            const bytes = encodeByOracle(content);
            scanBatch(bytes);
            builder.append(bytes, receivedUs);
          }
          expect(tableValues(builder.finish())).toEqual(expectedValues(columns, forOracle));
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test(
    "in every width are read by @msgpack/msgpack as the cells they were made of",
    () => {
      fc.assert(
        fc.property(randomTables, ({ batches }) => {
          // The oracle makes objects of maps and so refuses this key; we do not.
          fc.pre(batches.every(({ bytes }) => !Buffer.from(bytes).includes("__proto__")));
          for (const { content, bytes } of batches) {
            const decoded = decodeByOracle(bytes) as { columns: Record<string, unknown[]> };
            expect(Object.keys(decoded.columns)).toHaveLength(content.columns.length);
            for (const [name, cells] of content.columns) {
              const read = decoded.columns[name];
              cells.forEach((cell, row) => expect(isSame(cell, read![row])).toBe(true));
            }
          }
        }),
        propertyRuns(100),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

describe("time", () => {
  const secondsOf = (text: string) => BigInt(Date.parse(text)) / 1000n;
  const t2026 = secondsOf("2026-01-01T00:00:00Z");

  test.each<[string, Cell[], bigint[]]>([
    ["seconds", [t2026, 0n], [t2026 * 1_000_000n, 0n]],
    ["milliseconds", [t2026 * 1000n + 7n, 0n], [t2026 * 1_000_000n + 7000n, 0n]],
    ["microseconds", [t2026 * 1_000_000n + 7n, 1n], [t2026 * 1_000_000n + 7n, 1n]],
    ["nanoseconds, cut off", [t2026 * 10n ** 9n + 7999n, 1n], [t2026 * 1_000_000n + 7n, 0n]],
    ["negative nanoseconds, down", [t2026 * 10n ** 9n, -1n], [t2026 * 1_000_000n, -1n]],
    ["negative seconds", [-1n, -5n], [-1_000_000n, -5_000_000n]],
    ["float seconds", [1_767_225_600.123456, 0.5], [1_767_225_600_123_456n, 500_000n]],
    ["float milliseconds", [1_767_225_600_123.25, 1n], [1_767_225_600_123_250n, 1000n]],
    ["the largest second", [9_999_999_999n], [9_999_999_999_000_000n]],
    ["the smallest millisecond", [10_000_000_000n], [10_000_000_000_000n]],
    ["the smallest microsecond", [10_000_000_000_000n], [10_000_000_000_000n]],
    ["the smallest nanosecond", [10n ** 16n, 10n ** 16n - 1n], [10n ** 13n, 10n ** 13n - 1n]],
  ])("of %s is told by the magnitude of the whole column", (_, cells, expected) => {
    expect(decodedTimes({ measurement: "m", columns: [["time", cells]] })).toEqual(expected);
  });

  test.each([
    ["s", 5_000_000n],
    ["ms", 5000n],
    ["us", 5n],
    ["ns", 0n],
  ])("takes a declared unit, %s, before the magnitude", (timeUnit, expected) => {
    const batch = { measurement: "m", timeUnit, columns: [["time", [5n]]] as const };
    expect(decodedTimes(batch)).toEqual([expected]);
  });

  test("that is missing is the time of arrival", () => {
    const batch = { measurement: "m", columns: [["v", [1n, 2n]]] as const };
    expect(decodedTimes(batch, 1_767_225_600_000_001)).toEqual([
      1_767_225_600_000_001n,
      1_767_225_600_000_001n,
    ]);
  });

  test("reaches from the year 1 to the year 9999", () => {
    const cells = [secondsOf("0001-01-01T00:00:00Z"), secondsOf("9999-12-31T23:59:59Z")];
    const batch = { measurement: "m", timeUnit: "s", columns: [["time", cells]] as const };
    expect(decodedTimes(batch)).toEqual(cells.map((seconds) => seconds * 1_000_000n));
  });
});

describe("a table", () => {
  test("without columns still counts its rows", () => {
    const builder = new TableBuilder([]);
    builder.append(encodeBatch({ measurement: "m", columns: [["v", [1n, null]]] }), 0);
    expect(builder.finish()).toEqual({ rowCount: 2, columns: [] });
  });

  test("reads integers as floats once the column has widened", () => {
    const cells = [1n, -(2n ** 62n), null, 2.5];
    expect(decodedAs("float64", cells)).toEqual([1, -(2 ** 62), null, 2.5]);
  });

  test("holds maps, arrays and whatever stands among texts as text", () => {
    const cells: [Cell, string][] = [
      ["plain", "plain"],
      [-(2n ** 63n), "-9223372036854775808"],
      [0.1, "0.1"],
      [Number.NaN, "NaN"],
      [true, "true"],
      [new Timestamp(-1n, 999_999_999), "1969-12-31T23:59:59.999999Z"],
      [[2n ** 64n - 1n, Number.NaN, -Infinity, null], "[18446744073709551615,null,null,null]"],
      [new Map<string | bigint, Cell>([[-7n, 'a"b']]), '{"-7":"a\\"b"}'],
      [[new Timestamp(0n, 1000)], '["1970-01-01T00:00:00.000001Z"]'],
    ];
    const written = cells.map(([cell]) => cell);
    expect(decodedAs("utf8", written)).toEqual(cells.map(([, text]) => text));
  });

  test("keeps texts distinct while that pays, and each row its own after", () => {
    const builder = new TableBuilder([
      { name: "few", type: "utf8" },
      { name: "many", type: "utf8" },
    ]);
    const rows = Array.from({ length: 40_000 }, (_, row) => row);
    const few = rows.map((row) => (row % 7 === 0 ? null : `f${row % 50}`));
    const many = rows.map((row) => `m${row}`);
    const columns = [
      ["few", few],
      ["many", many],
    ] as const;
    const bytes = encodeBatch({ measurement: "m", columns });
    builder.append(bytes, 0);
    builder.append(bytes, 0);
    const table = builder.finish();
    expect(tableValues(table)).toEqual(
      new Map([
        ["few", [...few, ...few]],
        ["many", [...many, ...many]],
      ]),
    );
    const heaps = table.columns.map((column) => column.type === "utf8" && column.heap);
    expect(heaps).toMatchObject([{ isDistinct: true, entryCount: 50 }, { isDistinct: false }]);
  });
});

describe("damage to what was stored", () => {
  const columns: [string, Cell[]][] = [
    ["time", [1n, 2n]],
    ["host", ["a", "b"]],
  ];
  const bytes = encodeBatch({ measurement: "m", columns });

  test.each([
    ["all columns", [TIME, { name: "host", type: "utf8" as const }]],
    ["no column", []],
  ])("is refused as damage when the batch is cut short anywhere, for a table of %s", (_, asked) => {
    const columnsLast = encodeBatch({ measurement: "m", columns }, (count) =>
      count === 2 ? 1 : 0,
    );
    for (const whole of [bytes, columnsLast]) {
      for (let length = 0; length < whole.length; length++) {
        const builder = new TableBuilder(asked);
        expect(() => builder.append(whole.subarray(0, length), 0)).toThrow(corrupt());
      }
    }
  });

  test("names column and row of a value that the column's type cannot hold", () => {
    const builder = new TableBuilder([TIME, { name: "host", type: "int64" }]);
    expect(() => builder.append(bytes, 0)).toThrow(corrupt({ column: "host", row: 0 }));
  });

  test("names the column of text that is no UTF-8 any more", () => {
    const damaged = bytes.slice();
    damaged[damaged.lastIndexOf("b".charCodeAt(0))] = 0xff;
    const builder = new TableBuilder([{ name: "host", type: "utf8" }]);
    expect(() => builder.append(damaged, 0)).toThrow(corrupt({ column: "host" }));
  });
});

function corrupt(detail: Record<string, unknown> = {}): unknown {
  return expect.objectContaining({
    code: "segment_corrupt",
    detail: expect.objectContaining(detail),
    cause: expect.any(SluiceError),
  });
}

function decodedAs(type: ColumnType, cells: Cell[]): Value[] {
  const builder = new TableBuilder([{ name: "v", type }]);
  builder.append(encodeBatch({ measurement: "m", columns: [["v", cells]] }), 0);
  return tableValues(builder.finish()).get("v")!;
}

function decodedTimes(batch: BatchContent, receivedUs = 0): Value[] {
  const bytes = encodeBatch(batch);
  scanBatch(bytes);
  const builder = new TableBuilder([TIME]);
  builder.append(bytes, receivedUs);
  return tableValues(builder.finish()).get("time")!;
}

function encodeByOracle({ measurement, columns }: BatchContent): Uint8Array {
  const asArrays = Object.fromEntries(columns.map(([name, cells]) => [name, cells.map(forOracle)]));
  return encode({ m: measurement, columns: asArrays }, { extensionCodec, useBigInt64: true });
}

/** What the oracle can write: it has no float 1.0 nor -0.0, and its maps are objects. */
function oracleContent({ content }: { content: BatchContent }): BatchContent {
  const columns = content.columns.map(([name, cells]) => [name, cells.map(writable)] as const);
  return { ...content, columns };
}

function writable(cell: Cell): Cell {
  if (typeof cell === "number") return cell + 0;
  if (Array.isArray(cell)) return cell.map(writable);
  if (!(cell instanceof Map)) return cell;
  return new Map([...cell].map(([key, value]) => [`key ${key}`, writable(value)]));
}

function forOracle(cell: Cell): unknown {
  if (Array.isArray(cell)) return cell.map(forOracle);
  if (!(cell instanceof Map)) return cell;
  return Object.fromEntries([...cell].map(([key, value]) => [key, forOracle(value)]));
}

function decodeByOracle(bytes: Uint8Array): unknown {
  return decode(bytes, { extensionCodec, useBigInt64: true, mapKeyConverter: String });
}

/** The oracle reads integers as numbers or bigints, by their width. */
function isSame(cell: Cell, read: unknown): boolean {
  if (typeof cell === "bigint") return BigInt(read as number | bigint) === cell;
  if (Array.isArray(cell)) {
    const list = read as unknown[];
    return list.length === cell.length && cell.every((element, at) => isSame(element, list[at]));
  }
  if (cell instanceof Map) {
    const pairs = new Map([...cell].map(([key, value]) => [String(key), value]));
    const object = read as Record<string, unknown>;
    return [...pairs].every(([key, value]) => isSame(value, object[key]));
  }
  if (cell instanceof Timestamp) return isDeepStrictEqual(cell, read);
  return Object.is(cell, read);
}
