// A question about one metric: which series, from when on, and what is to be made of the values.
//
//   connection.query("latency", { labels: { service: "myapp" } })
//     .fromTimedelta({ minutes: 5 })
//     .toPercentiles({ percentiles: [50, 90, 99] })
//
// A question does not change: each `from…` gives a new one, and without any it is from the
// beginning. All of the values in the window are looked at, none is sampled. What is to be made may
// be said by name, as above, or by itself: `toPercentiles([50, 90, 99])`.

import { AGGREGATIONS, type Aggregation } from "./aggregate.ts";
import type { MetricStore, Selection } from "./metric-store.ts";
import type { Points } from "./points.ts";
import { millisecondsOf, type Timedelta } from "./units.ts";

export interface Bucket {
  /** Values up to this edge are in the bucket; the last one's is Infinity. */
  readonly le: number;
  readonly count: number;
}

export interface BucketOptions {
  /** Upper edges, ascending. */
  readonly buckets: readonly number[];
  /** Each bucket counts all values up to its edge, as Prometheus has them. */
  readonly cumulative?: boolean;
}

export interface ScalarOptions {
  readonly agg?: Aggregation;
}

export interface PercentileOptions {
  readonly percentiles: readonly number[];
}

/** Makes sure that all that was recorded before is in the store, and gives it. */
type ReadyStore = () => Promise<MetricStore>;

export class MetricQuery {
  readonly #ready: ReadyStore;
  readonly #selection: Selection;

  constructor(ready: ReadyStore, selection: Selection) {
    this.#ready = ready;
    this.#selection = selection;
  }

  fromBeginning(): MetricQuery {
    return this.#from(0);
  }

  /** That time included. A number is milliseconds since 1970. */
  fromTimestamp(timestamp: Date | number): MetricQuery {
    return this.#from(microsecondsOf(timestamp));
  }

  /** What happened this long ago or later. */
  fromTimedelta(timedelta: Timedelta): MetricQuery {
    return this.#from(Math.max(0, microsecondsOf(Date.now() - millisecondsOf(timedelta))));
  }

  /** Without any values, count and sum are 0 and all others null. */
  async toScalar(wanted: Aggregation | ScalarOptions = {}): Promise<number | null> {
    const { agg = "last" } = typeof wanted === "string" ? { agg: wanted } : wanted;
    if (!AGGREGATIONS.includes(agg)) {
      throw new RangeError(`"${agg}" is no aggregation: ${AGGREGATIONS.join(", ")}`);
    }
    return (await this.#ready()).scalar(this.#selection, agg);
  }

  /** The same, as the Python library spells it. */
  toScaler(wanted?: Aggregation | ScalarOptions): Promise<number | null> {
    return this.toScalar(wanted);
  }

  async toBuckets(
    wanted: readonly number[] | BucketOptions,
    isCumulative = false,
  ): Promise<Bucket[]> {
    const options = "buckets" in wanted ? wanted : { buckets: wanted };
    const { buckets, cumulative = isCumulative } = options;
    const edges = checkedEdges(buckets);
    const counts = await (await this.#ready()).bucketCounts(this.#selection, edges);
    let below = 0;
    return counts.map((count, at) => {
      below += count;
      return { le: edges[at] ?? Infinity, count: cumulative ? below : count };
    });
  }

  /** By percentile, as numpy interpolates them; null without any values. */
  async toPercentiles(
    wanted: readonly number[] | PercentileOptions,
  ): Promise<Record<number, number | null>> {
    const { percentiles } = "percentiles" in wanted ? wanted : { percentiles: wanted };
    const store = await this.#ready();
    const found = await store.percentiles(this.#selection, checkedPercentiles(percentiles));
    return Object.fromEntries(percentiles.map((percentile, at) => [percentile, found[at]!]));
  }

  /** Values in the order of their times. */
  async toArray(): Promise<Float64Array> {
    return (await this.#points()).values;
  }

  /** Milliseconds since 1970, to the microsecond. */
  async toTimestamps(): Promise<Float64Array> {
    return (await this.#points()).timesUs.map((timeUs) => timeUs / 1_000);
  }

  /** Times and values. */
  async toTimestampsArray(): Promise<[Float64Array, Float64Array]> {
    const { timesUs, values } = await this.#points();
    return [timesUs.map((timeUs) => timeUs / 1_000), values];
  }

  async #points(): Promise<Points> {
    return (await this.#ready()).points(this.#selection);
  }

  #from(fromUs: number): MetricQuery {
    return new MetricQuery(this.#ready, { ...this.#selection, fromUs });
  }
}

/** Throws a RangeError for what is not a time from 1970 on that microseconds can tell. */
export function microsecondsOf(timestamp: Date | number): number {
  const us = Math.round(Number(timestamp) * 1_000);
  if (us >= 0 && us <= Number.MAX_SAFE_INTEGER) return us;
  throw new RangeError(`${Number(timestamp)} ms is no time that can be recorded`);
}

/** Ascending upper edges, without the last one, which is Infinity and always there. */
export function checkedEdges(buckets: readonly number[]): readonly number[] {
  const edges = buckets.at(-1) === Infinity ? buckets.slice(0, -1) : buckets;
  for (const [at, edge] of edges.entries()) {
    if (Number.isFinite(edge) && (at === 0 || edge > edges[at - 1]!)) continue;
    throw new RangeError(`buckets must have ascending edges; ${edge} is number ${at}`);
  }
  return edges;
}

export function checkedPercentiles(percentiles: readonly number[]): readonly number[] {
  const odd = percentiles.find((percentile) => !(percentile >= 0 && percentile <= 100));
  if (odd === undefined) return percentiles;
  throw new RangeError(`${odd} is no percentile: they go from 0 to 100`);
}
