// What can be recorded and what comes back: events, metrics, spans and traces.
//
// Ids are texts: the library makes UUIDs, and takes whatever the application already has. Times are
// Dates, so milliseconds, and may be given as a number of them; durations are seconds.

export const AGGREGATION_TYPES = ["counter", "gauge", "histogram"] as const;

export type AggregationType = (typeof AGGREGATION_TYPES)[number];

export type Status = "completed" | "failed" | "cancelled";

/** Whatever JSON can say; see attributes.ts for what becomes of the rest. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A moment. */
export interface Event {
  readonly eventId: string;
  readonly traceId: string | null;
  readonly spanId: string | null;
  /** The category to filter by: `node_finished`, `checkpoint`, or one of your own. */
  readonly type: string;
  /** For people. */
  readonly name: string;
  readonly timestamp: Date;
  readonly attributes: Attributes;
}

/** A measured number. */
export interface Metric {
  readonly metricId: string;
  readonly traceId: string | null;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** How values combine: counters add up, gauges replace, histograms have percentiles. */
  readonly aggregationType: AggregationType;
  readonly timestamp: Date;
  readonly attributes: Attributes;
}

/** A piece of work that took time. */
export interface Span {
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly startTime: Date;
  readonly endTime: Date;
  /** Seconds, finer than the two times. */
  readonly duration: number;
  readonly status: Status;
  readonly statusMessage: string | null;
  readonly attributes: Attributes;
}

/** A whole run: its span without a parent. */
export type Trace = Omit<Span, "spanId" | "parentSpanId">;

/** What `recordEvent` takes. Without `traceId` the event is global. */
export interface EventRecord {
  /** `custom` when neither this nor `type` is given. */
  readonly eventType?: string | undefined;
  /** The same as `eventType`, as the field of an Event is called. */
  readonly type?: string | undefined;
  /** The type, when missing. */
  readonly name?: string | undefined;
  readonly traceId?: string | null | undefined;
  readonly spanId?: string | null | undefined;
  readonly attributes?: Attributes | undefined;
  /** Now, when missing. */
  readonly timestamp?: Date | number | undefined;
  /** A new UUID, when missing. */
  readonly eventId?: string | undefined;
}

/** What `recordMetric` takes. Without `traceId` the metric is global. */
export interface MetricRecord {
  readonly name: string;
  /** Finite. */
  readonly value: number;
  /** Empty, when missing. */
  readonly unit?: string | undefined;
  /** A gauge, when missing: a number that nobody said may be added up is not. */
  readonly aggregationType?: AggregationType | undefined;
  readonly traceId?: string | null | undefined;
  readonly attributes?: Attributes | undefined;
  readonly timestamp?: Date | number | undefined;
  readonly metricId?: string | undefined;
}

/** What every query may ask for. A field that is missing or undefined asks for nothing. */
export interface Query {
  readonly name?: string | undefined;
  readonly traceId?: string | undefined;
  /** The first and the last moment, both included. */
  readonly startTime?: Date | number | undefined;
  readonly endTime?: Date | number | undefined;
  /** Attributes that are there and equal; all of them must be. */
  readonly attributes?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  /** The latest so many; all, when missing. */
  readonly limit?: number | undefined;
}

export interface EventQuery extends Query {
  readonly eventType?: string | undefined;
  /** The same as `eventType`. */
  readonly type?: string | undefined;
  readonly spanId?: string | undefined;
}

export interface MetricQuery extends Query {
  readonly aggregationType?: AggregationType | undefined;
}

export interface TraceQuery extends Query {
  readonly status?: Status | undefined;
}

export interface SpanQuery extends TraceQuery {
  readonly parentSpanId?: string | undefined;
}
