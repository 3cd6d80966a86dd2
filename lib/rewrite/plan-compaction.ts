// Which files of one table and day are to be merged into larger ones.
//
// Every merge writes its rows once more, so merging at once whatever is small would write the day's
// file over and over. Files are therefore merged with their like, in tiers of 16 times the rows:
// sixteen files of a tier become one of the next. A row is rewritten once per tier, about three
// times on its way from a minute's file to one that is large enough to be left alone for good.
//
// When nothing has come for an hour, what is left is settled: all small files become one, but a
// file that is much larger than all smaller ones together waits, for a day, for more to come.
//
// Rows are what tiers count: merging keeps their number, whereas bytes shrink, and the result of a
// merge would fall into the tier that it came from, time and again.
//
// Depends on its arguments alone, so that planning twice gives the same plan. Converges: each merge
// makes fewer files than it takes.

import { LIMITS } from "#lib/base/limits.ts";
import type { SchemaColumn } from "#lib/catalog/schema.ts";
import type { LiveFile } from "#lib/catalog/types.ts";
import { mergeMemoryBytes } from "./merge-memory.ts";
import { type TypedColumn, typedColumns } from "./source-rows.ts";

export type FileToCompact = Pick<
  LiveFile,
  "key" | "rowCount" | "byteLength" | "timeMinMs" | "timeMaxMs" | "addedMs"
>;

const TIER_BITS = 4;
const TIER_FILES = 1 << TIER_BITS;
/** A tier that memory allows to merge only a few at a time is not worth it. */
const TIER_GROUP_FILES_MIN = TIER_FILES / 4;
const SETTLE_GROUP_FILES_MIN = 2;
/** A file is settled with smaller ones once it is at most so many times as large as they are. */
const SETTLE_RATIO_MAX = 4;

/**
 * Groups of files, each to be merged in one go, in the order of their times. `files`: all that are
 * live of one table and day; `columns`: of the table of today.
 */
export function planCompaction<File extends FileToCompact>(
  files: readonly File[],
  columns: readonly SchemaColumn[],
  nowMs: number,
): File[][] {
  const small = files.filter(({ byteLength }) => byteLength < LIMITS.rewriteFileBytesMin);
  const quietMs = nowMs - files.reduce((latest, { addedMs }) => Math.max(latest, addedMs), 0);
  const typed = typedColumns(columns);
  if (quietMs >= LIMITS.compactionQuietMs) {
    const settled = quietMs >= LIMITS.compactionCloseMs ? small : withoutMuchLarger(small);
    return cutToFit(settled, typed, SETTLE_GROUP_FILES_MIN);
  }
  return [...Map.groupBy(small, ({ rowCount }) => tierOf(rowCount)).entries()]
    .filter(([, tier]) => tier.length >= TIER_FILES)
    .toSorted(([a], [b]) => a - b)
    .flatMap(([, tier]) => cutToFit(tier, typed, TIER_GROUP_FILES_MIN));
}

/** Files of 1 to 15 rows, of 16 to 255, and so on: sixteen of a tier are one of a higher tier. */
function tierOf(rowCount: number): number {
  return Math.floor((31 - Math.clz32(rowCount)) / TIER_BITS);
}

/** From the smallest up to the first that is much larger than all before it together. */
function withoutMuchLarger<File extends FileToCompact>(files: readonly File[]): File[] {
  const bySize = files.toSorted((a, b) => a.byteLength - b.byteLength || byTime(a, b));
  let byteLength = 0;
  const end = bySize.findIndex((file, i) => {
    const isMuchLarger = i > 0 && file.byteLength > SETTLE_RATIO_MAX * byteLength;
    byteLength += file.byteLength;
    return isMuchLarger;
  });
  // What is left of a break at the second file is one file: it waits too.
  return end === -1 ? bySize : bySize.slice(0, end);
}

/** Neighbours in time together, as many as one merge may take. Groups below `filesMin` wait. */
function cutToFit<File extends FileToCompact>(
  files: readonly File[],
  columns: readonly TypedColumn[],
  filesMin: number,
): File[][] {
  const groups: File[][] = [];
  let rest = files.toSorted(byTime);
  while (rest.length >= filesMin) {
    const group = rest.slice(0, countThatFit(rest, columns));
    rest = rest.slice(Math.max(1, group.length));
    if (group.length >= filesMin) groups.push(group);
  }
  return groups;
}

/** By bisection: what a merge takes and holds only grows with every file. */
function countThatFit(files: readonly FileToCompact[], columns: readonly TypedColumn[]): number {
  let low = 0;
  let high = Math.min(files.length, LIMITS.rewriteInputFilesMax);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (fits(files.slice(0, middle), columns)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function fits(files: readonly FileToCompact[], columns: readonly TypedColumn[]): boolean {
  const byteLength = files.reduce((sum, file) => sum + file.byteLength, 0);
  return (
    byteLength <= LIMITS.rewriteInputBytesMax &&
    mergeMemoryBytes(files, columns) <= LIMITS.rewriteMemoryBytesMax
  );
}

function byTime(a: FileToCompact, b: FileToCompact): number {
  return a.timeMinMs - b.timeMinMs || a.timeMaxMs - b.timeMaxMs || (a.key < b.key ? -1 : 1);
}
