// Metrics on a Sluice server: rows of the measurement `observations`, aggregated there by SQL.
//
//   time    when it happened                 value   what was observed, or added
//   name    of the metric                    labels  JSON text, keys in order
//   kind    'observation' or 'increment'     writer, seq   whose point, and its how many-th
//
// The server does the work and sends numbers, not points. Rows are fetched, in stretches of time,
// for lists of points, and where the course of what was counted is asked for: its `mean`, its
// buckets. All that this connection recorded before is stored before a question is asked.

import { SluiceClient, type SluiceClientOptions } from "../client/client.ts";
import { countByBucket, type Moments, momentsOf, NO_MOMENTS, percentilesOf } from "./aggregate.ts";
import { type Aggregation, scalarOf } from "./aggregate.ts";
import type { Distribution, MetricStore, Selection, SeriesSummary } from "./metric-store.ts";
import type { PointBatch } from "./point-buffer.ts";
import { concatPoints, type Points } from "./points.ts";
import { compareTexts, parseLabels, type Series, type SeriesKind } from "./series.ts";
import * as sql from "./sluice-sql.ts";

export const MEASUREMENT = "observations";

/** Handed to the client and still waiting for its memory. Beyond it recording is refused. */
const WAITING_POINTS_MAX = 1_000_000;
const PAGE_ROWS = 50_000;
/** More would be more than the server gives at once: that many points at one time. */
const ANSWER_ROWS_MAX = 1_000_000;

export class SluiceStore implements MetricStore {
  readonly #client: SluiceClient;
  readonly #isOwnClient: boolean;
  readonly #writer = crypto.getRandomValues(new Uint32Array(1))[0]!;
  readonly #waiting = new Set<Promise<void>>();
  #waitingPoints = 0;
  #recorded = 0;
  /** Of batches that the client did not take; the next flush tells. */
  #refusals: unknown[] = [];

  constructor(target: SluiceClient | SluiceClientOptions) {
    this.#isOwnClient = !(target instanceof SluiceClient);
    this.#client = target instanceof SluiceClient ? target : new SluiceClient(target);
  }

