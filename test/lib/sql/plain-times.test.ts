// The changed footer is what every read of it sees, wherever the read begins and ends.

import fc from "fast-check";
import { expect, test } from "vitest";
import { withPlainTimes } from "#lib/parquet/plain-times.ts";
import { plainTimeSource } from "#lib/sql/plain-times.ts";
import { parquetOf } from "../../helpers/query-world.ts";
import { propertyRuns } from "../../helpers/property.ts";

const file = parquetOf({ time: "timestamp", v: "int64" }, { time: [1, 2, 3], v: [4, 5, 6] });
const footerByteLength =
  new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true) + 8;
const footerStart = file.length - footerByteLength;
const wanted = file.slice();
wanted.set(withPlainTimes(file.subarray(footerStart)), footerStart);

test("a read gives the bytes of the file with the changed footer", async () => {
  const before = file.slice();
  const range = fc.tuple(fc.nat(file.length), fc.nat(file.length), fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), async (ranges) => {
      let isSlow = false;
      const read = (offset: number, byteLength: number) => {
        const bytes = file.subarray(offset, offset + byteLength);
        return isSlow ? Promise.resolve(bytes) : bytes;
      };
      const source = plainTimeSource({ byteLength: file.length, read }, footerByteLength);
      expect(source.byteLength).toBe(file.length);
      for (const [one, other, isSlowNow] of ranges) {
        isSlow = isSlowNow;
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        const bytes = await source.read(start, end - start);
        expect(bytes).toEqual(wanted.subarray(start, end));
      }
    }),
    propertyRuns(200),
  );
  expect(file).toEqual(before);
});
