// Rows in order of event time, before they are split by day and written.
//
// A file whose rows are sorted by time has row groups and pages with narrow time ranges, which is
// what a query over "the last hour" prunes by. Times are whole 64-bit numbers: neither doubles nor
// BigInts are used, the first because they round beyond the year 2255, the second because they cost
// an allocation per row. The order is found by a radix sort of row numbers (stable, so that rows of
// one microsecond stay as they arrived), and only codes and fixed-width values are moved, no text.
//
// Next: lib/columnar/split-by-day.ts.

import { assert } from "#lib/base/assert.ts";

import { gatherColumn } from "./gather.ts";
import { TIME_COLUMN } from "./kinds.ts";
import type { ColumnTable, Int64Column } from "./types.ts";

const DIGIT_BITS = 11;
const DIGIT_COUNT = 1 << DIGIT_BITS;

/**
 * The table itself when it is in order already; otherwise new columns that share its text heaps.
 */
export function sortByTime(table: ColumnTable): ColumnTable {
  const { words } = timeColumn(table);
  if (isInOrder(words, 0, table.rowCount)) return table;
  const rows = orderOf(words, table.rowCount);
  return {
    rowCount: table.rowCount,
    columns: table.columns.map((column) => gatherColumn(column, rows)),
  };
}

/** The column that every table has: event time in µs UTC, never NULL. */
export function timeColumn(table: ColumnTable): Int64Column {
  const column = table.columns.find(({ name }) => name === TIME_COLUMN);
  assert(column?.type === "timestamp", "the table has a time column");
  assert(column.validity === null, "no time is NULL");
  return column;
}

/** True when none of the 64-bit numbers in rows `[from, to)` is smaller than the one before it. */
export function isInOrder(words: Int32Array, from: number, to: number): boolean {
  for (let row = from + 1; row < to; row++) {
    const high = words[2 * row + 1];
    const highBefore = words[2 * row - 1];
    if (high < highBefore) return false;
    if (high === highBefore && words[2 * row] >>> 0 < words[2 * row - 2] >>> 0) return false;
  }
  return true;
}

/**
 * Row numbers in ascending order of their 64-bit numbers: least significant digit first, digits of
 * 11 bits of the distance to the smallest. An hour of events is a spread of 32 bits: three passes.
 */
function orderOf(words: Int32Array, rowCount: number): Uint32Array {
  const { lows, highs, spreadLow, spreadHigh } = distancesFromMin(words, rowCount);
  let order = new Uint32Array(rowCount);
  let sorted = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row++) order[row] = row;

  for (const [digits, bits] of [
    [lows, bitWidth(spreadLow)],
    [highs, bitWidth(spreadHigh)],
  ] as const) {
    for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
      sortByDigit(digits, shift, order, sorted);
      [order, sorted] = [sorted, order];
    }
  }
  return order;
}

function distancesFromMin(words: Int32Array, rowCount: number) {
  let minHigh = words[1];
  let minLow = words[0] >>> 0;
  for (let row = 1; row < rowCount; row++) {
    const high = words[2 * row + 1];
    const low = words[2 * row] >>> 0;
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high;
      minLow = low;
    }
  }

  const lows = new Uint32Array(rowCount);
  const highs = new Uint32Array(rowCount);
  let spreadLow = 0;
  let spreadHigh = 0;
  for (let row = 0; row < rowCount; row++) {
    const low = words[2 * row] >>> 0;
    lows[row] = low - minLow;
    highs[row] = words[2 * row + 1] - minHigh - (low < minLow ? 1 : 0);
    // Only the highest bit in use matters, and the union of all distances has it.
    spreadLow |= lows[row];
    spreadHigh |= highs[row];
  }
  return { lows, highs, spreadLow, spreadHigh };
}

function bitWidth(value: number): number {
  return 32 - Math.clz32(value);
}

function sortByDigit(
  digits: Uint32Array,
  shift: number,
  order: Uint32Array,
  sorted: Uint32Array,
): void {
  const starts = new Uint32Array(DIGIT_COUNT);
  for (let row = 0; row < digits.length; row++) {
    starts[(digits[row] >>> shift) & (DIGIT_COUNT - 1)]++;
  }
  let start = 0;
  for (let digit = 0; digit < DIGIT_COUNT; digit++) {
    const count = starts[digit];
    starts[digit] = start;
    start += count;
  }
  for (let i = 0; i < order.length; i++) {
    const row = order[i];
    sorted[starts[(digits[row] >>> shift) & (DIGIT_COUNT - 1)]++] = row;
  }
}
