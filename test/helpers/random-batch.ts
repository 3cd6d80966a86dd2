// Arbitraries of batches for one table, with what the table must hold after them.
//
// A table is a list of typed columns; each batch has some of them (columns come late, and go), in
// any order, in any width MessagePack allows, plus columns nobody asks for.

import fc, { type Arbitrary } from "fast-check";
import type { Column, ColumnTable, ColumnType } from "#lib/columnar/types.ts";
import { type BatchContent, type Cell, encodeBatch, Timestamp } from "./encode-msgpack.ts";

/** What a table holds of a cell: int64 and timestamps (µs) are bigints. */
export type Value = null | bigint | number | string | boolean;

export interface RandomBatch {
  readonly content: BatchContent;
  readonly rowCount: number;
  readonly bytes: Uint8Array;
  readonly receivedUs: number;
}

export interface RandomTable {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly batches: readonly RandomBatch[];
  /** Per column, the values of all batches in order. */
  readonly values: ReadonlyMap<string, readonly Value[]>;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const SECOND_MIN = -62_135_596_800n;
const SECOND_MAX = 253_402_300_799n;

export const int64s: Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -200n, max: 70_000n }),
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  fc.constantFrom(INT64_MIN, INT64_MAX, 2n ** 53n + 1n, -(2n ** 31n), 2n ** 32n - 1n),
);

export const texts: Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "production", "staging", "GET /api/v1/query", "größer", "温度", "🛰️"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }),
);

export const timestamps: Arbitrary<Timestamp> = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 32n + 10n }),
      fc.bigInt({ min: SECOND_MIN, max: SECOND_MAX }),
    ),
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  )
  .map(([seconds, nanoseconds]) => new Timestamp(seconds, nanoseconds));

const scalars = fc.oneof(int64s, fc.double(), texts, fc.boolean(), timestamps, fc.constant(null));

const leaves: Arbitrary<Cell> = fc.oneof(
  fc.array(scalars, { maxLength: 4 }),
  fc
    .array(fc.tuple(fc.oneof(texts, int64s), scalars), { maxLength: 4 })
    .map((pairs) => new Map(pairs)),
);

export const nestedCells: Arbitrary<Cell> = fc.oneof(
  leaves,
  fc.array(fc.oneof(leaves, scalars), { maxLength: 3 }),
  fc.tuple(texts, leaves).map(([key, value]) => new Map([[key, [value]]])),
);

const CELLS: Readonly<Record<ColumnType, Arbitrary<Cell>>> = {
  int64: int64s,
  float64: fc.oneof({ weight: 3, arbitrary: fc.double() }, int64s),
  utf8: fc.oneof({ weight: 4, arbitrary: texts }, scalars, nestedCells),
  bool: fc.boolean(),
  timestamp: timestamps,
};

const names: Arbitrary<string> = fc.oneof(
  fc.constantFrom("value", "host.name", "__proto__", "constructor", "länge", "select", "a b"),
  fc.stringMatching(/^[a-z_][a-z0-9_.]{0,12}$/),
);

const widths = fc.infiniteStream(fc.nat({ max: 11 }));

/** A table of 1 to 6 columns, `time` among them, after 1 to 4 batches of 1 to 30 rows. */
export const randomTables: Arbitrary<RandomTable> = fc
  .uniqueArray(
    fc.record({
      name: names.filter((name) => name !== "time"),
      type: fc.constantFrom<ColumnType>("int64", "float64", "utf8", "bool", "timestamp"),
    }),
    { selector: ({ name }) => name.toLowerCase(), maxLength: 5 },
  )
  .map((columns) => [{ name: "time", type: "timestamp" as const }, ...columns])
  .chain((columns) =>
    fc
      .array(randomBatch(columns), { minLength: 1, maxLength: 4 })
      .map((batches) => ({ columns, batches, values: expectedValues(columns, batches) })),
  );

/** A batch that fits these columns. */
export function randomBatch(columns: RandomTable["columns"]): Arbitrary<RandomBatch> {
  return fc.integer({ min: 1, max: 30 }).chain((rowCount) => {
    const present = columns.map(({ name, type }) => {
      const cells = name === "time" ? times(rowCount) : cellsOf(type, rowCount);
      return fc.option(
        cells.map((list): [string, Cell[]] => [name, list]),
        { freq: 4 },
      );
    });
    const unasked = fc.tuple(fc.constant("~unasked"), cellsOf("utf8", rowCount));
    return fc
      .record({
        columns: fc
          .tuple(fc.tuple(...present), unasked)
          .chain(([some, more]) => shuffled([...some.filter((column) => column !== null), more])),
        receivedUs: fc.integer({ min: 0, max: 2_000_000_000_000_000 }),
        widths,
      })
      .map(({ columns, receivedUs, widths }) => {
        const content = { measurement: "m", columns };
        const bytes = encodeBatch(content, (count) => widths.next().value % count);
        return { content, rowCount, bytes, receivedUs };
      });
  });
}

