// Which bytes are fetched ahead, held against where a file says that its columns lie.

import { parquetMetadata } from "hyparquet";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { ANY_ROW, type RowPredicate } from "#lib/catalog/row-predicate.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { ENGINE_PAGE_BYTES } from "#lib/sql/engine.ts";
import { footerRange, planRanges, type ReadWish } from "#lib/sql/read-plan.ts";
import { parquetOf } from "../../helpers/query-world.ts";

const START_MS = Date.UTC(2026, 0, 1);
const ROWS = 230_000;
const numbers = Array.from({ length: ROWS }, (_, i) => i);
const bytes = parquetOf(
  { time: "timestamp", id: "int64", noise: "float64", Name: "utf8" },
  {
    time: numbers.map((i) => START_MS + i),
    id: numbers,
    noise: numbers.map(Math.sin),
    Name: numbers.map((i) => `name ${(i * 7_919) % ROWS} of many`),
  },
);
const file = bytes.slice().buffer;
const footerByteLength = new DataView(file).getUint32(bytes.byteLength - 8, true) + 8;
const footer = bytes.subarray(bytes.byteLength - footerByteLength);
const OPEN: TimeRangeMs = { minMs: null, maxMs: null };
const types = new Map<string, ColumnType>([
  ["time", "timestamp"],
  ["id", "int64"],
  ["noise", "float64"],
  ["name", "utf8"],
]);

function wish(time: TimeRangeMs, names?: string[], where: RowPredicate = ANY_ROW): ReadWish {
  const columnNames = names === undefined ? null : new Set(names);
  return { columnNames, sights: [{ time, where }], types };
}

function chunk(group: number, name: string): { start: number; end: number } {
  const columns = parquetMetadata(file).row_groups[group]!.columns;
  const data = columns.find(({ meta_data: one }) => one!.path_in_schema[0] === name)!.meta_data!;
  const start = Number(data.dictionary_page_offset ?? data.data_page_offset);
  return { start, end: start + Number(data.total_compressed_size) };
}

describe("the plan of a file", () => {
  test("has every wanted column chunk and no other", () => {
    const { ranges } = planRanges(footer, bytes.byteLength, wish(OPEN, ["name"]));
    for (const group of [0, 1, 2]) {
      const { start, end } = chunk(group, "Name");
      const covered = ranges
        .filter((range) => range.start < end && range.end > start)
        .reduce((sum, range) => sum + Math.min(end, range.end) - Math.max(start, range.start), 0);
      expect(covered).toBe(end - start);
      for (const name of ["time", "noise"]) {
        const other = chunk(group, name);
        const middle = (other.start + other.end) / 2;
        expect(ranges.some((range) => range.start <= middle && middle < range.end)).toBe(false);
      }
    }
  });

  test("leaves out row groups beyond the time range", () => {
    const time = { minMs: START_MS + 110_000, maxMs: START_MS + 190_000 };
    const { ranges } = planRanges(footer, bytes.byteLength, wish(time));
    const inGroup = (group: number) => {
      const [from, to] = [chunk(group, "time").start, chunk(group, "Name").end];
      return ranges
        .filter(({ start, end }) => start < to && end > from)
        .reduce((sum, { start, end }) => sum + Math.min(end, to) - Math.max(start, from), 0);
    };
    expect(inGroup(1)).toBe(chunk(1, "Name").end - chunk(1, "time").start);
    for (const group of [0, 2]) expect(inGroup(group)).toBeLessThanOrEqual(2 * ENGINE_PAGE_BYTES);
  });

  test("is in whole pages, in order, apart, and no piece too large", () => {
    const { ranges } = planRanges(footer, bytes.byteLength, wish(OPEN));
    let last = 0;
    for (const { start, end } of ranges) {
      expect(start % ENGINE_PAGE_BYTES).toBe(0);
      expect(start).toBeGreaterThanOrEqual(last);
      expect(end - start).toBeLessThanOrEqual(LIMITS.readRangeBytesMax);
      last = end;
    }
    expect(last).toBeLessThanOrEqual(bytes.byteLength);
  });

  test("begins with the page in which the footer begins", () => {
    const { start, end } = footerRange(bytes.byteLength, footerByteLength);
    expect(start).toBeLessThanOrEqual(bytes.byteLength - footerByteLength);
    expect(start % ENGINE_PAGE_BYTES).toBe(0);
    expect(end).toBe(bytes.byteLength);
  });
});
