// The rows of one measurement that belong to an incident, as SQL. Names of columns come from the
// catalog, and whatever the request says travels as parameters.
//
// A measurement is narrowed by what it has: the trace where it knows traces, tags where it has
// tags, and by the tag `column:value` where it has a text column of that name. Notable is what the
// four pillars' own query takes: logs that are errors, metrics above 50, spans that failed or took
// more than half a second, and every event.

import { SluiceError } from "#lib/base/errors.ts";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import { both, type Sql, tagsCondition, timeCondition } from "#lib/events/query/conditions.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import type { PillarTable } from "./pillars.ts";
import type { CorrelateRequest, Incident } from "./request.ts";

const NOTABLE_METRIC = 50;
const NOTABLE_LEVELS = "'ERROR', 'FATAL'";
const SLOW_MS = 500;

export interface Span {
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

type Narrowing = Pick<CorrelateRequest, "traceId" | "tags" | "rowsMax" | "isNotable">;

/** Newest first; one more than are wanted, where there are more. */
export function rowsSql(table: PillarTable, span: Span, request: Narrowing): Sql {
  const columns = table.columns.map(({ name }) => quoted(name)).join(", ");
  const narrowed = both(traceCondition(table, request.traceId), tagCondition(table, request.tags));
  const notable = request.isNotable ? notableCondition(table) : "TRUE";
  const condition = both(timeCondition(span), both(narrowed, { text: notable, params: {} }));
  const text = `SELECT ${columns} FROM ${quoted(table.measurement)}
    WHERE ${condition.text} ORDER BY time DESC LIMIT ${request.rowsMax + 1}`;
  return { text, params: condition.params };
}

/** The time (µs) of the last row that meets the incident's conditions. */
export function incidentSql(incident: Incident, { columns, measurement }: TableSchema): Sql {
  const conditions = incident.where.map(([name, value], at) => {
    const column = columns.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (column === undefined) {
      throw wrongParameter(`incident.where.${name}`, `a column of "${measurement}"`);
    }
    refuseUnlike(column, value);
    return { text: `${quoted(column.name)} = $value${at}`, params: { [`value${at}`]: value } };
  });
  const { text, params } = conditions.reduce<Sql>(both, { text: "TRUE", params: {} });
  const from = quoted(measurement);
  return {
    text: `SELECT epoch_us(time) FROM ${from} WHERE ${text} ORDER BY time DESC LIMIT 1`,
    params,
  };
}

function traceCondition({ traceId }: PillarTable, wanted: string | null): Sql {
  if (traceId === null || wanted === null) return { text: "TRUE", params: {} };
  return { text: `${quoted(traceId)} = $trace`, params: { trace: wanted } };
}

function tagCondition({ tags, columns }: PillarTable, wanted: readonly string[]): Sql {
  if (tags !== null) return tagsCondition(wanted, quoted(tags));
  const conditions = wanted.map((tag, at): Sql => {
    const colon = tag.indexOf(":");
    const name = tag.slice(0, Math.max(0, colon)).toLowerCase();
    const isMeant = (one: SchemaColumn) => one.type === "utf8" && one.name.toLowerCase() === name;
    const column = columns.find(isMeant);
    if (column === undefined) return { text: "TRUE", params: {} };
    const params = { [`tag${at}`]: tag.slice(colon + 1) };
    return { text: `${quoted(column.name)} = $tag${at}`, params };
  });
  return conditions.reduce<Sql>(both, { text: "TRUE", params: {} });
}

function notableCondition({ pillar, value, perMs, severity, error }: PillarTable): string {
  switch (pillar) {
    case "events":
      return "TRUE";
    case "metrics":
      return `${quoted(value!)} > ${NOTABLE_METRIC}`;
    case "logs":
      return `upper(${quoted(severity!)}) IN (${NOTABLE_LEVELS})`;
    case "traces": {
      const slow = `${quoted(value!)} > ${SLOW_MS * perMs}`;
      if (error === null) return slow;
      const name = quoted(error.name);
      const hasFailed = error.type === "bool" ? `${name} = TRUE` : `lower(${name}) = 'error'`;
      return `(${hasFailed} OR ${slow})`;
    }
  }
}

function refuseUnlike({ name, type }: SchemaColumn, value: unknown): void {
  const wanted = { utf8: "string", bool: "boolean", int64: "number", float64: "number" };
  const expected = type === null || type === "timestamp" ? "string" : wanted[type];
  if (typeof value === expected) return;
  const message = `"incident.where.${name}" must be a ${expected}, as the column is ${type}`;
  throw new SluiceError("parameter_invalid", message, { field: `incident.where.${name}` });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
