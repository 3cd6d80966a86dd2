// The three tables, or measurements, that hold what was recorded, and how records become rows.
//
// Both back-ends have the same tables with the same columns. `time` is kept in microseconds. `seq`
// is the order of recording: many things happen in one millisecond, and an answer must not shuffle
// them. Attributes are one column of JSON text, so that no attribute can collide with a column or
// change its type.

import { attributesText, plainText } from "./attributes.ts";
import type { AggregationType, Event, Metric, Span, Status } from "./model.ts";

/** Column → type, besides `time` and `seq`. The first one is the id. */
export const TABLES = {
  telemetry_events: {
    event_id: "text",
    trace_id: "text",
    span_id: "text",
    type: "text",
    name: "text",
    attributes: "text",
  },
  telemetry_metrics: {
    metric_id: "text",
    trace_id: "text",
    name: "text",
    value: "real",
    unit: "text",
    aggregation_type: "text",
    attributes: "text",
  },
  telemetry_spans: {
    span_id: "text",
    trace_id: "text",
    parent_span_id: "text",
    name: "text",
    status: "text",
    status_message: "text",
    duration: "real",
    attributes: "text",
  },
} as const satisfies Record<string, Readonly<Record<string, "text" | "real">>>;

export type TableName = keyof typeof TABLES;

/** `time_ms`, in queries and here, is `time` in milliseconds; `seq` is there when it is written. */
export type Row = Readonly<Record<string, string | number | null>>;

export function columnsOf(table: TableName): readonly (readonly [string, "text" | "real"])[] {
  return Object.entries(TABLES[table]);
}

export function eventRow(event: Event, seq: number): Row {
  return {
    time_ms: event.timestamp.getTime(),
    seq,
    event_id: plainText(event.eventId),
    trace_id: textOrNull(event.traceId),
    span_id: textOrNull(event.spanId),
    type: plainText(event.type),
    name: plainText(event.name),
    attributes: attributesText(event.attributes),
  };
}

export function metricRow(metric: Metric, seq: number): Row {
  return {
    time_ms: metric.timestamp.getTime(),
    seq,
    metric_id: plainText(metric.metricId),
    trace_id: textOrNull(metric.traceId),
    name: plainText(metric.name),
    value: metric.value,
    unit: plainText(metric.unit),
    aggregation_type: metric.aggregationType,
    attributes: attributesText(metric.attributes),
  };
}

export function spanRow(span: Omit<Span, "endTime">, seq: number): Row {
  return {
    time_ms: span.startTime.getTime(),
    seq,
    span_id: plainText(span.spanId),
    trace_id: plainText(span.traceId),
    parent_span_id: textOrNull(span.parentSpanId),
    name: plainText(span.name),
    status: span.status,
    status_message: textOrNull(span.statusMessage),
    duration: span.duration,
    attributes: attributesText(span.attributes),
  };
}

export function eventOf(row: Row): Event {
  return {
    eventId: row["event_id"] as string,
    traceId: row["trace_id"] as string | null,
    spanId: row["span_id"] as string | null,
    type: row["type"] as string,
    name: row["name"] as string,
    timestamp: new Date(row["time_ms"] as number),
    attributes: attributesOf(row),
  };
}

export function metricOf(row: Row): Metric {
  return {
    metricId: row["metric_id"] as string,
    traceId: row["trace_id"] as string | null,
    name: row["name"] as string,
    value: row["value"] as number,
    unit: row["unit"] as string,
    aggregationType: row["aggregation_type"] as AggregationType,
    timestamp: new Date(row["time_ms"] as number),
    attributes: attributesOf(row),
  };
}

export function spanOf(row: Row): Span {
  const startMs = row["time_ms"] as number;
  const duration = row["duration"] as number;
  return {
    spanId: row["span_id"] as string,
    traceId: row["trace_id"] as string,
    parentSpanId: row["parent_span_id"] as string | null,
    name: row["name"] as string,
    startTime: new Date(startMs),
    endTime: new Date(startMs + Math.round(duration * 1_000)),
    duration,
    status: row["status"] as Status,
    statusMessage: row["status_message"] as string | null,
    attributes: attributesOf(row),
  };
}

function attributesOf(row: Row): Event["attributes"] {
  return JSON.parse(row["attributes"] as string) as Event["attributes"];
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : plainText(text);
}