  append({ series: numbers, timesUs, values }: PointBatch, series: readonly Series[]): void {
    const count = numbers.length;
    if (this.#waitingPoints + count > WAITING_POINTS_MAX) {
      throw new Error(`${this.#waitingPoints} points wait for the server, which does not keep up`);
    }
    const of = Array.from(numbers, (number) => series[number]!);
    const sent = this.#client.writeColumns(MEASUREMENT, {
      time: BigInt64Array.from(timesUs, BigInt),
      name: of.map(({ name }) => name),
      kind: of.map(({ kind }) => kind),
      labels: of.map(({ labelsJson }) => labelsJson),
      value: Float64Array.from(values),
      writer: of.map(() => this.#writer),
      seq: of.map((_, at) => this.#recorded + at),
    });
    this.#recorded += count;
    this.#waitingPoints += count;
    const settled: Promise<void> = sent
      .catch((error: unknown) => void this.#refusals.push(error))
      .finally(() => {
        this.#waitingPoints -= count;
        this.#waiting.delete(settled);
      });
    this.#waiting.add(settled);
  }

  async flush(): Promise<void> {
    await Promise.all(this.#waiting);
    await this.#client.flush();
    const refusals = this.#refusals;
    this.#refusals = [];
    if (refusals.length > 0) throw new AggregateError(refusals, "points were not taken");
  }

  async close(): Promise<void> {
    if (this.#isOwnClient) await this.#client.close();
  }

  async scalar(selection: Selection, aggregation: Aggregation): Promise<number | null> {
    if (aggregation === "last") return this.#last(selection);
    const [row] = await this.#ask<sql.CountedRow & Moments>(sql.moments(selection));
    if (row === undefined) return scalarOf(aggregation, NO_MOMENTS, null);
    if (row.increments > 0 && aggregation !== "count") {
      const { values } = await this.points(selection);
      return scalarOf(aggregation, momentsOf(values), null);
    }
    const count = Number(row.count);
    return scalarOf(aggregation, count === 0 ? NO_MOMENTS : { ...row, count }, null);
  }

  async bucketCounts(selection: Selection, edges: readonly number[]): Promise<number[]> {
    const [row] = await this.#ask<sql.CountedRow>(sql.bucketCounts(selection, edges));
    if (row !== undefined && row.increments > 0) {
      return countByBucket((await this.points(selection)).values, edges);
    }
    return [...edges, Infinity].map((_, at) => Number(row?.[sql.bucketName(at)] ?? 0));
  }

  async percentiles(
    selection: Selection,
    percentiles: readonly number[],
  ): Promise<readonly (number | null)[]> {
    if (percentiles.length === 0) return [];
    const [row] = await this.#ask<sql.CountedRow>(sql.percentiles(selection, percentiles));
    if (row !== undefined && row.increments > 0) {
      return percentilesOf((await this.points(selection)).values, percentiles);
    }
    return (row?.["percentiles"] as number[] | null) ?? percentiles.map(() => null);
  }

  async points(selection: Selection): Promise<Points> {
    let total = selection.fromUs === 0 ? 0 : await this.#totalBefore(selection, selection.fromUs);
    const parts: Points[] = [];
    for await (const rows of this.#pages(selection)) {
      rows.sort(compareRows);
      parts.push({
        timesUs: Float64Array.from(rows, ({ time_us }) => time_us),
        values: Float64Array.from(rows, ({ kind, value }) =>
          kind === "increment" ? (total += value) : value,
        ),
      });
    }
    return concatPoints(parts);
  }

  async series(): Promise<Series[]> {
    const rows = await this.#ask<{ name: string; kind: SeriesKind; labels: string }>(sql.series());
    return rows.map(({ name, kind, labels }) => {
      return { name, kind, labels: parseLabels(labels), labelsJson: labels };
    });
  }

  async summaries(name: string, wanted: Distribution): Promise<SeriesSummary[]> {
    const rows = await this.#ask<sql.SummaryRow>(sql.summaries(name, wanted));
    return rows.map((row) => {
      return {
        kind: row.kind,
        labels: parseLabels(row.labels),
        count: Number(row.count),
        sum: row.sum,
        last: row.kind === "increment" ? row.sum : row.last,
        bucketCounts: [...wanted.edges, Infinity].map((_, at) => Number(row[sql.bucketName(at)])),
        percentiles: row.percentiles ?? [],
      };
    });
  }

  deleteBefore(): Promise<number> {
    const message = "points on a server are deleted by a retention policy of its measurement";
    return Promise.reject(new Error(`${message} ${MEASUREMENT}`));
  }

  async #last(selection: Selection): Promise<number | null> {
    const [row] = await this.#ask<{ kind: SeriesKind; value: number }>(sql.last(selection));
    if (row === undefined) return null;
    return row.kind === "increment" ? this.#totalBefore(selection, Infinity) : row.value;
  }

  async #totalBefore(selection: Selection, beforeUs: number): Promise<number> {
    const question = sql.totalBefore(selection, beforeUs);
    const [row] = await this.#ask<{ total: number | null }>(question);
    return row?.total ?? 0;
  }

  /** One stretch of time after the other, each with about as many rows. */
  async *#pages(selection: Selection): AsyncGenerator<sql.PointRow[]> {
    const [answer] = await this.#ask<{ count: number }>(sql.count(selection));
    const parts = Math.ceil(Number(answer?.count ?? 0) / PAGE_ROWS);
    const ends = [...(await this.#timesBetween(selection, parts)), Infinity];
    let { fromUs } = selection;
    for (const endUs of ends) {
      const part = { ...selection, fromUs };
      const rows = await this.#ask<sql.PointRow>(sql.points(part, endUs, ANSWER_ROWS_MAX));
      if (rows.length === ANSWER_ROWS_MAX) throw new Error("too many points have one time");
      yield rows;
      fromUs = endUs;
    }
  }

  async #timesBetween(selection: Selection, parts: number): Promise<number[]> {
    if (parts < 2) return [];
    const question = sql.timesBetween(selection, parts);
    const [row] = await this.#ask<{ times_us: number[] }>(question);
    return [...new Set(row!.times_us)];
  }

  async #ask<T>({ text, params }: sql.Question): Promise<T[]> {
    await this.flush();
    return this.#client.query<T>(text, params);
  }
}

/** The order of points.ts; writer and seq make it the same one each time. */
function compareRows(a: sql.PointRow, b: sql.PointRow): number {
  return (
    a.time_us - b.time_us ||
    compareTexts(a.kind, b.kind) ||
    compareTexts(a.labels, b.labels) ||
    a.writer - b.writer ||
    a.seq - b.seq
  );
}
