// Event-time metrics: record a number when it happens, ask about all of them later.
//
//   const connection = new MetricConnection("/tmp/event_metrics_demo");
//   connection.observe("latency", 2.0, { labels: { service: "myapp" } });
//   connection.increment("requests");
//   await connection.query("latency").fromTimedelta({ minutes: 5 }).toScalar({ agg: "mean" });
//
// A path is a file, read and written by this process; an address is a Sluice server. Recording only
// puts a point into memory: it becomes durable with many others, after 100 ms, when the buffer is
// full, or by `flush`. A question is asked about everything recorded before it.
//
// What an increment is. It is stored as what it adds, never as a total, so that any number of
// connections and processes may count at the same time without knowing of each other. A question
// makes totals of increments: a point's value is the sum of all increments up to its time, since
// counting began and not since the window does, over all series that match. So `last` is the
// counter's value, the points of `toArray` are its course, and asking for fewer labels counts more.
// Observed points of the same name stay as they are and are not added to. Deleting old points
// leaves totals as they are. File and server do it alike; only what adds floats in another order
// may differ in the last bits.
//
// Refuses values that are not finite, times before 1970, and what series.ts refuses.

import type { SluiceClient, SluiceClientOptions } from "../client/client.ts";
import { Clock } from "./clock.ts";
import { FileStore } from "./file-store.ts";
import { MetricQuery, microsecondsOf } from "./metric-query.ts";
import type { Distribution, MetricStore, SeriesSummary } from "./metric-store.ts";
import { PointBuffer } from "./point-buffer.ts";
import { type Labels, labelTexts, type Series, type SeriesKind, SeriesTable } from "./series.ts";
import { SluiceStore } from "./sluice-store.ts";

export { Units } from "./units.ts";

const BUFFERED_MS_MAX = 100;

export interface PointOptions {
  readonly labels?: Labels;
  /** When it happened; now, if missing. A number is milliseconds since 1970. */
  readonly timestamp?: Date | number;
}

export interface QueryOptions {
  readonly labels?: Labels;
}

export class MetricConnection {
  readonly #store: MetricStore;
  readonly #series = new SeriesTable();
  readonly #buffer = new PointBuffer();
  readonly #clock = new Clock();
  #bufferedSinceUs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** A path, a client (which stays open on `close`), or what makes one. */
  constructor(target: string | SluiceClient | SluiceClientOptions) {
    this.#store = typeof target === "string" ? new FileStore(target) : new SluiceStore(target);
  }

  /** Throws when the value cannot be kept, or the buffer is full and cannot be written. */
  observe(name: string, value: number, options?: PointOptions): void {
    this.#record("observation", name, value, options);
  }

  /** Throws as `observe` does. */
  increment(name: string, by = 1, options?: PointOptions): void {
    this.#record("increment", name, by, options);
  }

  /** About every series of the name that has at least these labels. */
  query(name: string, options: QueryOptions = {}): MetricQuery {
    checkOptions(options, ["labels"]);
    const selection = { name, labels: labelTexts(options.labels ?? {}), fromUs: 0 };
    return new MetricQuery(() => this.#readyStore(), selection);
  }

  /** Every series there is, of all connections, by name, kind and labels. */
  async series(): Promise<Series[]> {
    return (await this.#readyStore()).series();
  }

  /** The series of one name, each by itself, in numbers. */
  async summaries(name: string, wanted: Distribution): Promise<SeriesSummary[]> {
    return (await this.#readyStore()).summaries(name, wanted);
  }

  /** Everything recorded before is durable, or an error says what is not. */
  async flush(): Promise<void> {
    await (await this.#readyStore()).flush();
  }

  /**
   * Deletes points that are older, of all metrics, and tells how many. In a file alone: on a server
   * it is a retention policy's task.
   */
  async deleteBefore(timestamp: Date | number): Promise<number> {
    return (await this.#readyStore()).deleteBefore(microsecondsOf(timestamp));
  }

  /**
   * Flushes. Afterwards nothing can be recorded or asked. Rejects when points cannot be written,
   * which are then lost; whoever wants to try again flushes first.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.flush();
    } finally {
      this.#isClosed = true;
      clearTimeout(this.#timer);
      await this.#store.close();
    }
  }

  #record(kind: SeriesKind, name: string, value: number, options?: PointOptions): void {
    if (!Number.isFinite(value)) throw new TypeError(`${name}: ${value} is no finite number`);
    if (this.#isClosed) throw new Error("the connection is closed");
    if (options !== undefined) checkOptions(options, ["labels", "timestamp"]);
    const nowUs = this.#clock.nowUs();
    const timestamp = options?.timestamp;
    const timeUs = timestamp === undefined ? nowUs : microsecondsOf(timestamp);
    const series = this.#series.numberOf(kind, name, options?.labels);
    if (this.#buffer.isEmpty) this.#beginBuffer(nowUs);
    // A loop that never waits gives timers no chance, so the age is looked at here, too.
    else if (this.#buffer.isFull || nowUs - this.#bufferedSinceUs > BUFFERED_MS_MAX * 1_000) {
      this.#writeBuffer();
      this.#beginBuffer(nowUs);
    }
    this.#buffer.append(series, timeUs, value);
  }

  #beginBuffer(nowUs: number): void {
    this.#bufferedSinceUs = nowUs;
    this.#timer ??= setTimeout(() => this.#onTimer(), BUFFERED_MS_MAX);
  }

  #onTimer(): void {
    this.#timer = undefined;
    try {
      this.#writeBuffer();
    } catch {
      // The points are still in the buffer. Whoever fills it, flushes, asks or closes is told.
      this.#timer = setTimeout(() => this.#onTimer(), BUFFERED_MS_MAX);
    }
  }

  #writeBuffer(): void {
    if (this.#buffer.isEmpty) return;
    this.#store.append(this.#buffer.batch(), this.#series.list);
    this.#buffer.clear();
    this.#clock.lay();
  }

  async #readyStore(): Promise<MetricStore> {
    if (this.#isClosed) throw new Error("the connection is closed");
    this.#writeBuffer();
    return this.#store;
  }
}

/** Labels in place of `{ labels }` would be no labels at all. */
function checkOptions(options: object, known: readonly string[]): void {
  for (const name in options) {
    if (!known.includes(name)) throw new TypeError(`"${name}" is no option: ${known.join(", ")}`);
  }
}
