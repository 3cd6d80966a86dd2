import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeColumns } from "../../../clients/client/encode-columns.ts";
import { propertyRuns } from "../../helpers/property.ts";

interface Body {
  readonly m: string;
  readonly columns: Record<string, unknown[]>;
  readonly time_unit?: string;
}

/** Integers of 64 bits come back as bigints, of 32 bits as numbers. */
function bodyOf(bytes: Uint8Array): Body {
  return decode(bytes, { useBigInt64: true }) as Body;
}

const cell = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
);

describe("columns as MessagePack", () => {
  test("are read by another implementation as the values that they were", () => {
    // The other implementation refuses that one name.
    const name = fc.string({ maxLength: 20 }).filter((text) => text !== "__proto__");
    const columns = fc.dictionary(name, fc.array(cell));
    fc.assert(
      fc.property(fc.string(), columns, (measurement, given) => {
        const body = bodyOf(encodeColumns(measurement, given));
        expect(body.m).toBe(measurement);
        expect(Object.keys(body.columns).toSorted()).toEqual(Object.keys(given).toSorted());
        for (const [name, values] of Object.entries(given)) {
          const read = body.columns[name]!.map((value, at) => asGiven(value, values[at]));
          expect(read).toEqual(values);
        }
      }),
      propertyRuns(300),
    );
  });

  test("keep floats floats and integers integers, whatever their values", () => {
    const bytes = encodeColumns("m", {
      floats: Float64Array.of(20, 0.5),
      sparse: { length: 2, floats: [20, null] },
      integers: [20, 21],
      large: BigInt64Array.of(1n, -(2n ** 63n)),
    });
    // 0xcb is float 64: of 20.0 three times, where a library would have said 0x14.
    expect([...bytes].filter((byte) => byte === 0xcb).length).toBe(3);
    expect(bodyOf(bytes).columns).toEqual({
      floats: [20, 0.5],
      sparse: [20, null],
      integers: [20, 21],
      large: [1n, -(2n ** 63n)],
    });
  });

  test.each([0, 10, 11, 85, 21_845, 21_846, 100_000])("hold texts of %i characters", (length) => {
    const texts = ["é".repeat(length), "x".repeat(length), "日".repeat(length)];
    expect(bodyOf(encodeColumns("m", { texts })).columns["texts"]).toEqual(texts);
  });

  test("may be as many as the server takes, and say the unit of the time", () => {
    const names = Array.from({ length: 1_024 }, (_, at) => `c${at}`);
    const body = bodyOf(encodeColumns("m", Object.fromEntries(names.map((n) => [n, [1]])), "us"));
    expect(Object.keys(body.columns)).toHaveLength(1_024);
    expect(body.time_unit).toBe("us");
  });

  test("refuse what 64 bits cannot hold", () => {
    expect(() => encodeColumns("m", { v: [2n ** 63n] })).toThrow(RangeError);
  });
});

function asGiven(read: unknown, given: unknown): unknown {
  return typeof read === "bigint" && typeof given === "number" ? Number(read) : read;
}
