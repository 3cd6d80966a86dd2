// Reading a metrics file: which chunks matter to a question, and no more of them than needed.
//
// A chunk that lies wholly in the window answers with what it knows about itself; only one that
// reaches over the window's beginning is opened. Chunks are read one by one, into arrays that were
// made once, because all their rows together could be several times as large.

import { addMoments, momentsOf, type Moments, NO_MOMENTS } from "./aggregate.ts";
import type { ChunkPoints, ChunkStats, SeriesRow, Statements } from "./file-tables.ts";
import type { Selection } from "./metric-store.ts";
import { concatPoints, indexFrom, type Points, runningTotals, sortByTime } from "./points.ts";
import { hasLabels, parseLabels } from "./series.ts";

/** Counted ones first, then by labels: the order of points.ts. */
export function matchingSeries(
  { seriesOfName }: Statements,
  { name, labels }: Omit<Selection, "fromUs">,
): SeriesRow[] {
  const rows = seriesOfName.all(name) as unknown as SeriesRow[];
  return rows.filter((row) => hasLabels(parseLabels(row.labels), labels));
}

export function isCounted({ kind }: SeriesRow): boolean {
  return kind === "increment";
}

/** Counted ones become running totals, of all of them together. */
export function readPoints(
  statements: Statements,
  series: readonly SeriesRow[],
  fromUs: number,
): Points {
  const counted = series.filter(isCounted);
  const observed = series.filter((row) => !isCounted(row));
  const increments = readSorted(statements, counted, fromUs);
  const start = counted.reduce((sum, row) => sum + totalBefore(statements, row, fromUs), 0);
  const totals = runningTotals(increments, start);
  if (observed.length === 0) return totals;
  return sortByTime(concatPoints([totals, readSorted(statements, observed, fromUs)]));
}

/** In no order, if none was counted. */
export function readValues(
  statements: Statements,
  series: readonly SeriesRow[],
  fromUs: number,
): Float64Array {
  if (series.some(isCounted)) return readPoints(statements, series, fromUs).values;
  const chunks = series.flatMap(({ id }) => chunksFrom(statements, id, fromUs));
  const values = new Float64Array(chunks.reduce((sum, { count }) => sum + count, 0));
  let end = 0;
  for (const chunk of chunks) {
    const part = valuesFrom(statements, chunk, fromUs);
    values.set(part, end);
    end += part.length;
  }
  return values.subarray(0, end);
}

export function readMoments(
  statements: Statements,
  series: readonly SeriesRow[],
  fromUs: number,
): Moments {
  let moments = NO_MOMENTS;
  for (const { id } of series) {
    for (const chunk of chunksFrom(statements, id, fromUs)) {
      const isWhole = chunk.time_min >= fromUs;
      const part = isWhole ? statsOf(chunk) : momentsOf(valuesFrom(statements, chunk, fromUs));
      moments = addMoments(moments, part);
    }
  }
  return moments;
}

/** Of series that were observed. */
export function readLast(
  statements: Statements,
  series: readonly SeriesRow[],
  fromUs: number,
): number | null {
  let latest: ChunkStats | null = null;
  for (const { id } of series) {
    for (const chunk of chunksFrom(statements, id, fromUs)) {
      if (latest === null || chunk.time_max >= latest.time_max) latest = chunk;
    }
  }
  return latest === null ? null : valuesFrom(statements, latest, fromUs).at(-1)!;
}

export function chunksFrom({ chunkStats }: Statements, series: number, fromUs: number) {
  return chunkStats.all(series, fromUs) as unknown as ChunkStats[];
}

export function statsOf(chunk: ChunkStats): Moments {
  const { count, value_sum: sum, value_min: min, value_max: max } = chunk;
  return { count, sum, min, max };
}

export function pointsOf({ times, readings }: ChunkPoints): Points {
  return { timesUs: floatsOf(times), values: floatsOf(readings) };
}

function readSorted(statements: Statements, series: readonly SeriesRow[], fromUs: number): Points {
  const chunks = series.flatMap(({ id }) => chunksFrom(statements, id, fromUs));
  const count = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
  const [timesUs, values] = [new Float64Array(count), new Float64Array(count)];
  let end = 0;
  for (const { id } of chunks) {
    const points = pointsOf(statements.chunkPoints.get(id) as unknown as ChunkPoints);
    const from = indexFrom(points.timesUs, fromUs);
    timesUs.set(points.timesUs.subarray(from), end);
    values.set(points.values.subarray(from), end);
    end += points.values.length - from;
  }
  return sortByTime({ timesUs: timesUs.subarray(0, end), values: values.subarray(0, end) });
}

/** What was counted before the window begins, deleted points included. */
function totalBefore(statements: Statements, { id, carried }: SeriesRow, fromUs: number): number {
  const inWindow = chunksFrom(statements, id, fromUs).filter((chunk) => chunk.time_min < fromUs);
  const { sum } = statements.sumBefore.get(id, fromUs) as { sum: number };
  return inWindow.reduce((total, chunk) => {
    const { timesUs, values } = pointsOf(
      statements.chunkPoints.get(chunk.id) as unknown as ChunkPoints,
    );
    return total + momentsOf(values.subarray(0, indexFrom(timesUs, fromUs))).sum;
  }, carried + sum);
}

/** Times are read only where the window cuts through the chunk. */
function valuesFrom(statements: Statements, chunk: ChunkStats, fromUs: number): Float64Array {
  if (chunk.time_min >= fromUs) {
    const { readings } = statements.chunkReadings.get(chunk.id) as { readings: Uint8Array };
    return floatsOf(readings);
  }
  const points = pointsOf(statements.chunkPoints.get(chunk.id) as unknown as ChunkPoints);
  return points.values.subarray(indexFrom(points.timesUs, fromUs));
}

/** Copies only what does not lie where a typed array may begin. */
function floatsOf(bytes: Uint8Array): Float64Array {
  const { buffer, byteOffset, byteLength } =
    bytes.byteOffset % Float64Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Float64Array(buffer, byteOffset, byteLength / Float64Array.BYTES_PER_ELEMENT);
}
