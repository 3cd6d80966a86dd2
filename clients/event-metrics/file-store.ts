// Metrics in one file: each batch becomes a chunk per series, in one transaction.
//
// A chunk is two typed arrays as they lie in memory, so that writing and reading cost little more
// than copying, and it knows its own count, sum, least and greatest value, so that most questions
// for one number read no points at all. Small chunks, from slow series, are merged as they pile up.
//
// Several connections, of several processes too, may use one file: nothing is kept in memory that
// another could change, except ids of series, which stay.

import type { DatabaseSync } from "node:sqlite";

import { type Aggregation, countByBucket, type Moments, momentsOf } from "./aggregate.ts";
import { percentilesOf, scalarOf } from "./aggregate.ts";
import { isCounted, matchingSeries, readLast, readMoments } from "./file-chunks.ts";
import { chunksFrom, pointsOf, readPoints, readValues, statsOf } from "./file-chunks.ts";
import { openMetricsFile, prepareStatements, transact } from "./file-tables.ts";
import type { ChunkPoints, ChunkStats, SeriesRow, Statements } from "./file-tables.ts";
import type { Distribution, MetricStore, Selection, SeriesSummary } from "./metric-store.ts";
import type { PointBatch } from "./point-buffer.ts";
import { concatPoints, indexFrom, type Points, sortByTime } from "./points.ts";
import { parseLabels, type Series } from "./series.ts";
import { splitBySeries } from "./split-by-series.ts";

/** So many chunks of a series are written before those of them that are small are merged. */
const CHUNKS_UNMERGED_MAX = 32;

export class FileStore implements MetricStore {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** By the connection's own numbers of series. */
  readonly #ids: number[] = [];
  readonly #unmerged: number[] = [];

  /** Throws if the file cannot be opened, or is not of this kind. */
  constructor(path: string) {
    this.#database = openMetricsFile(path);
    this.#statements = prepareStatements(this.#database);
  }

  append(batch: PointBatch, series: readonly Series[]): void {
    const parts = splitBySeries(batch, series.length);
    this.#learnIds(parts.keys(), series);
    transact(this.#database, () => {
      for (const [number, points] of parts) {
        this.#addChunk(null, this.#ids[number]!, sortByTime(points));
        this.#unmerged[number] = (this.#unmerged[number] ?? 0) + 1;
        if (this.#unmerged[number]! >= CHUNKS_UNMERGED_MAX) this.#mergeSmallChunks(number);
      }
    });
  }

