import { expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { type FileExtent, mergeMemoryBytes } from "#lib/rewrite/merge-memory.ts";

const COLUMNS = (["timestamp", "utf8", "float64"] as const).map((type) => ({ type }));
const ROW_BYTES = 9 + 5 + 9;

function fileOf(rowCount: number, timeMinMs: number, timeMaxMs: number): FileExtent {
  return { rowCount, byteLength: 10 * rowCount, timeMinMs, timeMaxMs };
}

test("files one after the other take as much as a few of them, however many", () => {
  const take = (count: number) =>
    mergeMemoryBytes(
      Array.from({ length: count }, (_, i) => fileOf(10_000, 10 * i, 10 * i + 9)),
      COLUMNS,
    );
  expect(take(1_000)).toBe(take(100));
  expect(take(1_000)).toBeLessThan(3 * LIMITS.rewriteRowGroupBytes);
});

test("files of the same time take a row group each", () => {
  const take = (count: number) =>
    mergeMemoryBytes(
      Array.from({ length: count }, () => fileOf(1_000_000, 0, 1_000)),
      COLUMNS,
    );
  const groupBytes = LIMITS.rowGroupRows * (ROW_BYTES + 30);
  expect(take(12) - take(2)).toBe(10 * groupBytes);
});

test("a file that begins where another ends meets it", () => {
  const apart = mergeMemoryBytes([fileOf(1e6, 0, 10), fileOf(1e6, 11, 20)], COLUMNS);
  const together = mergeMemoryBytes([fileOf(1e6, 0, 10), fileOf(1e6, 10, 20)], COLUMNS);
  expect(together).toBeGreaterThan(apart);
});

test("texts count, and only where there are any", () => {
  const files = [fileOf(1_000, 0, 10)];
  const numbers = mergeMemoryBytes(files, [{ type: "timestamp" }, { type: "float64" }]);
  expect(numbers).toBe(2 * 18 * 1_000);
  expect(mergeMemoryBytes(files, COLUMNS)).toBe(2 * (ROW_BYTES + 30) * 1_000);
});
