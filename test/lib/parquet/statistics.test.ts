import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boolBounds,
  boundBytes,
  boundStatistic,
  float64Bounds,
  int64Bounds,
  mergeStatistics,
  NO_VALUES,
  utf8Bounds,
} from "#lib/parquet/statistics.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { int64s, texts } from "../../helpers/random-batch.ts";
import { heapOf } from "../../helpers/random-table.ts";

function boundsOfTexts(values: readonly string[]) {
  const codes = Int32Array.from(values, (_, i) => i);
  return utf8Bounds(heapOf(values, false), codes, 0, values.length);
}

const encode = (text: string) => Buffer.from(text);
const decode = (bytes: unknown) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes as Uint8Array);

describe("bounds of texts", () => {
  test("are texts themselves, ordered by bytes, and hold all values between them", () => {
    const longTexts = fc.string({ unit: "binary", minLength: 50, maxLength: 90 });
    const lists = fc.array(fc.oneof(texts, longTexts), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(lists, (values) => {
        const { min, max } = boundsOfTexts(values);
        const [minBytes, maxBytes] = [min, max].map((bound) => encode(decode(bound.value)));
        for (const value of values) {
          expect(Buffer.compare(minBytes!, encode(value))).toBeLessThanOrEqual(0);
          expect(Buffer.compare(maxBytes!, encode(value))).toBeGreaterThanOrEqual(0);
        }
        const isThere = (bound: Buffer) => values.some((value) => encode(value).equals(bound));
        expect(min.isExact).toBe(isThere(minBytes!));
        expect(max.isExact && !isThere(maxBytes!)).toBe(false);
      }),
      propertyRuns(300),
    );
  });

  test("are cut between characters to 64 bytes, the largest raised", () => {
    const long = `${"a".repeat(63)}é and more`;
    const { min, max } = boundsOfTexts([long]);
    expect(decode(min.value)).toBe("a".repeat(63));
    expect(decode(max.value)).toBe(`${"a".repeat(62)}b`);
    expect([min.isExact, max.isExact]).toEqual([false, false]);
    const short = boundsOfTexts(["a".repeat(64)]);
    expect([short.min.isExact, short.max.isExact]).toEqual([true, true]);
  });

  test("step over the surrogates, and over characters that have none after them", () => {
    const maxOf = (text: string) => decode(boundsOfTexts([text]).max.value);
    expect(maxOf(`${"a".repeat(61)}\ud7ff-`)).toBe(`${"a".repeat(61)}\ue000`);
    expect(maxOf(`a${"\u{10ffff}".repeat(20)}`)).toBe("b");
    // Nothing is above it that is shorter: the value itself has to do.
    expect(maxOf("\u{10ffff}".repeat(20))).toBe("\u{10ffff}".repeat(20));
  });

  test("keep a byte order mark that a text begins with", () => {
    const { min } = boundsOfTexts(["\ufefftext"]);
    expect(boundStatistic("utf8", min)).toBe("\ufefftext");
  });
});

describe("bounds of numbers", () => {
  test("of int64 are exact over the whole range", () => {
    fc.assert(
      fc.property(fc.array(int64s, { minLength: 1, maxLength: 50 }), (values) => {
        const words = new Int32Array(BigInt64Array.from(values).buffer);
        const { min, max } = int64Bounds(words, 0, values.length);
        expect(min.value).toBe(values.reduce((a, b) => (b < a ? b : a)));
        expect(max.value).toBe(values.reduce((a, b) => (b > a ? b : a)));
      }),
      propertyRuns(300),
    );
  });

  test("of doubles: a smallest zero is -0, a largest +0, and one NaN leaves none", () => {
    const boundsOf = (...values: number[]) =>
      float64Bounds(Float64Array.from(values), 0, values.length);
    expect(boundsOf(0)!.min).toEqual({ value: -0, isExact: false });
    expect(boundsOf(-0)!.max).toEqual({ value: 0, isExact: false });
    expect(boundsOf(-Infinity, 1, Infinity)).toMatchObject({
      min: { value: -Infinity },
      max: { value: Infinity },
    });
    expect(boundsOf(NaN, 1)).toBeNull();
    expect(boundsOf(1, NaN)).toBeNull();
  });

  test("of booleans see only their range", () => {
    const flags = Uint8Array.of(0, 1, 1, 0);
    expect(boolBounds(flags, 1, 3)).toMatchObject({ min: { value: 1 }, max: { value: 1 } });
    expect(boolBounds(flags, 0, 4)).toMatchObject({ min: { value: 0 }, max: { value: 1 } });
  });

  test("are stored as the values are", () => {
    const bound = (value: bigint | number) => ({ value, isExact: true });
    expect([...boundBytes("int64", bound(-2n))]).toEqual([254, 255, 255, 255, 255, 255, 255, 255]);
    expect([...boundBytes("float64", bound(-0))]).toEqual([0, 0, 0, 0, 0, 0, 0, 128]);
    expect([...boundBytes("bool", bound(1))]).toEqual([1]);
  });
});

describe("statistics of parts", () => {
  const part = (values: number[], nullCount: number) => ({
    valueCount: values.length,
    nullCount,
    bounds: values.length === 0 ? null : float64Bounds(Float64Array.from(values), 0, values.length),
  });

  test("together count all NULLs and reach from the smallest to the largest", () => {
    const merged = [part([3, 4], 1), part([], 5), part([-1], 0)].reduce(mergeStatistics, NO_VALUES);
    expect(merged).toMatchObject({
      valueCount: 3,
      nullCount: 6,
      bounds: { min: { value: -1 }, max: { value: 4 } },
    });
  });

  test("have no bounds once a part with values has none", () => {
    expect(mergeStatistics(part([1], 0), part([NaN], 0)).bounds).toBeNull();
    expect(mergeStatistics(part([NaN], 0), part([], 1)).bounds).toBeNull();
  });
});
