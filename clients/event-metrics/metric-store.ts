// What a back-end must do: take points, and answer from all that it has. A file and a Sluice server
// are the two; both give the same answers (test/clients/event-metrics).

import type { Aggregation } from "./aggregate.ts";
import type { PointBatch } from "./point-buffer.ts";
import type { Points } from "./points.ts";
import type { Series, SeriesKind } from "./series.ts";

export interface MetricStore {
  /** All of the batch or, by an error, nothing of it. The arrays may change when it returns. */
  append(batch: PointBatch, series: readonly Series[]): void;
  /** What was appended is durable, or an error says what is not. */
  flush(): Promise<void>;
  /** After this nothing else is called. */
  close(): Promise<void>;

  scalar(selection: Selection, aggregation: Aggregation): Promise<number | null>;
  /** One more than edges: what is at most each edge and above the one before, and what is above. */
  bucketCounts(selection: Selection, edges: readonly number[]): Promise<number[]>;
  percentiles(
    selection: Selection,
    percentiles: readonly number[],
  ): Promise<readonly (number | null)[]>;
  /** In the order of points.ts. */
  points(selection: Selection): Promise<Points>;

  series(): Promise<Series[]>;
  /** The series of a name, each by itself: observed ones, then counted ones, by their labels. */
  summaries(name: string, wanted: Distribution): Promise<SeriesSummary[]>;
  /** Takes out the points before a time, but not what was counted by then. How many they were. */
  deleteBefore(timeUs: number): Promise<number>;
}

/** All series of the name that have these labels, from a time on. */
export interface Selection {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** 0 = from the beginning: times before 1970 are refused. */
  readonly fromUs: number;
}

export interface Distribution {
  readonly edges: readonly number[];
  readonly percentiles: readonly number[];
}

export interface SeriesSummary {
  readonly kind: SeriesKind;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** Of what was counted: its total. */
  readonly sum: number;
  readonly last: number;
  readonly bucketCounts: readonly number[];
  readonly percentiles: readonly (number | null)[];
}
