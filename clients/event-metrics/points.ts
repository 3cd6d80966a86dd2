// Points in the order of time: merging what was recorded apart, and counting along.
//
// Answers are the same whoever recorded the points, because their order is: by time; at one time
// counted before observed, series by their labels; within a series as they were recorded.

export interface Points {
  readonly timesUs: Float64Array;
  readonly values: Float64Array;
}

export function concatPoints(parts: readonly Points[]): Points {
  const timesUs = new Float64Array(parts.reduce((sum, part) => sum + part.timesUs.length, 0));
  const values = new Float64Array(timesUs.length);
  let at = 0;
  for (const part of parts) {
    timesUs.set(part.timesUs, at);
    values.set(part.values, at);
    at += part.timesUs.length;
  }
  return { timesUs, values };
}

/**
 * Sorts by time, leaving the order of points of one time. Points come as a few long runs that are
 * sorted already (chunks, series), which are merged two by two; sorted ones come back as they are.
 */
export function sortByTime(points: Points): Points {
  let runs = sortedRuns(points.timesUs);
  if (runs.length <= 2) return points;
  let from = points;
  let to = emptyPoints(points.timesUs.length);
  while (runs.length > 2) {
    const merged = [0];
    for (let i = 0; i + 1 < runs.length; i += 2) {
      const end = runs[i + 2] ?? runs[i + 1]!;
      mergeRuns(from, to, runs[i]!, runs[i + 1]!, end);
      merged.push(end);
    }
    // What was written becomes what is read; the points that were handed in stay as they were.
    [from, to] = [to, from === points ? emptyPoints(points.timesUs.length) : from];
    runs = merged;
  }
  return from;
}

/** Values become what they add up to, from `start` on. */
export function runningTotals({ timesUs, values }: Points, start: number): Points {
  let total = start;
  return { timesUs, values: values.map((value) => (total += value)) };
}

/** Where the first point at or after the time is; the times must be sorted. */
export function indexFrom(timesUs: Float64Array, fromUs: number): number {
  let [low, high] = [0, timesUs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesUs[middle]! < fromUs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where runs begin, and the length at the end. */
function sortedRuns(timesUs: Float64Array): number[] {
  const runs = [0];
  for (let i = 1; i < timesUs.length; i++) if (timesUs[i]! < timesUs[i - 1]!) runs.push(i);
  runs.push(timesUs.length);
  return runs;
}

function mergeRuns(from: Points, to: Points, start: number, middle: number, end: number): void {
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    const isLeft = right === end || (left < middle && from.timesUs[left]! <= from.timesUs[right]!);
    const taken = isLeft ? left++ : right++;
    to.timesUs[at] = from.timesUs[taken]!;
    to.values[at] = from.values[taken]!;
  }
}

function emptyPoints(count: number): Points {
  return { timesUs: new Float64Array(count), values: new Float64Array(count) };
}
