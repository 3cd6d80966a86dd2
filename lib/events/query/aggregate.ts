// Events summed up: how many, or the average, least, greatest, sum or percentiles of their values.
//
// The numbers are the values that are JSON numbers, or what a field within a value has as one;
// events without a number count for nothing, but for the count without a field, which is of events.
// By interval (`5m`; weeks begin on Monday), by type, by tag, or by the tags of one group; an event
// counts once for each of its tags.

import { LIMITS } from "#lib/base/limits.ts";
import { durationMs } from "#lib/http/durations.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { EVENTS_MEASUREMENT, eventTime } from "#lib/events/types.ts";
import { eventCondition, type Sql, type SqlParams, tagList } from "./conditions.ts";
import { eventFilter, type EventFilter } from "./filter.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";

const FUNCTIONS = {
  average: "avg(number)",
  min: "min(number)",
  max: "max(number)",
  sum: "sum(number)",
  count: "count(number)",
  percentiles: "quantile_cont(number, [",
} as const;

export interface AggregateQuestion {
  readonly filter: EventFilter;
  readonly type: keyof typeof FUNCTIONS;
  /** A JSON pointer (RFC 6901) into the value; null: the value itself. */
  readonly pointer: string | null;
  /** Empty unless they are asked for. */
  readonly percentiles: readonly number[];
  readonly intervalMs: number | null;
  readonly groupBy: GroupBy | null;
}

/** `group` null: all tags. */
type GroupBy = { readonly by: "type" } | { readonly by: "tag"; readonly group: string | null };

const PERCENTILES = [50, 95, 99];
const FIELDS = new Set(["type", "field", "percentiles", "interval", "group_by"]);
/** They say which events are on a page, and here there is none. */
const OF_PAGES = ["order", "page", "per_page", "position", "cursor"];

/** Of a request as request.ts gives it. Throws `parameter_invalid`. */
export function aggregateQuestion(request: JsonObject, nowUs: bigint): AggregateQuestion {
  const odd = OF_PAGES.find((field) => request[field] !== undefined);
  if (odd !== undefined) throw wrongParameter(odd, "left out where an aggregator is given");
  const { aggregator: asked } = request;
  const aggregator = typeof asked === "string" ? { type: asked } : asked;
  if (typeof aggregator !== "object" || aggregator === null || Array.isArray(aggregator)) {
    throw wrongParameter("aggregator", 'an object like {"type": "average"}');
  }
  const { type, field, percentiles, interval, group_by: groupBy } = aggregator as JsonObject;
  const unknown = Object.keys(aggregator).find((name) => !FIELDS.has(name));
  if (unknown !== undefined)
    throw wrongParameter(`aggregator.${unknown}`, `one of ${[...FIELDS].join(", ")}`);
  if (typeof type !== "string" || !Object.hasOwn(FUNCTIONS, type)) {
    throw wrongParameter("aggregator.type", `one of ${Object.keys(FUNCTIONS).join(", ")}`);
  }
  if (percentiles !== undefined && type !== "percentiles") {
    throw wrongParameter("aggregator.percentiles", "left out unless the type is percentiles");
  }
  return {
    filter: eventFilter(request, nowUs),
    type: type as AggregateQuestion["type"],
    pointer: field === undefined ? null : pointerOf(field),
    percentiles: type === "percentiles" ? percentilesOf(percentiles ?? PERCENTILES) : [],
    intervalMs: interval === undefined ? null : intervalOf(interval),
    groupBy: groupBy === undefined ? null : groupByOf(groupBy),
  };
}

/** Columns: the bucket (µs) and the group, where they are asked for, then the value. */
export function aggregateSql(question: AggregateQuestion): Sql {
  const { filter, pointer, intervalMs, groupBy } = question;
  const condition = eventCondition(filter);
  const keys = keysOf(question);
  const bucket = "epoch_us(time_bucket(to_milliseconds(CAST($interval AS BIGINT)), time))";
  const tags = `unnest(list_distinct(CASE WHEN json_valid(tags) THEN ${tagList("tags")} END))`;
  const columns = [
    `${numberIn(pointer)} AS number`,
    ...(intervalMs === null ? [] : [`${bucket} AS bucket`]),
    ...(groupBy === null ? [] : [`${groupBy.by === "type" ? "type" : tags} AS grp`]),
  ];
  const value = valueOf(question);
  const group = groupCondition(groupBy);
  const by = keys.length === 0 ? "" : `GROUP BY ${keys.join(", ")} ORDER BY ${keys.join(", ")}`;
  const text = `SELECT ${[...keys, value.text].join(", ")} FROM (
      SELECT ${columns.join(", ")} FROM ${EVENTS_MEASUREMENT} WHERE ${condition.text}
    ) AS matching WHERE ${group.text} ${by} LIMIT ${LIMITS.eventGroupsMax + 1}`;
  const params: Record<string, SqlParams[string]> = { ...value.params };
  if (pointer !== null) params["field"] = pointer;
  if (intervalMs !== null) params["interval"] = intervalMs;
  return { text, params: { ...condition.params, ...group.params, ...params } };
}

