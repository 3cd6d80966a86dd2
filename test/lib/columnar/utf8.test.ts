import fc from "fast-check";
import { expect, test } from "vitest";
import { findInvalidUtf8, isUtf8, newTextSlices, NULL_SLICE } from "#lib/columnar/utf8.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

function isUtf8ByDecoder(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes at which the rules change, far more likely to come near valid text than random ones. */
const EDGES = Buffer.from("00417f808f909fa0bfc0c1c2dfe0e1ecedeeeff0f1f3f4f5ff", "hex");
const edgeBytes = fc.constantFrom(...EDGES);

const byteStrings = fc.oneof(
  fc.array(edgeBytes, { maxLength: 8 }).map((list) => Uint8Array.from(list)),
  fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 12 }),
);

test(
  "says the same of any bytes as a fatal TextDecoder",
  () => {
    fc.assert(
      fc.property(byteStrings, (bytes) => {
        expect(isUtf8(bytes, 0, bytes.length)).toBe(isUtf8ByDecoder(bytes));
      }),
      propertyRuns(2000),
    );
  },
  PROPERTY_TIMEOUT_MS,
);

test("says the same of every two bytes, and of longer sequences at the edges", () => {
  const sequences: Uint8Array[] = [];
  for (let pair = 0; pair < 0x10000; pair++) sequences.push(Uint8Array.of(pair >> 8, pair & 0xff));
  for (const lead of EDGES) {
    for (let second = 0; second < 256; second++) {
      for (const tail of [[0x80], [0xbf], [0x7f], [0x80, 0x80], [0x80, 0xc0]]) {
        sequences.push(Uint8Array.of(lead, second, ...tail));
      }
    }
  }
  const differing = sequences.filter(
    (bytes) => isUtf8(bytes, 0, bytes.length) !== isUtf8ByDecoder(bytes),
  );
  expect(differing).toEqual([]);
});

test("looks at a part of the bytes as if nothing were around it", () => {
  const bytes = new TextEncoder().encode("ä€😀");
  expect(isUtf8(bytes, 0, 9)).toBe(true);
  expect(isUtf8(bytes, 2, 5)).toBe(true);
  expect(isUtf8(bytes, 0, 1)).toBe(false);
  expect(isUtf8(bytes, 1, 2)).toBe(false);
});

test(
  "finds the first slice that is not UTF-8, and passes over NULLs",
  () => {
    fc.assert(
      fc.property(fc.array(fc.option(byteStrings), { maxLength: 20 }), (list) => {
        const bytes = Buffer.concat(list.map((item) => item ?? new Uint8Array()));
        const slices = newTextSlices(list.length);
        let position = 0;
        for (const [at, item] of list.entries()) {
          slices.starts[at] = position;
          position += item?.length ?? 0;
          slices.ends[at] = item === null ? NULL_SLICE : position;
        }
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const expected = list.findIndex((item) => item !== null && !isUtf8ByDecoder(item));
        expect(findInvalidUtf8(bytes, view, slices, list.length)).toBe(
          expected < 0 ? null : expected,
        );
      }),
      propertyRuns(500),
    );
  },
  PROPERTY_TIMEOUT_MS,
);

test("finds a bad byte anywhere in a slice of any length", () => {
  for (let length = 1; length <= 40; length++) {
    for (let bad = 0; bad < length; bad++) {
      const bytes = new Uint8Array(length).fill(0x61);
      bytes[bad] = 0xff;
      const slices = { starts: Int32Array.of(0), ends: Int32Array.of(length) };
      expect(findInvalidUtf8(bytes, new DataView(bytes.buffer), slices, 1)).toBe(0);
    }
  }
});
