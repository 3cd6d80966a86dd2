// The questions of sluice-store.ts as SQL. What callers say is in parameters, never in the text.
//
// No question sorts or numbers its rows in the engine, which has the memory of one isolate: it
// counts, sums and selects. Each tells how many increments it met, because a running total needs
// all that comes before it; then the rows are fetched and counted along in their order.

import type { QueryParam } from "../client/query.ts";
import type { Distribution, Selection } from "./metric-store.ts";
import type { SeriesKind } from "./series.ts";

export interface Question {
  readonly text: string;
  readonly params: Readonly<Record<string, QueryParam>>;
}

export interface PointRow {
  readonly time_us: number;
  readonly kind: SeriesKind;
  readonly labels: string;
  readonly writer: number;
  readonly seq: number;
  readonly value: number;
}

/** Answers about rows, of which so many are increments. */
export interface CountedRow {
  readonly [column: string]: unknown;
  readonly increments: number;
}

export interface SummaryRow {
  readonly [bucket: string]: unknown;
  readonly kind: SeriesKind;
  readonly labels: string;
  readonly count: number;
  readonly sum: number;
  readonly last: number;
  readonly percentiles?: number[];
}

const INCREMENTS = "count(*) FILTER (WHERE kind = 'increment') AS increments";

export function moments(selection: Selection): Question {
  const columns = "count(*) AS count, sum(value) AS sum, min(value) AS min, max(value) AS max";
  return ask(`SELECT ${columns}, ${INCREMENTS} FROM observations`, selection);
}

/** The order of points.ts, from its end. */
export function last(selection: Selection): Question {
  const columns = ["time", "kind", "labels", "writer", "seq"];
  const order = columns.map((column) => `${column} DESC`).join(", ");
  return ask("SELECT kind, value FROM observations", selection, `ORDER BY ${order} LIMIT 1`);
}

export function bucketCounts(selection: Selection, edges: readonly number[]): Question {
  return ask(`SELECT ${bucketColumns(edges)}, ${INCREMENTS} FROM observations`, selection);
}

export function bucketName(at: number): string {
  return `bucket_${at}`;
}

export function percentiles(selection: Selection, wanted: readonly number[]): Question {
  return ask(`SELECT ${percentilesColumn(wanted)}, ${INCREMENTS} FROM observations`, selection);
}

/** Before a time, and not more than so many, in any order. */
export function points(selection: Selection, beforeUs: number, rowsMax: number): Question {
  const columns = "epoch_us(time) AS time_us, kind, labels, writer, seq, value";
  const { text, params } = ask(`SELECT ${columns} FROM observations`, selection);
  if (beforeUs === Infinity) return { text: `${text} LIMIT ${rowsMax}`, params };
  return {
    text: `${text} AND time < $before::TIMESTAMP LIMIT ${rowsMax}`,
    params: { ...params, before: timestampText(beforeUs) },
  };
}

export function count(selection: Selection): Question {
  return ask("SELECT count(*) AS count FROM observations", selection);
}

/** Times that part the rows into as many parts, about equal. */
export function timesBetween(selection: Selection, parts: number): Question {
  const shares = Array.from({ length: parts - 1 }, (_, i) => (i + 1) / parts).join(", ");
  const columns = `quantile_disc(epoch_us(time), [${shares}]) AS times_us`;
  return ask(`SELECT ${columns} FROM observations`, selection);
}

/** What was counted before a time. */
export function totalBefore(selection: Selection, beforeUs: number): Question {
  const { text, params } = ask("SELECT sum(value) AS total FROM observations", {
    ...selection,
    fromUs: 0,
  });
  if (beforeUs === Infinity) return { text: `${text} AND kind = 'increment'`, params };
  return {
    text: `${text} AND kind = 'increment' AND time < $before::TIMESTAMP`,
    params: { ...params, before: timestampText(beforeUs) },
  };
}

export function series(): Question {
  const columns = "name, kind, labels";
  return {
    text: `SELECT ${columns} FROM observations GROUP BY ${columns} ORDER BY ${columns}`,
    params: {},
  };
}

export function summaries(name: string, { edges, percentiles: wanted }: Distribution): Question {
  const columns = [
    "kind, labels, count(*) AS count, sum(value) AS sum",
    "arg_max(value, seq) FILTER (WHERE time = latest) AS last",
    bucketColumns(edges),
    ...(wanted.length === 0 ? [] : [percentilesColumn(wanted)]),
  ];
  return {
    text: `WITH latest AS (
        SELECT kind, labels, max(time) AS latest
        FROM observations WHERE name = $name GROUP BY kind, labels)
      SELECT ${columns.join(", ")}
      FROM (SELECT * FROM observations WHERE name = $name) JOIN latest USING (kind, labels)
      GROUP BY kind, labels ORDER BY kind, labels`,
    params: { name },
  };
}

/** Labels are found by JSON pointer (RFC 6901), which can name any key. */
function ask(select: string, { name, labels, fromUs }: Selection, end = ""): Question {
  const conditions = ["name = $name"];
  const params: Record<string, QueryParam> = { name };
  for (const [at, [key, value]] of Object.entries(labels).entries()) {
    conditions.push(`json_extract_string(labels, $key_${at}) = $label_${at}`);
    params[`key_${at}`] = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    params[`label_${at}`] = value;
  }
  if (fromUs > 0) {
    conditions.push("time >= $from::TIMESTAMP");
    params["from"] = timestampText(fromUs);
  }
  return { text: `${select} WHERE ${conditions.join(" AND ")} ${end}`, params };
}

function bucketColumns(edges: readonly number[]): string {
  return [...edges, Infinity]
    .map((edge, at) => {
      const above = at === 0 ? "true" : `value > ${edges[at - 1]}`;
      const upTo = edge === Infinity ? "true" : `value <= ${edge}`;
      return `count(*) FILTER (WHERE ${above} AND ${upTo}) AS ${bucketName(at)}`;
    })
    .join(", ");
}

/** quantile_cont interpolates as numpy does. */
function percentilesColumn(wanted: readonly number[]): string {
  const shares = wanted.map((percentile) => percentile / 100);
  return `quantile_cont(value, [${shares.join(", ")}]) AS percentiles`;
}

/** To the microsecond, which a Date cannot tell. */
function timestampText(timeUs: number): string {
  const text = new Date(Math.floor(timeUs / 1_000)).toISOString().slice(0, -1);
  return text.replace("T", " ") + String(timeUs % 1_000).padStart(3, "0");
}