export interface AggregateRow {
  /** The start of its interval. */
  readonly timestamp?: string;
  readonly type?: string;
  readonly tag?: string;
  readonly value: AggregateValue;
}

/** null: there was no number. Percentiles are by name: {"50": 1.5, "99": 7}. */
type AggregateValue = number | null | Readonly<Record<string, number | null>>;

export type AggregateAnswer =
  | { readonly value: AggregateValue }
  | { readonly rows: readonly AggregateRow[]; readonly truncated: boolean };

/** Of the rows that the query gave; none where there is no measurement yet. */
export function aggregateAnswer(
  rows: readonly unknown[][],
  question: AggregateQuestion,
): AggregateAnswer {
  const { intervalMs, groupBy, type } = question;
  const nothing = type === "count" ? 0 : null;
  const valueIn = (row: readonly unknown[]) => shownValue(row.at(-1) ?? nothing, question);
  if (keysOf(question).length === 0) return { value: valueIn(rows[0] ?? []) };
  const shown = rows.slice(0, LIMITS.eventGroupsMax).map((row) => ({
    ...(intervalMs === null ? {} : { timestamp: eventTime(Number(row[0])) }),
    ...(groupBy === null ? {} : { [groupBy.by]: String(row[intervalMs === null ? 0 : 1]) }),
    value: valueIn(row),
  }));
  return { rows: shown, truncated: rows.length > LIMITS.eventGroupsMax };
}

function keysOf({ intervalMs, groupBy }: AggregateQuestion): string[] {
  return [...(intervalMs === null ? [] : ["bucket"]), ...(groupBy === null ? [] : ["grp"])];
}

/** Texts of digits are texts: only what JSON has as a number is one. */
function numberIn(pointer: string | null): string {
  const json = pointer === null ? "value" : "CAST(json_extract(value, $field) AS VARCHAR)";
  return `CASE WHEN json_valid(value) THEN TRY_CAST(${json} AS DOUBLE) END`;
}

function valueOf({ type, pointer, percentiles }: AggregateQuestion): Sql {
  if (type === "count" && pointer === null) return { text: "count(*)", params: {} };
  if (type !== "percentiles") return { text: FUNCTIONS[type], params: {} };
  const names = percentiles.map((_, at) => `share${at}`);
  const shares = percentiles.map((percentile, at) => [names[at]!, percentile / 100] as const);
  const text = `${FUNCTIONS.percentiles}${names.map((name) => `$${name}`).join(", ")}])`;
  return { text, params: Object.fromEntries(shares) };
}

function groupCondition(groupBy: GroupBy | null): Sql {
  if (groupBy === null || groupBy.by === "type" || groupBy.group === null) {
    return { text: "TRUE", params: {} };
  }
  const params: SqlParams = { group: `${groupBy.group}:` };
  return { text: "starts_with(grp, $group)", params };
}

function shownValue(value: unknown, { percentiles, type }: AggregateQuestion): AggregateValue {
  if (type === "percentiles") {
    const found = (value ?? []) as readonly number[];
    return Object.fromEntries(percentiles.map((name, at) => [String(name), found[at] ?? null]));
  }
  return value === null ? null : Number(value);
}

/** `a.b` is the field `b` of the field `a`; `/a.b` is a pointer to a field of that name. */
function pointerOf(value: unknown): string {
  const parts =
    typeof value !== "string" || value.length > LIMITS.eventFieldCharsMax
      ? []
      : value.startsWith("/")
        ? value.slice(1).split("/")
        : value.split(".").map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"));
  // The engine takes a name that is empty for the whole object.
  if (parts.length > 0 && parts.every((part) => part !== "" && !part.includes("\0"))) {
    return `/${parts.join("/")}`;
  }
  throw wrongParameter("aggregator.field", "a path like time or times.total, or a JSON pointer");
}

function percentilesOf(value: unknown): readonly number[] {
  const isMany = Array.isArray(value) && value.length > 0 && value.length <= 20;
  const isPercentile = (one: unknown) => typeof one === "number" && one >= 0 && one <= 100;
  if (isMany && value.every(isPercentile)) return value as number[];
  throw wrongParameter("aggregator.percentiles", "a list of up to 20 numbers from 0 to 100");
}

function intervalOf(value: unknown): number {
  if (typeof value === "string") return durationMs("aggregator.interval", value);
  throw wrongParameter("aggregator.interval", "a duration like 5m or 1d");
}

function groupByOf(value: unknown): GroupBy {
  if (value === "type") return { by: "type" };
  if (value === "tag") return { by: "tag", group: null };
  if (typeof value === "string" && /^tag:[^\0]+$/.test(value)) {
    return { by: "tag", group: value.slice("tag:".length) };
  }
  throw wrongParameter("aggregator.group_by", "type, tag, or tag:<group>");
}
