import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { SchemaColumn } from "#lib/catalog/schema.ts";
import { mergeMemoryBytes } from "#lib/rewrite/merge-memory.ts";
import { type FileToCompact, planCompaction } from "#lib/rewrite/plan-compaction.ts";
import { typedColumns } from "#lib/rewrite/source-rows.ts";
import { propertyRuns } from "../../helpers/property.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const COLUMNS: SchemaColumn[] = (["timestamp", "utf8", "utf8", "float64", "int64"] as const).map(
  (type, i) => ({ name: `c${i}`, type, takesNumbers: false }),
);

/** As encoded: a footer, and rows that compress a little better among many. */
function byteLengthOf(rowCount: number): number {
  return Math.ceil(6_000 + rowCount * (18 + 10 / Math.log2(2 + rowCount / 1_000)));
}

let keys = 0;
function fileOf(
  rowCount: number,
  timeMinMs: number,
  timeMaxMs: number,
  addedMs: number,
): FileToCompact {
  const key = `f${String(keys++).padStart(8, "0")}`;
  return { key, rowCount, byteLength: byteLengthOf(rowCount), timeMinMs, timeMaxMs, addedMs };
}

/** What mergeFiles would make of a group. */
function merged(group: readonly FileToCompact[], nowMs: number): FileToCompact[] {
  const rowCount = group.reduce((sum, file) => sum + file.rowCount, 0);
  const byteLength = group.reduce((sum, file) => sum + file.byteLength, 0);
  const count = Math.max(1, Math.round(byteLength / LIMITS.rewriteFileBytesTarget));
  const start = Math.min(...group.map(({ timeMinMs }) => timeMinMs));
  const step = (Math.max(...group.map(({ timeMaxMs }) => timeMaxMs)) - start) / count;
  return Array.from({ length: count }, (_, i) =>
    fileOf(rowCount / count, start + i * step, start + (i + 1) * step, nowMs),
  );
}

/** Applies a plan; how many rows and bytes were written. */
function apply(
  files: FileToCompact[],
  plan: readonly FileToCompact[][],
  nowMs: number,
): { files: FileToCompact[]; bytes: number } {
  let bytes = 0;
  const gone = new Set(plan.flat());
  const left = files.filter((file) => !gone.has(file));
  for (const group of plan) {
    const made = merged(group, nowMs);
    for (const { byteLength } of made) bytes += byteLength;
    left.push(...made);
  }
  return { files: left, bytes };
}

const drawnFiles = fc.array(
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2_000_000 })),
      fc.integer({ min: 0, max: DAY - 1 }),
      fc.oneof(fc.constant(MINUTE), fc.integer({ min: 0, max: DAY })),
      fc.integer({ min: 0, max: 2 * DAY }),
    )
    .map(([rowCount, startMs, spanMs, addedMs]) =>
      fileOf(rowCount, startMs, Math.min(DAY, startMs + spanMs), addedMs),
    ),
  { maxLength: 120 },
);
const moments = fc.integer({ min: 2 * DAY, max: 4 * DAY });

describe("a plan", () => {
  test("takes each file once at most, and none that is large enough", () => {
    fc.assert(
      fc.property(drawnFiles, moments, (files, nowMs) => {
        const taken = planCompaction(files, COLUMNS, nowMs).flat();
        expect(new Set(taken).size).toBe(taken.length);
        for (const file of taken) {
          expect(files).toContain(file);
          expect(file.byteLength).toBeLessThan(LIMITS.rewriteFileBytesMin);
        }
      }),
      propertyRuns(300),
    );
  });

  test("asks for merges that fit, of two files or more", () => {
    fc.assert(
      fc.property(drawnFiles, moments, (files, nowMs) => {
        for (const group of planCompaction(files, COLUMNS, nowMs)) {
          const bytes = group.reduce((sum, { byteLength }) => sum + byteLength, 0);
          const memory = mergeMemoryBytes(group, typedColumns(COLUMNS));
          expect(group.length).toBeGreaterThanOrEqual(2);
          expect(bytes).toBeLessThanOrEqual(LIMITS.rewriteInputBytesMax);
          expect(memory).toBeLessThanOrEqual(LIMITS.rewriteMemoryBytesMax);
          for (const { byteLength } of merged(group, nowMs)) {
            expect(byteLength).toBeLessThanOrEqual(LIMITS.rewriteFileBytesMax);
          }
        }
      }),
      propertyRuns(300),
    );
  });

  test("is the same in whatever order it is told of the files", () => {
    fc.assert(
      fc.property(drawnFiles, moments, (files, nowMs) => {
        const plan = planCompaction(files, COLUMNS, nowMs);
        expect(planCompaction(files.toReversed(), COLUMNS, nowMs)).toEqual(plan);
      }),
      propertyRuns(100),
    );
  });

  test("carried out again and again comes to an end", () => {
    fc.assert(
      fc.property(drawnFiles, moments, (drawn, startMs) => {
        let files = drawn;
        for (let round = 0; ; round++) {
          const nowMs = startMs + round * 2 * DAY;
          const plan = planCompaction(files, COLUMNS, nowMs);
          if (plan.length === 0) break;
          const before = files.length;
          ({ files } = apply(files, plan, nowMs));
          expect(files.length).toBeLessThan(before);
        }
        expect(drawn.length === 0 || files.length > 0).toBe(true);
      }),
      propertyRuns(200),
    );
  });
});