  async flush(): Promise<void> {
    // What was appended is on disk.
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async scalar(selection: Selection, aggregation: Aggregation): Promise<number | null> {
    const { fromUs } = selection;
    return this.#read((statements) => {
      const series = matchingSeries(statements, selection);
      if (aggregation !== "count" && series.some(isCounted)) {
        const { values } = readPoints(statements, series, fromUs);
        return scalarOf(aggregation, momentsOf(values), values.at(-1) ?? null);
      }
      const last = aggregation === "last" ? readLast(statements, series, fromUs) : null;
      return scalarOf(aggregation, readMoments(statements, series, fromUs), last);
    });
  }

  async bucketCounts(selection: Selection, edges: readonly number[]): Promise<number[]> {
    return countByBucket(this.#values(selection), edges);
  }

  async percentiles(
    selection: Selection,
    percentiles: readonly number[],
  ): Promise<(number | null)[]> {
    return percentilesOf(this.#values(selection), percentiles);
  }

  async points(selection: Selection): Promise<Points> {
    return this.#read((statements) =>
      readPoints(statements, matchingSeries(statements, selection), selection.fromUs),
    );
  }

  async series(): Promise<Series[]> {
    return this.#allSeries().map(({ name, kind, labels }) => {
      return { name, kind, labels: parseLabels(labels), labelsJson: labels };
    });
  }

  async summaries(name: string, wanted: Distribution): Promise<SeriesSummary[]> {
    return this.#read((statements) =>
      matchingSeries(statements, { name, labels: {} })
        .map((row) => ({ row, values: readPoints(statements, [row], 0).values }))
        .filter(({ row, values }) => values.length > 0 || isCounted(row))
        .map(({ row, values }) => summaryOf(row, values, wanted)),
    );
  }

  async deleteBefore(timeUs: number): Promise<number> {
    const deleted = transact(this.#database, () =>
      this.#allSeries().reduce((sum, { id }) => sum + this.#deleteBefore(id, timeUs), 0),
    );
    this.#database.exec("PRAGMA incremental_vacuum");
    return deleted;
  }

  #values(selection: Selection): Float64Array {
    return this.#read((statements) =>
      readValues(statements, matchingSeries(statements, selection), selection.fromUs),
    );
  }

  #allSeries(): SeriesRow[] {
    return this.#statements.allSeries.all() as unknown as SeriesRow[];
  }

  /** All from one state of the file, whatever others write meanwhile. */
  #read<T>(work: (statements: Statements) => T): T {
    this.#database.exec("BEGIN");
    try {
      return work(this.#statements);
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  /** In a transaction of its own, so that an id is known only when its row stays. */
  #learnIds(numbers: Iterable<number>, series: readonly Series[]): void {
    const unknown = [...numbers].filter((number) => this.#ids[number] === undefined);
    if (unknown.length === 0) return;
    const { addSeries, seriesId } = this.#statements;
    const ids = transact(this.#database, () =>
      unknown.map((number) => {
        const { name, kind, labelsJson } = series[number]!;
        addSeries.run(name, kind, labelsJson);
        return (seriesId.get(name, kind, labelsJson) as { id: number }).id;
      }),
    );
    for (const [at, number] of unknown.entries()) this.#ids[number] = ids[at]!;
  }

  /** The points must be sorted. Without an id the chunk is the last. */
  #addChunk(id: number | null, series: number, { timesUs, values }: Points): void {
    const { count, sum, min, max } = momentsOf(values);
    const [first, last] = [timesUs[0]!, timesUs.at(-1)!];
    const [times, readings] = [bytesOf(timesUs), bytesOf(values)];
    this.#statements.addChunk.run(id, series, count, first, last, min, max, sum, times, readings);
  }

  /** Those at the end, so that the order of chunks stays the order of recording. */
  #mergeSmallChunks(number: number): void {
    const series = this.#ids[number]!;
    this.#unmerged[number] = 0;
    const chunks = this.#statements.smallChunks.all(series) as unknown as ChunkPoints[];
    if (chunks.length < 2) return;
    for (const { id } of chunks) this.#statements.deleteChunk.run(id);
    this.#addChunk(null, series, sortByTime(concatPoints(chunks.map(pointsOf))));
  }

  /** How many points. Their sum is kept if they were counted. */
  #deleteBefore(series: number, timeUs: number): number {
    const { deleteChunk, carry } = this.#statements;
    let [count, sum] = [0, 0];
    for (const chunk of chunksFrom(this.#statements, series, 0)) {
      if (chunk.time_min >= timeUs) continue;
      const gone = chunk.time_max < timeUs ? statsOf(chunk) : this.#cut(series, chunk, timeUs);
      if (chunk.time_max < timeUs) deleteChunk.run(chunk.id);
      count += gone.count;
      sum += gone.sum;
    }
    carry.run(sum, series);
    return count;
  }
  /** Leaves what is not before the time, under the same id. Returns what is gone. */
  #cut(series: number, { id }: ChunkStats, timeUs: number): Moments {
    const { chunkPoints, deleteChunk } = this.#statements;
    const { timesUs, values } = pointsOf(chunkPoints.get(id) as unknown as ChunkPoints);
    const from = indexFrom(timesUs, timeUs);
    deleteChunk.run(id);
    this.#addChunk(id, series, { timesUs: timesUs.subarray(from), values: values.subarray(from) });
    return momentsOf(values.subarray(0, from));
  }
}

/** Of one series by itself. */
function summaryOf(
  { kind, labels, carried }: SeriesRow,
  values: Float64Array,
  { edges, percentiles }: Distribution,
): SeriesSummary {
  const last = values.at(-1) ?? carried;
  return {
    kind,
    labels: parseLabels(labels),
    count: values.length,
    sum: kind === "increment" ? last : momentsOf(values).sum,
    last,
    bucketCounts: countByBucket(values, edges),
    percentiles: percentilesOf(values, percentiles),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
