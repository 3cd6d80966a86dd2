// A batch as it was recorded, taken apart into the points of each series, in two passes.

import type { PointBatch } from "./point-buffer.ts";
import type { Points } from "./points.ts";

/** By number of series, of which there are `seriesCount`; points stay in their order. */
export function splitBySeries(batch: PointBatch, seriesCount: number): Map<number, Points> {
  const { series, timesUs, values } = batch;
  const counts = new Uint32Array(seriesCount);
  for (const number of series) counts[number]!++;
  const ends = new Uint32Array(seriesCount);
  const parts = new Map<number, Points>();
  const sorted = {
    timesUs: new Float64Array(series.length),
    values: new Float64Array(series.length),
  };
  let start = 0;
  for (const [number, count] of counts.entries()) {
    if (count === 0) continue;
    ends[number] = start;
    parts.set(number, {
      timesUs: sorted.timesUs.subarray(start, start + count),
      values: sorted.values.subarray(start, start + count),
    });
    start += count;
  }
  for (let i = 0; i < series.length; i++) {
    const at = ends[series[i]!]!++;
    sorted.timesUs[at] = timesUs[i]!;
    sorted.values[at] = values[i]!;
  }
  return parts;
}
