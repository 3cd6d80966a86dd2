// Tables in memory, by example and at random, for what comes after decoding: sorting, Parquet.
//
// They are as awkward as the types allow: slots of NULLs and room behind the last row hold garbage,
// heaps hold texts twice or texts that no row has.

import fc, { type Arbitrary } from "fast-check";
import { LIMITS } from "#lib/base/limits.ts";
import type { Column, ColumnTable, ColumnType, TextHeap } from "#lib/columnar/types.ts";
import { int64s, texts, type Value } from "./random-batch.ts";

export interface ColumnContent {
  readonly name: string;
  readonly type: ColumnType;
  readonly values: readonly Value[];
  readonly heap?: HeapLayout;
}

/**
 * in order: each text once, as rows bring them, as the decoder makes it of one row group.
 * shuffled: each text once, in another order, with one that no row has, as after sorting.
 * repetitive: every text as often as rows have it, as where looking for repeats did not pay.
 */
export type HeapLayout = "in order" | "shuffled" | "repetitive";

const GARBAGE_ROWS = 3;

export function tableOf(columns: readonly ColumnContent[]): ColumnTable {
  return { rowCount: columns[0]!.values.length, columns: columns.map(columnOf) };
}

export function columnOf({ name, type, values, heap = "shuffled" }: ColumnContent): Column {
  const rowCount = values.length;
  const capacity = rowCount + GARBAGE_ROWS;
  const validity = values.includes(null)
    ? Uint8Array.from({ length: capacity }, (_, row) => (values[row] === null ? 0 : 1))
    : null;
  const common = { name, rowCount, validity };
  switch (type) {
    case "int64":
    case "timestamp": {
      const integers = new BigInt64Array(capacity).fill(-0x0123_4567_89ab_cdefn);
      values.forEach((value, row) => value !== null && (integers[row] = value as bigint));
      return { ...common, type, words: new Int32Array(integers.buffer) };
    }
    case "float64": {
      const doubles = new Float64Array(capacity).fill(NaN);
      values.forEach((value, row) => value !== null && (doubles[row] = value as number));
      return { ...common, type, values: doubles };
    }
    case "bool": {
      const flags = new Uint8Array(capacity).fill(1);
      values.forEach((value, row) => value !== null && (flags[row] = value === true ? 1 : 0));
      return { ...common, type, values: flags };
    }
    case "utf8":
      return { ...common, type, ...textsOf(values, capacity, heap) };
  }
}

function textsOf(values: readonly Value[], capacity: number, layout: HeapLayout) {
  const texts = values.filter((value) => typeof value === "string");
  const once = [...new Set(texts)];
  const entries = {
    "in order": once,
    shuffled: ["a text that no row has\u0000", ...once.toReversed()],
    repetitive: texts,
  }[layout];
  const numbers = new Map(entries.map((entry, number) => [entry, number]));
  const codes = new Int32Array(capacity).fill(-123_456_789);
  let next = 0;
  values.forEach((value, row) => {
    if (typeof value !== "string") return;
    codes[row] = layout === "repetitive" ? next++ : numbers.get(value)!;
  });
  return { codes, heap: heapOf(entries, layout !== "repetitive") };
}

export function heapOf(entries: readonly string[], isDistinct: boolean): TextHeap {
  const encoded = entries.map((entry) => new TextEncoder().encode(entry));
  const offsets = new Int32Array(entries.length + 1 + GARBAGE_ROWS);
  encoded.forEach((bytes, i) => (offsets[i + 1] = offsets[i]! + bytes.length));
  const bytes = new Uint8Array(Buffer.concat([...encoded, Buffer.from("garbage")]));
  return { entryCount: entries.length, offsets, bytes, isDistinct };
}

/** Of any time that is allowed, and of moments that lie close together. */
export const times: Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: LIMITS.timeUsMin, max: LIMITS.timeUsMax }),
  fc.bigInt({ min: 1_767_225_600_000_000n, max: 1_767_225_600_001_000n }),
  fc.constantFrom(LIMITS.timeUsMin, LIMITS.timeUsMax, -1n, 0n),
);

const doubles: Arbitrary<number> = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1.5, -1.5, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE),
);

const VALUES: Readonly<Record<ColumnType, Arbitrary<Value>>> = {
  int64: int64s,
  timestamp: times,
  float64: doubles,
  bool: fc.boolean(),
  utf8: texts,
};

const names = fc.oneof(
  fc.constantFrom("value", "host.name", "__proto__", "select", 'a "b"', "länge", "时间", "🛰️"),
  fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/),
);

/** Of 1 to `rowsMax` rows, the time in any order, up to five more columns. */
export function randomTables(rowsMax: number): Arbitrary<ColumnContent[]> {
  const shapes = fc.uniqueArray(
    fc.record({ name: names, type: fc.constantFrom(...(Object.keys(VALUES) as ColumnType[])) }),
    { selector: ({ name }) => name.toLowerCase(), maxLength: 5 },
  );
  return fc.tuple(shapes, fc.integer({ min: 1, max: rowsMax })).chain(([columns, rowCount]) =>
    fc.tuple(
      fc.record({
        name: fc.constant("time"),
        type: fc.constant("timestamp" as const),
        values: listOf(times, rowCount),
      }),
      ...columns
        .filter(({ name }) => name !== "time")
        .map(({ name, type }) =>
          fc.record({
            name: fc.constant(name),
            type: fc.constant(type),
            values: columnValuesOf(type, rowCount),
            heap: fc.constantFrom<HeapLayout>("in order", "shuffled", "repetitive"),
          }),
        ),
    ),
  );
}

/** Few different values or many; NULLs nowhere, now and then, nearly or really everywhere. */
function columnValuesOf(type: ColumnType, rowCount: number): Arbitrary<Value[]> {
  const many = VALUES[type];
  const few = fc
    .array(many, { minLength: 1, maxLength: 3 })
    .chain((some) => listOf(fc.constantFrom(...some), rowCount));
  const list = fc.oneof(listOf(many, rowCount), few);
  const density = fc.constantFrom(0, 0.05, 0.5, 0.95, 1);
  const chances = listOf(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), rowCount);
  return fc
    .tuple(list, density, chances)
    .map(([values, nulls, chance]) =>
      values.map((value, row) => (chance[row]! < nulls ? null : value)),
    );
}

function listOf<T>(item: Arbitrary<T>, length: number): Arbitrary<T[]> {
  return fc.array(item, { minLength: length, maxLength: length });
}