function shuffled<T>(list: T[]): Arbitrary<T[]> {
  return fc.shuffledSubarray(list, { minLength: list.length });
}

function cellsOf(type: ColumnType, rowCount: number): Arbitrary<Cell[]> {
  const cells = fc.array(CELLS[type], { minLength: rowCount, maxLength: rowCount });
  const nulls = fc.array(fc.integer({ min: 0, max: 4 }), {
    minLength: rowCount,
    maxLength: rowCount,
  });
  return fc.oneof(
    { weight: 3, arbitrary: cells },
    {
      weight: 2,
      arbitrary: fc
        .tuple(cells, nulls)
        .map(([list, isNull]) => list.map((cell, row) => (isNull[row] === 0 ? null : cell))),
    },
    { weight: 1, arbitrary: fc.constant(Array<Cell>(rowCount).fill(null)) },
  );
}

/** Of microseconds, or timestamps: units are tested by example. */
function times(rowCount: number): Arbitrary<Cell[]> {
  const list = <T extends Cell>(cell: Arbitrary<T>) =>
    fc.array<Cell>(cell, { minLength: rowCount, maxLength: rowCount });
  const us = fc.bigInt({ min: 10n ** 13n, max: 10n ** 16n - 1n });
  return fc.oneof(list(us), list(timestamps));
}

export function expectedValues(
  columns: RandomTable["columns"],
  batches: readonly RandomBatch[],
): Map<string, Value[]> {
  return new Map(
    columns.map(({ name, type }) => [
      name,
      batches.flatMap(({ content, rowCount, receivedUs }) => {
        const cells = content.columns.find(([column]) => column === name)?.[1];
        if (cells !== undefined) return cells.map((cell) => expectedValue(cell, type));
        return Array<Value>(rowCount).fill(name === "time" ? BigInt(receivedUs) : null);
      }),
    ]),
  );
}

function expectedValue(cell: Cell, type: ColumnType): Value {
  if (cell === null) return null;
  if (type === "float64") return Number(cell);
  if (type === "utf8") return expectedText(cell);
  return cell instanceof Timestamp ? microseconds(cell) : (cell as Value);
}

export function microseconds({ seconds, nanoseconds }: Timestamp): bigint {
  return seconds * 1_000_000n + BigInt(Math.trunc(nanoseconds / 1000));
}

/** A cell in a text column: text as it is, all else as JSON would have it. */
export function expectedText(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (cell instanceof Timestamp) return isoText(cell);
  return typeof cell === "number" ? String(cell) : expectedJson(cell);
}

function expectedJson(cell: Cell): string {
  if (cell === null || typeof cell === "boolean" || typeof cell === "bigint") return String(cell);
  if (typeof cell === "number" || typeof cell === "string") return JSON.stringify(cell);
  if (cell instanceof Timestamp) return JSON.stringify(isoText(cell));
  if (cell instanceof Map) {
    const pairs = [...cell].map(([key, value]) => {
      return `${JSON.stringify(String(key))}:${expectedJson(value)}`;
    });
    return `{${pairs.join(",")}}`;
  }
  return `[${(cell as readonly Cell[]).map(expectedJson).join(",")}]`;
}

function isoText({ seconds, nanoseconds }: Timestamp): string {
  const toSeconds = new Date(Number(seconds) * 1000)
    .toISOString()
    .slice(0, "YYYY-MM-DDTHH:MM:SS".length);
  return `${toSeconds}.${String(nanoseconds).padStart(9, "0").slice(0, 6)}Z`;
}

export function tableValues(table: ColumnTable): Map<string, Value[]> {
  return new Map(table.columns.map((column) => [column.name, columnValues(column)]));
}

export function columnValues(column: Column): Value[] {
  const valueAt = readerOf(column);
  return Array.from({ length: column.rowCount }, (_, row) =>
    column.validity?.[row] === 0 ? null : valueAt(row),
  );
}

function readerOf(column: Column): (row: number) => Value {
  switch (column.type) {
    case "float64":
      return (row) => column.values[row]!;
    case "bool":
      return (row) => column.values[row] === 1;
    case "utf8":
      return (row) => textAt(column.heap, column.codes[row]!);
    case "int64":
    case "timestamp": {
      const { buffer, byteOffset } = column.words;
      const integers = new BigInt64Array(buffer, byteOffset, column.rowCount);
      return (row) => integers[row]!;
    }
  }
}

function textAt(heap: { offsets: Int32Array; bytes: Uint8Array }, entry: number): string {
  const bytes = heap.bytes.subarray(heap.offsets[entry], heap.offsets[entry + 1]);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}
