// Which rows go into which file: one per UTC day of event time.
//
// A query names days or hours far more often than anything else, and retention drops whole days. A
// day is coarse enough that a segment of live traffic makes one file, seldom two. Old data that is
// loaded in one go may span thousands of days: then neighbouring days share a file, since a file
// costs a request to every query and a row in the catalog, and is still pruned by its time range.
//
// Next: lib/parquet/write-file.ts.

import { assert } from "#lib/base/assert.ts";
import { LIMITS } from "#lib/base/limits.ts";

import { isInOrder, timeColumn } from "./sort.ts";
import { dayNumber, dayOf } from "./times.ts";
import type { ColumnTable } from "./types.ts";

/** Rows `[from, to)` of a table sorted by time. */
export interface DayRange {
  /** UTC day of the first row, `YYYY-MM-DD`. */
  readonly day: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Neighbouring ranges that cover all rows, none empty, at most `LIMITS.partitionsPerSegmentMax`.
 */
export function splitByDay(table: ColumnTable): DayRange[] {
  const { words } = timeColumn(table);
  const { rowCount } = table;
  assert(isInOrder(words, 0, rowCount), "rows are sorted by time before they are split by day");

  const starts = dayStarts(words, rowCount);
  const froms =
    starts.length <= LIMITS.partitionsPerSegmentMax ? starts : shareRanges(starts, rowCount);
  return froms.map((from, i) => ({
    day: dayOf(words, from),
    from,
    to: froms[i + 1] ?? rowCount,
  }));
}

function dayStarts(words: Int32Array, rowCount: number): number[] {
  const starts: number[] = [];
  let dayBefore = NaN;
  for (let row = 0; row < rowCount; row++) {
    const day = dayNumber(words, row);
    if (day !== dayBefore) starts.push(row);
    dayBefore = day;
  }
  return starts;
}

/** Ends a range at the first day that brings it to its even share of the rows. */
function shareRanges(starts: readonly number[], rowCount: number): number[] {
  const share = rowCount / LIMITS.partitionsPerSegmentMax;
  const froms = [0];
  for (const start of starts) {
    if (start - froms[froms.length - 1] >= share) froms.push(start);
  }
  return froms;
}
