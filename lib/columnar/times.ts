// Moments as they lie in a time column: µs in two words, low word first, and how they compare.
//
// Exact for every int64. Doubles round beyond the year 2255, BigInts cost an allocation each.

/** One moment, as words of its own. */
export function timeWords(us: bigint): Int32Array {
  return new Int32Array(BigInt64Array.of(us).buffer);
}

/** Below, at or above zero: row `a` of the one against row `b` of the other. */
export function compareTimes(aWords: Int32Array, a: number, bWords: Int32Array, b: number): number {
  const highs = aWords[2 * a + 1] - bWords[2 * b + 1];
  return highs !== 0 ? highs : (aWords[2 * a] >>> 0) - (bWords[2 * b] >>> 0);
}

/** The first of the sorted rows `[from, to)` that is not before `bound`; `to` if none is. */
export function firstNotBefore(
  words: Int32Array,
  from: number,
  to: number,
  bound: Int32Array,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareTimes(words, middle, bound, 0) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** UTC day of a row, `YYYY-MM-DD`. */
export function dayOf(words: Int32Array, row: number): string {
  return new Date(dayNumber(words, row) * 86_400_000).toISOString().slice(0, 10);
}

/**
 * Days since 1970-01-01. Exact: a day is 1024 × 84,375,000 µs, and the time / 1024 fits a double.
 */
export function dayNumber(words: Int32Array, row: number): number {
  const timeIn1024Us = words[2 * row + 1] * 2 ** 22 + (words[2 * row] >>> 10);
  return Math.floor(timeIn1024Us / 84_375_000);
}
