// Queries to SQL, once for both back-ends: what differs between SQLite and DuckDB is a dialect of
// three expressions. Values are always parameters.
//
// An answer is in the order of recording, the latest first, and the same from both.

import { plainText } from "./attributes.ts";
import type { EventQuery, MetricQuery, Query, SpanQuery, TraceQuery } from "./model.ts";
import { columnsOf } from "./tables.ts";
import type { TableName } from "./tables.ts";

/** Which rows are wanted. */
export interface Selection {
  readonly table: TableName;
  /** Column → text it must equal, null for NULL, undefined for any. */
  readonly equals: Readonly<Record<string, string | null | undefined>>;
  readonly query: Query;
}

export interface SqlPart {
  readonly sql: string;
  readonly params: readonly (string | number)[];
}

export interface Dialect {
  /** `time` in milliseconds, as an expression. */
  readonly timeMs: string;
  compareTime(operator: ">=" | "<=", ms: number): SqlPart;
  attributeIs(key: string, value: string | number | boolean | null): SqlPart;
}

/** Throws RangeError for a limit that is not a whole number from 0 on, or a time that is none. */
export function selectSql({ table, equals, query }: Selection, dialect: Dialect): SqlPart {
  const conditions = [
    ...Object.entries(equals).flatMap(([column, value]) => equalTo(column, value)),
    ...timeBound(dialect, ">=", query.startTime),
    ...timeBound(dialect, "<=", query.endTime),
    ...Object.entries(query.attributes ?? {}).map(([key, value]) =>
      dialect.attributeIs(plainText(key), typeof value === "string" ? plainText(value) : value),
    ),
  ];
  const columns = columnsOf(table).map(([column]) => column);
  const where =
    conditions.length === 0 ? "" : ` WHERE ${conditions.map((c) => c.sql).join(" AND ")}`;
  const sql =
    `SELECT ${dialect.timeMs} AS time_ms, ${columns.join(", ")} FROM ${table}${where}` +
    ` ORDER BY time DESC, seq DESC, ${columns[0]} DESC${limitText(query.limit)}`;
  return { sql, params: conditions.flatMap((condition) => condition.params) };
}

export function selectEvents(query: EventQuery): Selection {
  checkConditions(query, ["eventType", "type", "spanId"]);
  const { eventType, type, name, traceId, spanId } = query;
  const equals = { type: eventType ?? type, name, trace_id: traceId, span_id: spanId };
  return { table: "telemetry_events", equals, query };
}

export function selectMetrics(query: MetricQuery): Selection {
  checkConditions(query, ["aggregationType"]);
  const { name, traceId, aggregationType } = query;
  const equals = { name, trace_id: traceId, aggregation_type: aggregationType };
  return { table: "telemetry_metrics", equals, query };
}

export function selectSpans(query: SpanQuery): Selection {
  checkConditions(query, ["parentSpanId", "status"]);
  const { name, traceId, parentSpanId, status } = query;
  const equals = { name, trace_id: traceId, parent_span_id: parentSpanId, status };
  return { table: "telemetry_spans", equals, query };
}

export function selectTraces(query: TraceQuery): Selection {
  checkConditions(query, ["status"]);
  const { name, traceId, status } = query;
  const equals = { name, trace_id: traceId, parent_span_id: null, status };
  return { table: "telemetry_spans", equals, query };
}

const CONDITIONS = ["name", "traceId", "startTime", "endTime", "attributes", "limit"];

/** A misspelt condition would be answered with everything. */
function checkConditions(query: Query, more: readonly string[]): void {
  const odd = Object.keys(query).find((key) => !CONDITIONS.includes(key) && !more.includes(key));
  if (odd !== undefined) throw new TypeError(`queries have no condition "${odd}"`);
}

function equalTo(column: string, value: string | null | undefined): SqlPart[] {
  if (value === undefined) return [];
  if (value === null) return [{ sql: `${column} IS NULL`, params: [] }];
  return [{ sql: `${column} = ?`, params: [plainText(value)] }];
}

function timeBound(
  dialect: Dialect,
  operator: ">=" | "<=",
  time: Date | number | undefined,
): SqlPart[] {
  if (time === undefined) return [];
  const ms = new Date(time).getTime();
  if (Number.isNaN(ms)) throw new RangeError("startTime and endTime must be valid times");
  return [dialect.compareTime(operator, ms)];
}

function limitText(limit: number | undefined): string {
  if (limit === undefined) return "";
  if (Number.isSafeInteger(limit) && limit >= 0) return ` LIMIT ${limit}`;
  throw new RangeError(`limit must be a whole number from 0 on, not ${limit}`);
}
