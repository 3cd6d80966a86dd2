// Days of events as a pipeline leaves them that flushes every minute: 1,440 files a day.
//
// A segment is split by day, so one flush of a batch with the same minute of every day makes a file
// of a minute for each of them: 1,440 flushes make 43,200 files of 30 days. The rows of one day are
// all different; different days, which are never merged with each other, share theirs in another
// order.

import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Columns, ColumnValues } from "../clients/client/columns.ts";
import { encodeColumns } from "../clients/client/encode-columns.ts";
import { type Caller, flush } from "../scripts/demo/api.ts";
import { generateBatches } from "./events.ts";
import { sendBodies } from "./load.ts";

export const DATABASE = "minutes";
export const MEASUREMENT = "system_events";
export const START_MS = Date.UTC(2026, 0, 1);
export const MINUTES_PER_DAY = 1_440;
/** 30 days of them are 50 million. */
export const ROWS_PER_MINUTE = 1_158;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Resolves when `days` times 1,440 files are in the catalog. `onMinute` is told of each flush. */
export async function writeMinuteFiles(
  admin: Caller,
  days: number,
  onMinute: (minute: number) => void,
): Promise<void> {
  const pool = takePool(days);
  let next = bodyOf(pool, 0, days);
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    const body = await next;
    if (minute + 1 < MINUTES_PER_DAY) next = bodyOf(pool, minute + 1, days);
    await sendBodies(admin, [{ database: DATABASE, body }], 1);
    await flush(admin);
    onMinute(minute);
  }
}

/** So many rows that no minute of a day needs those of another. */
function takePool(days: number): Columns[] {
  const blocks = Math.ceil(MINUTES_PER_DAY / days);
  const batches = [...generateBatches(Math.ceil((MINUTES_PER_DAY * ROWS_PER_MINUTE) / 10_000) + 1)];
  const all = Object.fromEntries(
    Object.keys(batches[0]!).map((name) => [name, joined(batches.map((batch) => batch[name]!))]),
  );
  const rowsPerBlock = days * ROWS_PER_MINUTE;
  return Array.from({ length: blocks }, (_, block) => {
    const start = block * rowsPerBlock;
    return mapColumns(all, (values) => values.slice(start, start + rowsPerBlock));
  });
}

/** One minute of every day: a block of the pool, turned so that each day has another part of it. */
async function bodyOf(pool: readonly Columns[], minute: number, days: number): Promise<Uint8Array> {
  const block = pool[Math.floor(minute / days)]!;
  const turned = (minute % days) * ROWS_PER_MINUTE;
  const columns = mapColumns(block, (values) =>
    joined([values.slice(turned), values.slice(0, turned)]),
  );
  const time = Array.from({ length: days * ROWS_PER_MINUTE }, (_, row) => {
    const day = Math.floor(row / ROWS_PER_MINUTE);
    const inMinute = Math.floor(((row % ROWS_PER_MINUTE) * MINUTE_MS) / ROWS_PER_MINUTE);
    return START_MS + day * DAY_MS + minute * MINUTE_MS + inMinute;
  });
  return await promisify(gzip)(encodeColumns(MEASUREMENT, { ...columns, time }), { level: 1 });
}

function mapColumns(columns: Columns, change: (values: ColumnValues) => ColumnValues): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, change(values)]),
  );
}

function joined(parts: readonly ColumnValues[]): ColumnValues {
  if (!(parts[0] instanceof Float64Array)) {
    return parts.flatMap((part) => part as readonly (string | number | boolean | null)[]);
  }
  const floats = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts as Float64Array[]) {
    floats.set(part, at);
    at += part.length;
  }
  return floats;
}
