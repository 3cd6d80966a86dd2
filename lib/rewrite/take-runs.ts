// Which rows come next: the earliest of several sorted sources, as runs of neighbouring rows.
//
// A binary heap of the sources by their next time; from the earliest all rows are taken that come
// before the next row of every other. Files that follow each other give runs of thousands of rows,
// which are then copied in one go; files that interleave give short ones, at the cost of a few
// comparisons each. Equal times keep the order of the sources, so that merging is stable.

import { compareTimes, firstNotBefore } from "#lib/columnar/times.ts";
import type { SourceRows } from "./source-rows.ts";

/** Run i are rows `[froms[i], tos[i])` of source `sources[i]`. */
export interface Runs {
  readonly sources: number[];
  readonly froms: number[];
  readonly tos: number[];
  rowCount: number;
}

export interface RunLimits {
  /** Only rows before this moment. null: all. */
  readonly before: Int32Array | null;
  readonly rowsMax: number;
  /** As `rowBytes` of the sources counts them; at least one row is taken. */
  readonly bytesMax: number;
}

/** Advances the sources by what it takes. They are in the order that equal times are to keep. */
export function takeRuns(sources: readonly SourceRows[], limits: RunLimits): Runs {
  const runs: Runs = { sources: [], froms: [], tos: [], rowCount: 0 };
  const ends = sources.map(({ times, from, to }) =>
    limits.before === null ? to : firstNotBefore(times, from, to, limits.before),
  );
  const heap = sources.flatMap(({ from }, i) => (from < ends[i] ? [i] : []));
  for (let at = heap.length >> 1; at >= 0; at--) siftDown(heap, at, sources);

  let bytesLeft = limits.bytesMax;
  while (heap.length > 0 && runs.rowCount < limits.rowsMax && bytesLeft > 0) {
    const first = heap[0];
    const source = sources[first];
    const { from, rowBytes } = source;
    const rowsMax = Math.min(limits.rowsMax - runs.rowCount, Math.ceil(bytesLeft / rowBytes));
    const to = Math.min(from + rowsMax, runEnd(heap, ends[first], sources));
    runs.sources.push(first);
    runs.froms.push(from);
    runs.tos.push(to);
    runs.rowCount += to - from;
    bytesLeft -= (to - from) * rowBytes;
    source.from = to;
    if (to === ends[first]) {
      heap[0] = heap[heap.length - 1];
      heap.pop();
    }
    siftDown(heap, 0, sources);
  }
  return runs;
}

/** Behind the last row of the first source that comes before all rows of the others. */
function runEnd(heap: readonly number[], end: number, sources: readonly SourceRows[]): number {
  const first = heap[0];
  if (heap.length === 1) return end;
  const second = heap.length > 2 && comesBefore(heap[2], heap[1], sources) ? heap[2] : heap[1];
  const { times, from } = sources[first];
  const { times: otherTimes, from: otherFrom } = sources[second];
  const isWithin = (row: number): boolean => {
    const order = compareTimes(times, row, otherTimes, otherFrom);
    return order < 0 || (order === 0 && first < second);
  };
  // Doubling steps, then halving: cheap for runs of any length.
  let low = from + 1;
  let step = 1;
  while (low < end && isWithin(Math.min(end, low + step) - 1)) {
    low = Math.min(end, low + step);
    step *= 2;
  }
  let high = Math.min(end, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isWithin(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function siftDown(heap: number[], from: number, sources: readonly SourceRows[]): void {
  let at = from;
  for (;;) {
    let least = 2 * at + 1;
    if (least >= heap.length) return;
    if (least + 1 < heap.length && comesBefore(heap[least + 1], heap[least], sources)) least++;
    if (!comesBefore(heap[least], heap[at], sources)) return;
    [heap[at], heap[least]] = [heap[least], heap[at]];
    at = least;
  }
}

function comesBefore(a: number, b: number, sources: readonly SourceRows[]): boolean {
  const { times, from } = sources[a];
  const { times: otherTimes, from: otherFrom } = sources[b];
  const order = compareTimes(times, from, otherTimes, otherFrom);
  return order < 0 || (order === 0 && a < b);
}
