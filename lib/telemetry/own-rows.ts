// Spans and log records as rows of Sluice's own measurements `traces` and `logs`, so that it can be
// asked of itself in SQL. Columns have the names that traces and logs have elsewhere, by which
// /api/v1/correlate knows them.
//
// What tells of the database that these rows go to is left out: each row would be stored, flushed
// and merged, that would be told again, and a system at rest would never be quiet.

import { type OwnBatch, ownBatch } from "#lib/protocol/own-batch.ts";
import type { LogRecord } from "./log-record.ts";
import { SERVICE_NAME } from "./otlp.ts";
import type { FinishedSpan } from "./span.ts";

/** `time` is when the span began. */
export function traceRows(spans: readonly FinishedSpan[]): OwnBatch {
  return rows("traces", spans, (span) => ({
    timeUs: span.startUs,
    texts: {
      trace_id: span.traceId,
      span_id: span.spanId,
      parent_span_id: span.parentSpanId,
      service_name: SERVICE_NAME,
      component: span.component,
      operation_name: span.name,
      span_kind: span.kind,
      status_code: span.error === null ? "OK" : "ERROR",
      status_message: span.error,
      attributes: JSON.stringify(span.attributes),
    },
    durationNs: Math.round(span.endUs - span.startUs) * 1_000,
    hasFailed: span.error !== null,
  }));
}

export function logRows(logs: readonly LogRecord[]): OwnBatch {
  return rows("logs", logs, (record) => ({
    timeUs: record.timeMs * 1_000,
    texts: {
      level: record.level.toUpperCase(),
      service_name: SERVICE_NAME,
      target: record.target,
      message: record.message,
      fields: JSON.stringify(record.fields),
      trace_id: record.traceId,
      span_id: record.spanId,
    },
    durationNs: null,
    hasFailed: null,
  }));
}

export function isSpanOf({ attributes }: FinishedSpan, databaseId: number): boolean {
  return attributes["sluice.database_id"] === databaseId;
}

/** Objects of a database are named by its number, alone or before a dash. */
export function isLogOf({ fields }: LogRecord, databaseId: number): boolean {
  if (fields["database_id"] === databaseId) return true;
  const names = [fields["buffer"], fields["catalog"], fields["stream"]];
  return names.some((name) => String(name).split("-")[0] === String(databaseId));
}

interface OwnRow {
  readonly timeUs: number;
  readonly texts: Readonly<Record<string, string | null>>;
  readonly durationNs: number | null;
  readonly hasFailed: boolean | null;
}

function rows<T>(measurement: string, items: readonly T[], rowOf: (item: T) => OwnRow): OwnBatch {
  return ownBatch(measurement, items, (builder, item) => {
    const { timeUs, texts, durationNs, hasFailed } = rowOf(item);
    builder.time.writeInteger(timeUs);
    for (const [name, text] of Object.entries(texts)) {
      const column = builder.column(name);
      if (text !== null) column.writeString(text);
    }
    if (durationNs !== null) builder.column("duration_ns").writeInteger(durationNs);
    if (hasFailed !== null) builder.column("error").writeBoolean(hasFailed);
  });
}
