// TelemetryManager: records events, metrics and spans, and asks about them.
//
// Recording is synchronous, never throws and never waits: a record goes into a bounded memory and
// is written behind the application's back, by number and age. What cannot be kept is counted
// (stats) and told to onError, because telemetry must not take the application with it and must not
// lose in silence either. Asking and flushing may reject: there somebody waits for an answer.
//
// Flows into a back-end (backend.ts); rows are made in tables.ts.

import { ActiveSpan, messageOf, runInSpan } from "./active-span.ts";
import type { EndedSpan, SpanOptions } from "./active-span.ts";
import { openBackend } from "./backend.ts";
import type { Backend } from "./backend.ts";
import { TelemetryConfig } from "./config.ts";
import { AGGREGATION_TYPES } from "./model.ts";
import type {
  Event,
  EventQuery,
  EventRecord,
  Metric,
  MetricQuery,
  MetricRecord,
  Span,
  SpanQuery,
  Trace,
  TraceQuery,
} from "./model.ts";
import { newUuid } from "./new-uuid.ts";
import { Pending } from "./pending.ts";
import type { Batch } from "./pending.ts";
import { isTraceKept } from "./sampling.ts";
import { selectEvents, selectMetrics, selectSpans, selectTraces } from "./selection.ts";
import { eventOf, eventRow, metricOf, metricRow, spanOf, spanRow } from "./tables.ts";
import type { Row, TableName } from "./tables.ts";

export interface RecordingStats {
  /** Taken into memory, since the beginning. */
  readonly recorded: number;
  /** Durable. */
  readonly written: number;
  /** Left out by sampling. */
  readonly sampledOut: number;
  /** Lost: invalid, no room in memory, or refused by the back-end. */
  readonly dropped: number;
}

/** Years 1970 to 9999: what both back-ends can keep. */
const TIME_MS_MAX = 253_402_300_799_999;

export class TelemetryManager {
  static #instance: TelemetryManager | undefined;

  readonly config: TelemetryConfig;
  readonly #pending: Pending;
  readonly #counts = { recorded: 0, written: 0, sampledOut: 0, dropped: 0 };
  #backend: Promise<Backend> | undefined;
  /** Writes go one after the other, so that the order of batches is that of recording. */
  #writing: Promise<void> = Promise.resolve();
  /** The first loss that no flush has told of yet. */
  #loss: Error | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #seq = Date.now() * 1_000;
  #isFull = false;
  #shutdown: Promise<void> | undefined;

  constructor(config: TelemetryConfig) {
    this.config = config;
    this.#pending = new Pending(config.memoryBytesMax);
  }

