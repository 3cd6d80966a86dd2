// Rows of many measurements as one answer: the rows of each pillar, and all of them in one line of
// time, newest first.
//
// A line of it says what the four pillars' own query says: an event's type, a metric's name and
// whether it is above 80, a log's message and level, a span's operation, failure and milliseconds.

import type { SchemaColumn } from "#lib/catalog/schema.ts";
import { type Pillar, PILLARS, type PillarTable } from "./pillars.ts";

const CRITICAL_METRIC = 80;

/** Columns by name, and `measurement`; integers beyond 2^53 are texts. */
export type FoundRow = Readonly<Record<string, unknown>>;

export interface TimelineItem {
  readonly data_type: "event" | "metric" | "log" | "trace";
  readonly time: string;
  readonly detail: string | null;
  readonly severity: string | null;
  readonly value: number | null;
  readonly measurement: string;
}

export type CorrelateAnswer = Readonly<Record<Pillar, readonly FoundRow[]>> & {
  readonly timeline: readonly TimelineItem[];
  /** Whether older rows were left out, by pillar. */
  readonly truncated: Readonly<Record<Pillar, boolean>>;
};

interface Found {
  readonly row: FoundRow;
  readonly item: TimelineItem;
}

/** Takes in rows of measurements one by one, and keeps no more than are wanted. */
export class Correlation {
  readonly #rowsMax: number;
  readonly #found: Record<Pillar, Found[]> = { events: [], metrics: [], logs: [], traces: [] };
  readonly #truncated = { events: false, metrics: false, logs: false, traces: false };

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  /** Rows as lists of cells, in the order of the table's columns. */
  add(table: PillarTable, rows: readonly unknown[][]): void {
    const { pillar } = table;
    const found = rows.map((cells) => foundRow(table, cells));
    const all = [...this.#found[pillar], ...found].toSorted(newestFirst);
    if (all.length > this.#rowsMax) this.#truncated[pillar] = true;
    this.#found[pillar] = all.slice(0, this.#rowsMax);
  }

  answer(): CorrelateAnswer {
    const { events, metrics, logs, traces } = this.#found;
    const all = PILLARS.flatMap((pillar) => this.#found[pillar]);
    const rowsOf = (found: readonly Found[]) => found.map(({ row }) => row);
    return {
      events: rowsOf(events),
      metrics: rowsOf(metrics),
      logs: rowsOf(logs),
      traces: rowsOf(traces),
      timeline: all.toSorted(newestFirst).map(({ item }) => item),
      truncated: this.#truncated,
    };
  }
}

function foundRow(table: PillarTable, cells: readonly unknown[]): Found {
  const { columns, measurement } = table;
  const entries = columns.map((column, at) => [column.name, shown(column, cells[at])] as const);
  const row = { ...Object.fromEntries(entries), measurement };
  return { row, item: timelineItem(table, row) };
}

/** Integers come as texts, and are numbers where a number can hold them. */
function shown({ type }: SchemaColumn, cell: unknown): unknown {
  if (type !== "int64" || typeof cell !== "string") return cell;
  return Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
}

function timelineItem(table: PillarTable, row: FoundRow): TimelineItem {
  const { pillar, measurement } = table;
  const textIn = (name: string | null) => (name === null ? null : textOf(row[name]));
  const time = String(row[table.columns.find(isTime)!.name]);
  const number = table.value === null ? null : numberOf(row[table.value]);
  const common = { time, detail: textIn(table.detail), severity: null, value: null, measurement };
  switch (pillar) {
    case "events":
      return { data_type: "event", ...common, severity: textIn(table.severity) };
    case "metrics": {
      const severity = number !== null && number > CRITICAL_METRIC ? "critical" : "normal";
      const name = table.value === "value" ? measurement : `${measurement}.${table.value}`;
      const detail = common.detail ?? name;
      return { data_type: "metric", ...common, detail, severity, value: number };
    }
    case "logs":
      return { data_type: "log", ...common, severity: textIn(table.severity) };
    case "traces": {
      const error = table.error === null ? null : row[table.error.name];
      const hasFailed = error === true || (textOf(error) ?? "").toLowerCase() === "error";
      const value = number === null ? null : number / table.perMs;
      return { data_type: "trace", ...common, severity: hasFailed ? "error" : "normal", value };
    }
  }
}

function isTime({ name }: SchemaColumn): boolean {
  return name.toLowerCase() === "time";
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

/** As texts: without the Z, a fraction that is missing sorts before those that are there. */
function newestFirst(a: Found, b: Found): number {
  const [left, right] = [a.item.time.replace("Z", ""), b.item.time.replace("Z", "")];
  return left === right ? 0 : left < right ? 1 : -1;
}