describe("what is merged when", () => {
  const minute = (number: number, rowCount = 1_000) =>
    fileOf(rowCount, number * MINUTE, (number + 1) * MINUTE, number * MINUTE);

  test("a few minutes' files wait for more of their like, a quiet hour ends the wait", () => {
    const files = Array.from({ length: 15 }, (_, i) => minute(i));
    expect(planCompaction(files, COLUMNS, 15 * MINUTE)).toEqual([]);
    const sixteen = [...files, minute(15)];
    expect(planCompaction(sixteen, COLUMNS, 16 * MINUTE)).toEqual([sixteen]);
    const quiet = 14 * MINUTE + LIMITS.compactionQuietMs;
    expect(planCompaction(files, COLUMNS, quiet)).toEqual([files]);
  });

  test("a large file is not rewritten for a tiny one until a day has passed", () => {
    const large = fileOf(800_000, 0, DAY, 0);
    const files = [large, minute(1, 10), minute(2, 10)];
    const quiet = 2 * MINUTE + LIMITS.compactionQuietMs;
    expect(planCompaction(files, COLUMNS, quiet)).toEqual([files.slice(1)]);
    const closed = 2 * MINUTE + LIMITS.compactionCloseMs;
    expect(planCompaction(files, COLUMNS, closed)).toEqual([files]);
  });

  test("files that all cover the day are merged as many at a time as memory holds", () => {
    const files = Array.from({ length: 100 }, () => fileOf(20_000, 0, DAY, 0));
    const sizes = planCompaction(files, COLUMNS, MINUTE).map((group) => group.length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(16);
  });

  test("as long as files come, a row is written at most once per sixteenfold of its file", () => {
    const flushes = fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 400 });
    fc.assert(
      fc.property(flushes, (rowCounts) => {
        let files: FileToCompact[] = [];
        const rewrites = new Map<FileToCompact, number>();
        for (const [at, rowCount] of rowCounts.entries()) {
          files.push(minute(at, rowCount));
          for (const group of planCompaction(files, COLUMNS, at * MINUTE)) {
            const most = Math.max(...group.map((file) => rewrites.get(file) ?? 0));
            const made = merged(group, at * MINUTE);
            for (const file of made) rewrites.set(file, most + 1);
            files = [...files.filter((file) => !group.includes(file)), ...made];
          }
        }
        for (const [{ rowCount }, count] of rewrites) {
          expect(count).toBeLessThanOrEqual(Math.log2(rowCount) / 4);
        }
        expect(files.length).toBeLessThan(16 * 6);
      }),
      propertyRuns(60),
    );
  });

  test("a month of minutes becomes a file a day, each row written three times or so", () => {
    const rowsPerMinute = 1_157;
    let first = 0;
    let rewritten = 0;
    for (let day = 0; day < 30; day++) {
      let files: FileToCompact[] = [];
      let mostFiles = 0;
      for (let at = 0; at < 24 * 60; at++) {
        const file = minute(at, rowsPerMinute);
        first += file.byteLength;
        files.push(file);
        const plan = planCompaction(files, COLUMNS, file.addedMs);
        const applied = apply(files, plan, file.addedMs);
        files = applied.files;
        rewritten += applied.bytes;
        mostFiles = Math.max(mostFiles, files.length);
      }
      const nowMs = DAY + LIMITS.compactionQuietMs;
      const settled = apply(files, planCompaction(files, COLUMNS, nowMs), nowMs);
      rewritten += settled.bytes;
      expect(settled.files).toHaveLength(1);
      expect(mostFiles).toBeLessThan(3 * 16);
    }
    // Three times the rows; fewer bytes, as minutes' files are mostly footer.
    expect(rewritten / first).toBeLessThan(2);
    expect(rewritten / first).toBeGreaterThan(1.8);
  });
});