  /**
   * The one of this process. A config makes a new one, unless it is the present one's; the one
   * before goes on for whoever holds it. Before the first config it is one that takes nothing.
   */
  static getInstance(config?: TelemetryConfig): TelemetryManager {
    const present = TelemetryManager.#instance;
    if (present !== undefined && (config === undefined || config === present.config)) {
      return present;
    }
    return (TelemetryManager.#instance = new TelemetryManager(
      config ?? TelemetryConfig.createNoop(),
    ));
  }

  /** Never throws. Without a finite value or a known aggregation it is counted as lost. */
  recordEvent(record: EventRecord): void {
    this.#guard(() => {
      if (!this.config.enableEvents || !this.#isTraceKept(record.traceId)) return;
      const type = record.eventType ?? record.type ?? "custom";
      const event: Event = {
        eventId: record.eventId ?? newUuid(),
        traceId: record.traceId ?? null,
        spanId: record.spanId ?? null,
        type,
        name: record.name ?? type,
        timestamp: new Date(record.timestamp ?? Date.now()),
        attributes: record.attributes ?? {},
      };
      this.#add("telemetry_events", eventRow(event, this.#seq++));
    });
  }

  /** Never throws. Without a finite value or a known aggregation it is counted as lost. */
  recordMetric(record: MetricRecord): void {
    this.#guard(() => {
      if (!this.config.enableMetrics || !this.#isMetricKept(record.name)) return;
      if (!Number.isFinite(record.value)) {
        throw new RangeError(`metric ${record.name} has the value ${record.value}`);
      }
      const { aggregationType = "gauge" } = record;
      if (!AGGREGATION_TYPES.includes(aggregationType)) {
        throw new RangeError(`metric ${record.name} has the aggregation type ${aggregationType}`);
      }
      const metric: Metric = {
        metricId: record.metricId ?? newUuid(),
        traceId: record.traceId ?? null,
        name: record.name,
        value: record.value,
        unit: record.unit ?? "",
        aggregationType,
        timestamp: new Date(record.timestamp ?? Date.now()),
        attributes: record.attributes ?? {},
      };
      this.#add("telemetry_metrics", metricRow(metric, this.#seq++));
    });
  }

  /** A span without a parent: the whole of a run. */
  startTrace(options: Omit<SpanOptions, "parentSpanId">): ActiveSpan {
    const traceId = options.traceId ?? newUuid();
    return this.startSpan({ ...options, traceId, parentSpanId: null });
  }

  /** It is recorded when it ends. */
  startSpan(options: SpanOptions): ActiveSpan {
    return new ActiveSpan(options, (span) => this.#recordSpan(span));
  }

  /** The result of `run`, as it is; the span ends when `run`, or the promise it gave, has ended. */
  withSpan<T>(name: string, run: (span: ActiveSpan) => T, options: Partial<SpanOptions> = {}): T {
    const span = this.startSpan({ ...options, name });
    return runInSpan(span, () => run(span));
  }

  /** Whether spans and events of this trace are kept. */
  isSampled(traceId: string): boolean {
    return isTraceKept(traceId, this.config.samplingRate);
  }

  async queryEvents(query: EventQuery = {}): Promise<Event[]> {
    return (await (await this.#opened()).select(selectEvents(query))).map(eventOf);
  }

  async queryMetrics(query: MetricQuery = {}): Promise<Metric[]> {
    return (await (await this.#opened()).select(selectMetrics(query))).map(metricOf);
  }

  async querySpans(query: SpanQuery = {}): Promise<Span[]> {
    return (await (await this.#opened()).select(selectSpans(query))).map(spanOf);
  }

  async queryTraces(query: TraceQuery = {}): Promise<Trace[]> {
    const rows = await (await this.#opened()).select(selectTraces(query));
    return rows.map((row) => {
      const { spanId: _id, parentSpanId: _none, ...trace } = spanOf(row);
      return trace;
    });
  }

  /**
   * When it resolves, everything recorded before is durable and can be asked for. Rejects with the
   * first loss since the last flush.
   */
  async flush(): Promise<void> {
    await this.#writeWaiting();
    const loss = this.#loss;
    this.#loss = undefined;
    if (loss !== undefined) throw loss;
  }

  /** Flushes and closes. What is recorded afterwards is dropped and counted. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.#close());
  }

  stats(): RecordingStats {
    return { ...this.#counts };
  }

  #recordSpan(span: EndedSpan): void {
    this.#guard(() => {
      if (!this.config.enableTraces || !this.#isTraceKept(span.traceId)) return;
      this.#add("telemetry_spans", spanRow(span, this.#seq++));
    });
  }

  /** The wall around the application: whatever is wrong with a record ends here. */
  #guard(record: () => void): void {
    try {
      record();
    } catch (error) {
      this.#counts.dropped += 1;
      this.#tell(error);
    }
  }

  #isTraceKept(traceId: string | null | undefined): boolean {
    const isKept = typeof traceId !== "string" || this.isSampled(traceId);
    if (!isKept) this.#counts.sampledOut += 1;
    return isKept;
  }

  #isMetricKept(name: string): boolean {
    const rate = this.config.metricSamplingRates[name];
    const isKept = rate === undefined || Math.random() < rate;
    if (!isKept) this.#counts.sampledOut += 1;
    return isKept;
  }

  #add(table: TableName, row: Row): void {
    const timeMs = row["time_ms"] as number;
    if (!(timeMs >= 0 && timeMs <= TIME_MS_MAX)) throw new RangeError(`no such time: ${timeMs}`);
    if (this.#shutdown !== undefined) throw new Error("recorded after shutdown");
    if (this.#pending.add(table, row)) this.#taken();
    else this.#refuse();
  }

  #taken(): void {
    this.#counts.recorded += 1;
    if (this.#pending.waitingRows % this.config.batchRowsMax === 0) void this.#writeWaiting();
    this.#timer ??= setTimeout(() => void this.#writeWaiting(), this.config.batchAgeMaxMs);
  }

  /** One word until the memory was empty again: a full one refuses thousands. */
  #refuse(): void {
    this.#counts.dropped += 1;
    if (this.#isFull) return;
    this.#isFull = true;
    this.#tell(new Error(`telemetry is dropped: ${this.config.memoryBytesMax} bytes wait`));
  }

  /** Never rejects: losses are counted, told, and kept for the next flush. */
  #writeWaiting(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      for (const batch of this.#pending.take()) await this.#writeBatch(batch);
    });
    return this.#writing;
  }

  async #writeBatch(batch: Batch): Promise<void> {
    try {
      const backend = await this.#opened();
      await backend.write(batch.table, batch.rows);
      this.#counts.written += batch.rows.length;
    } catch (error) {
      this.#counts.dropped += batch.rows.length;
      const text = `${batch.rows.length} rows of ${batch.table} are lost: ${messageOf(error)}`;
      const loss = new Error(text, { cause: error });
      this.#loss ??= loss;
      this.#tell(loss);
    } finally {
      this.#pending.release(batch);
      if (this.#pending.isEmpty) this.#isFull = false;
    }
  }

  /** Opened with the first need; a failure is not kept, the next need tries again. */
  #opened(): Promise<Backend> {
    this.#backend ??= openBackend(this.config.place).catch((error: unknown) => {
      this.#backend = undefined;
      throw error;
    });
    return this.#backend;
  }

  async #close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.#backend !== undefined) await (await this.#backend).close();
    }
  }

  #tell(error: unknown): void {
    try {
      this.config.onError(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // onError is the application's, and there is nobody left to tell.
    }
  }
}
