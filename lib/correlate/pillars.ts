// Which measurements hold events, metrics, logs and traces: told by the names of their columns,
// whoever wrote them. docs/protocol.md has the rule in words.
//
// The first that fits counts, in the order below: what happened is an event also when it has a
// message or a number, a span is a trace also when it has a status, and whatever else has a number
// is a metric. Measurements without any of it belong to no pillar.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import { unknownMeasurement } from "#lib/catalog/table-changes.ts";

export const PILLARS = ["events", "metrics", "logs", "traces"] as const;
export type Pillar = (typeof PILLARS)[number];

/** A measurement of a pillar, and which of its columns say what; null: none does. */
export interface PillarTable {
  readonly measurement: string;
  readonly pillar: Pillar;
  readonly columns: readonly SchemaColumn[];
  /** Text: what it was. */
  readonly detail: string | null;
  /** Text of logs and events: how bad it was. */
  readonly severity: string | null;
  /** Number of metrics and traces. */
  readonly value: string | null;
  /** Of traces: so many of `value` are a millisecond. */
  readonly perMs: number;
  /** Of traces: true, or the text `error`. */
  readonly error: SchemaColumn | null;
  readonly traceId: string | null;
  /** Text: a JSON list of tags, as tagged events have it. */
  readonly tags: string | null;
}

/**
 * Of all measurements of a database, or of those that are named. Throws `measurement_unknown`, and
 * `query_too_large` where they are more than one correlation looks into.
 */
export function pillarTables(
  schemas: readonly TableSchema[],
  measurements: readonly string[] | null,
): PillarTable[] {
  const names = new Set(measurements ?? []);
  const wanted =
    measurements === null ? schemas : [...names].map((name) => schemaNamed(schemas, name));
  const tables = wanted.map(pillarOf).filter((table) => table !== null);
  const limit = LIMITS.correlateMeasurementsMax;
  if (tables.length <= limit) return tables;
  const message = `there are ${tables.length} measurements to look into: name up to ${limit}`;
  throw new SluiceError("query_too_large", message, { field: "measurements", limit });
}

export function schemaNamed(schemas: readonly TableSchema[], name: string): TableSchema {
  const schema = schemas.find(({ measurement }) => measurement === name);
  if (schema === undefined) throw unknownMeasurement(name);
  return schema;
}

/** null: it belongs to none. */
export function pillarOf({ measurement, columns }: TableSchema): PillarTable | null {
  const named = namesOf(columns);
  const common = {
    measurement,
    columns,
    traceId: named.text("trace_id", "traceid"),
    tags: named.text("tags"),
    ...NOTHING,
  };
  const shape =
    eventShape(named) ?? traceShape(named) ?? logShape(named) ?? metricShape(named, columns);
  return shape === null ? null : { ...common, ...shape };
}

const NOTHING = { detail: null, severity: null, value: null, perMs: 1, error: null };

type Shape = Pick<PillarTable, "pillar"> & Partial<PillarTable>;

function eventShape(named: Names): Shape | null {
  const detail = named.text("event_type", "event_name");
  const severity = named.text("severity");
  if (detail !== null) return { pillar: "events", detail, severity };
  const type = named.text("type");
  const isEvent = named.text("event_id") ?? named.text("tags");
  return type === null || isEvent === null ? null : { pillar: "events", detail: type, severity };
}

/** A span has a name and a duration. */
const DURATIONS_PER_MS = {
  duration_ns: 1_000_000,
  duration_us: 1_000,
  duration_ms: 1,
  duration_s: 0.001,
  duration_seconds: 0.001,
  duration: 0.001,
} as const;

function traceShape(named: Names): Shape | null {
  const ownName = named.text("operation_name", "span_name", "operation");
  const detail = ownName ?? (named.text("span_id") === null ? null : named.text("name"));
  const units = Object.entries(DURATIONS_PER_MS);
  const [unit, perMs] = units.find(([name]) => named.number(name) !== null) ?? [];
  if (detail === null || unit === undefined || perMs === undefined) return null;
  const error = named.column("error", "bool") ?? named.column("status", "utf8");
  return { pillar: "traces", detail, value: named.number(unit), perMs, error };
}

function logShape(named: Names): Shape | null {
  const detail = named.text("message", "msg", "body");
  const severity = named.text("level", "severity", "log_level", "severity_text");
  return detail === null || severity === null ? null : { pillar: "logs", detail, severity };
}

/** The number called `value`, or else the first one. */
function metricShape(named: Names, columns: readonly SchemaColumn[]): Shape | null {
  const isFirst = ({ name, type }: SchemaColumn) =>
    isNumber(type) && !["time", "seq"].includes(name.toLowerCase());
  const value = named.number("value") ?? columns.find(isFirst)?.name ?? null;
  if (value === null) return null;
  return { pillar: "metrics", detail: named.text("metric_name", "metric", "name"), value };
}

type Names = ReturnType<typeof namesOf>;

/** Columns by name, whatever its case, and type; of several names the first that is there. */
function namesOf(columns: readonly SchemaColumn[]) {
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const find = (names: readonly string[], isMeant: (type: SchemaColumn["type"]) => boolean) =>
    names.map((name) => byName.get(name)).find((column) => column && isMeant(column.type)) ?? null;
  return {
    text: (...names: string[]) => find(names, (type) => type === "utf8")?.name ?? null,
    number: (name: string) => find([name], isNumber)?.name ?? null,
    column: (name: string, type: SchemaColumn["type"]) => find([name], (one) => one === type),
  };
}

function isNumber(type: SchemaColumn["type"]): boolean {
  return type === "int64" || type === "float64";
}
