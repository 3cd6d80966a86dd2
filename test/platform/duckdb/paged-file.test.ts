// Reads of any bytes, made of whole pages: what is stored, and what the source is asked for.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENGINE_PAGE_BYTES } from "#lib/sql/engine.ts";
import { PagedFile } from "#platform/duckdb/paged-file.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";

const BYTES = Uint8Array.from({ length: 3 * ENGINE_PAGE_BYTES + 77 }, (_, i) => (i * 31) % 251);

/** `isLate` says of each request whether its bytes come later. */
function paged(isLate: (offset: number) => boolean) {
  const asked: { offset: number; byteLength: number }[] = [];
  const file = new PagedFile({
    byteLength: BYTES.byteLength,
    read(offset, byteLength) {
      asked.push({ offset, byteLength });
      const part = BYTES.subarray(offset, offset + byteLength);
      return isLate(offset) ? Promise.resolve(part) : part;
    },
  });
  return { file, asked };
}

async function bytesOf(file: PagedFile, start: number, end: number): Promise<Uint8Array> {
  const target = new Uint8Array(end - start);
  await file.read(start, end, (part, at) => target.set(part, at));
  return target;
}

describe("a paged file", () => {
  test(
    "gives the bytes that were asked for, whenever they come",
    async () => {
      const offset = fc.nat(BYTES.byteLength);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(offset, offset)), fc.nat(15), async (reads, late) => {
          const isLate = (at: number) => ((late >> (at / ENGINE_PAGE_BYTES)) & 1) === 1;
          const { file, asked } = paged(isLate);
          for (const [one, other] of reads) {
            const [start, end] = [Math.min(one, other), Math.max(one, other)];
            expect(await bytesOf(file, start, end)).toEqual(BYTES.subarray(start, end));
          }
          for (const { offset: at, byteLength } of asked) {
            expect(at % ENGINE_PAGE_BYTES).toBe(0);
            expect(byteLength).toBe(Math.min(ENGINE_PAGE_BYTES, BYTES.byteLength - at));
          }
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test("asks once for a page that is read in small pieces", async () => {
    const { file, asked } = paged(() => false);
    for (let at = 0; at < 100; at++) await bytesOf(file, at, at + 1);
    expect(asked).toEqual([{ offset: 0, byteLength: ENGINE_PAGE_BYTES }]);
  });

  test("answers at once where its source does", () => {
    expect(paged(() => false).file.read(0, BYTES.byteLength, () => {})).toBe(null);
    expect(paged(() => true).file.read(0, 1, () => {})).toBeInstanceOf(Promise);
  });
});
