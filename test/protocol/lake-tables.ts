// The rows of the simulated lake: batches of events, and what a rollup makes of them by the hour.

import type { ColumnTable, Int64Column } from "#lib/columnar/types.ts";
import { ARROW, type ArrowField } from "#lib/sql/arrow-stream.ts";
import { ARROW_END, batchMessage, schemaMessage } from "#lib/sql/arrow-writer.ts";
import type { RollupFields } from "#lib/upkeep/rollup-types.ts";
import type { MemoryLake } from "../helpers/memory-world.ts";
import { tablesAt } from "../helpers/stored-files.ts";

export const EVENTS = "events";
export const HOURLY = "events_1h";
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const ROWS_PER_BATCH = 3;

/** What a client sends: rows that have its id, all in one millisecond. */
export interface Batch {
  readonly id: number;
  readonly timeMs: number;
}

export interface EventRow {
  readonly timeMs: number;
  readonly id: number;
}

export interface HourRow {
  readonly timeMs: number;
  readonly n: number;
  readonly total: number;
}

export const ROLLUP: RollupFields = {
  name: "hourly",
  description: "",
  database: "default",
  source: EVENTS,
  destination: HOURLY,
  query: "SELECT by hour FROM events WHERE time >= '{start_time}' AND time < '{end_time}'",
  interval: "1h",
  intervalMs: HOUR_MS,
  tagColumns: [],
  retentionDays: null,
  deleteSourceAfterDays: null,
  isActive: true,
};

/** As a segment has them: sorted by time. */
export function tableOf(batches: readonly Batch[]): ColumnTable {
  const rows = batches
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .flatMap((batch) => Array.from({ length: ROWS_PER_BATCH }, () => batch));
  const column = (name: string, type: Int64Column["type"], valueOf: (batch: Batch) => number) => {
    const values = BigInt64Array.from(rows, (batch) => BigInt(valueOf(batch)));
    const words = new Int32Array(values.buffer);
    return { name, type, rowCount: rows.length, validity: null, words } as const;
  };
  return {
    rowCount: rows.length,
    columns: [
      column("time", "timestamp", ({ timeMs }) => timeMs * 1_000),
      column("id", "int64", ({ id }) => id),
    ],
  };
}

/** Reads files of a lake. What it has read it remembers; that an object is gone it notices. */
export class LakeReader {
  readonly #lake: MemoryLake;
  readonly #events = new Map<string, EventRow[]>();

  constructor(lake: MemoryLake) {
    this.#lake = lake;
  }

  events(key: string): EventRow[] {
    if (!this.#lake.objects.has(key)) throw new Error(`object ${key} is gone`);
    const known = this.#events.get(key);
    if (known !== undefined) return known;
    const rows = this.#rows(key, ["time", "id"]).map(([timeUs, id]) => {
      return { timeMs: Math.floor(timeUs! / 1_000), id: id! };
    });
    this.#events.set(key, rows);
    return rows;
  }

  hours(key: string): HourRow[] {
    return this.#rows(key, ["time", "n", "total"]).map(([timeUs, n, total]) => {
      return { timeMs: timeUs! / 1_000, n: n!, total: total! };
    });
  }

  #rows(key: string, names: readonly string[]): number[][] {
    return tablesAt(this.#lake, key).flatMap(({ rowCount, columns }) => {
      const values = names.map((name) => {
        const column = columns.find((one) => one.name === name) as Int64Column;
        const bytes = column.words.slice(0, 2 * rowCount).buffer;
        return Array.from(new BigInt64Array(bytes), Number);
      });
      return Array.from({ length: rowCount }, (_, row) => values.map((column) => column[row]!));
    });
  }
}

/** What the rollup's query answers. */
export function hoursOf(events: readonly EventRow[]): HourRow[] {
  const groups = Map.groupBy(events, ({ timeMs }) => Math.floor(timeMs / HOUR_MS) * HOUR_MS);
  return [...groups.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([timeMs, rows]) => {
      const total = rows.reduce((sum, { id }) => sum + id, 0);
      return { timeMs, n: rows.length, total };
    });
}

/** Both as the query Worker would send them. */
export function hoursStream(hours: readonly HourRow[]): Uint8Array {
  return arrowStream([
    [
      { ...INT64, name: "time", type: ARROW.timestamp, unit: 2, timeZone: "UTC" },
      hours.map(timeUs),
    ],
    [{ ...INT64, name: "n" }, hours.map(({ n }) => n)],
    [{ ...INT64, name: "total" }, hours.map(({ total }) => total)],
  ]);
}

export function countStream(count: number): Uint8Array {
  return arrowStream([[{ ...INT64, name: "count" }, [count]]]);
}

function timeUs({ timeMs }: HourRow): number {
  return timeMs * 1_000;
}

const INT64: Omit<ArrowField, "name"> = {
  isNullable: true,
  type: ARROW.int,
  bitWidth: 64,
  isSigned: true,
  unit: 0,
  timeZone: null,
  scale: 0,
  children: [],
};

function arrowStream(columns: readonly (readonly [ArrowField, readonly number[]])[]): Uint8Array {
  const rowCount = columns[0]![1].length;
  const filled = columns.map(([field, values]) => {
    const bytes = BigInt64Array.from(values, (value) => BigInt(value));
    const buffers = [new DataView(bytes.buffer)];
    return { field, length: rowCount, validity: null, buffers, children: [] };
  });
  const schema = schemaMessage(columns.map(([field]) => field));
  return Buffer.concat([schema, batchMessage({ rowCount, columns: filled }), ARROW_END]);
}
