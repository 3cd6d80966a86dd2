// What changes in a footer whose times are handed over as plain ones, and what does not.

import { parquetMetadata, type SchemaElement } from "hyparquet";
import { expect, test } from "vitest";
import type { ColumnType } from "#lib/columnar/types.ts";
import { withPlainTimes } from "#lib/parquet/plain-times.ts";
import { parquetOf } from "../../helpers/query-world.ts";

/** More columns than a short list of Thrift has, before and behind the times. */
const TYPES: Record<string, ColumnType> = {
  first: "int64",
  time: "timestamp",
  seen: "timestamp",
  ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, "utf8" as const])),
};

test("every timestamp loses its time zone and nothing else changes", () => {
  const file = parquetOf(TYPES, { time: [1, 2], first: [5, 6] });
  const byteLength = new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true);
  const footer = file.subarray(file.length - 8 - byteLength);
  const before = footer.slice();
  const plain = withPlainTimes(footer);

  expect(footer).toEqual(before);
  const wanted = parquetMetadata(footer.slice().buffer);
  const timestamps = wanted.schema.filter(isAdjusted);
  expect(timestamps.map(({ name }) => name)).toContain("time");
  for (const { logical_type: type } of timestamps) {
    (type as { isAdjustedToUTC: boolean }).isAdjustedToUTC = false;
  }
  expect(parquetMetadata(plain.slice().buffer)).toEqual(wanted);
});

function isAdjusted({ logical_type: type }: SchemaElement): boolean {
  return type?.type === "TIMESTAMP" && type.isAdjustedToUTC;
}
