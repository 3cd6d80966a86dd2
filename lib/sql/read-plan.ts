// Which bytes of a Parquet file a query will want. Choosing is done here, fetching elsewhere
// (lib/sql/read-ahead.ts); a wrong choice costs time and never rows.

import { parquetMetadata, type RowGroup } from "hyparquet";
import { LIMITS } from "#lib/base/limits.ts";
import type { StatisticValue } from "#lib/columnar/statistics.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { meets } from "#lib/catalog/prune.ts";
import { type KnownColumn, knownBounds, mayHold } from "#lib/catalog/row-predicate.ts";
import type { RowPredicate } from "#lib/catalog/row-predicate.ts";

import { ENGINE_PAGE_BYTES } from "./engine.ts";
import type { Sight } from "./pruning.ts";

export interface ByteRange {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

export interface ReadWish {
  /** Lower case; null: all columns. */
  readonly columnNames: ReadonlySet<string> | null;
  /** What each place of the query that reads the file sees of it. */
  readonly sights: readonly Sight[];
  /** Of the columns as the engine sees them, names in lower case. */
  readonly types: ReadonlyMap<string, ColumnType>;
}

export interface ReadPlan {
  readonly ranges: readonly ByteRange[];
  readonly rowGroupCount: number;
  /** Those of them that the engine will pass over. */
  readonly prunedRowGroupCount: number;
}

/** Where the footer lies, as the engine will ask for it. */
export function footerRange(byteLength: number, footerByteLength: number): ByteRange {
  return { start: pageStart(byteLength - footerByteLength), end: byteLength };
}

/**
 * Column chunks of the wanted columns in row groups that may have wanted rows: whole pages of the
 * engine, in order, near ones joined, long ones cut. `footer` are the last bytes of the file.
 */
export function planRanges(footer: Uint8Array, byteLength: number, wish: ReadWish): ReadPlan {
  const { row_groups: rowGroups } = parquetMetadata(footer.slice().buffer);
  const wanted = new Set(rowGroups.filter((rowGroup) => isWanted(rowGroup, wish)));
  const chunks = rowGroups.flatMap((rowGroup) =>
    wanted.has(rowGroup)
      ? chunksOf(rowGroup, wish.columnNames)
      : glanceAt(rowGroup, wish.columnNames),
  );
  return {
    ranges: cut(join(chunks.map((range) => widen(range, byteLength)))),
    rowGroupCount: rowGroups.length,
    prunedRowGroupCount: rowGroups.length - wanted.size,
  };
}

function isWanted(rowGroup: RowGroup, { sights, types }: ReadWish): boolean {
  const rowCount = Number(rowGroup.num_rows);
  const known = new Map(
    rowGroup.columns.flatMap(({ meta_data: data }) => {
      const name = data!.path_in_schema[0]!.toLowerCase();
      const column = knownColumn(data!, types.get(name), rowCount);
      return column === null ? [] : [[name, column] as const];
    }),
  );
  const time = timeSpan(rowGroup);
  return sights.some(
    (sight) =>
      (time === null || meets(time, sight.time)) &&
      mayHold(certain(sight.where), (name) => known.get(name) ?? null),
  );
}

type Metadata = NonNullable<RowGroup["columns"][number]["meta_data"]>;

/**
 * null also for what the engine reads through a cast: it does not look at its statistics, and
 * will read what they would have ruled out.
 */
function knownColumn(
  { statistics, type: physical }: Metadata,
  type: ColumnType | undefined,
  rowCount: number,
): KnownColumn | null {
  if (type === undefined || type === "timestamp" || PHYSICAL_TYPES[type] !== physical) return null;
  const { min_value: min, max_value: max, null_count: nulls } = statistics ?? {};
  return {
    type,
    hasNulls: nulls === undefined || nulls > 0n,
    hasValues: nulls === undefined || Number(nulls) < rowCount,
    bounds: knownBounds(type, type, statisticOf(min), statisticOf(max)),
  };
}

const PHYSICAL_TYPES: Readonly<Record<ColumnType, Metadata["type"]>> = {
  int64: "INT64",
  float64: "DOUBLE",
  utf8: "BYTE_ARRAY",
  bool: "BOOLEAN",
  timestamp: "INT64",
};

function statisticOf(value: unknown): StatisticValue {
  if (typeof value === "bigint") return String(value);
  const isPlain = ["string", "number", "boolean"].includes(typeof value);
  return isPlain ? (value as StatisticValue) : null;
}

/** Without OR and what is made of it: the engine looks at statistics for each comparison alone. */
function certain(predicate: RowPredicate): RowPredicate {
  if (predicate.op === "or") return { op: "and", of: [] };
  return predicate.op === "and" ? { op: "and", of: predicate.of.map(certain) } : predicate;
}

function timeSpan({ columns }: RowGroup): { timeMinMs: number; timeMaxMs: number } | null {
  const time = columns.find(({ meta_data: data }) => data?.path_in_schema[0] === "time");
  const { min_value: min, max_value: max } = time?.meta_data?.statistics ?? {};
  if (!(min instanceof Date) || !(max instanceof Date)) return null;
  // A Date has no microseconds: they were cut off.
  return { timeMinMs: min.getTime() - 1, timeMaxMs: max.getTime() + 1 };
}

function chunksOf({ columns }: RowGroup, names: ReadonlySet<string> | null): ByteRange[] {
  return columns.flatMap(({ meta_data: data }) => {
    const name = data?.path_in_schema[0]?.toLowerCase();
    if (data === undefined || (names !== null && !names.has(name!))) return [];
    const start = Number(data.dictionary_page_offset ?? data.data_page_offset);
    return [{ start, end: start + Number(data.total_compressed_size) }];
  });
}

/** The engine looks at the beginning of a row group's time before it passes the row group over. */
function glanceAt(rowGroup: RowGroup, names: ReadonlySet<string> | null): ByteRange[] {
  if (names?.has("time") === false) return [];
  return chunksOf(rowGroup, new Set(["time"])).map(({ start }) => ({ start, end: start + 1 }));
}

function widen({ start, end }: ByteRange, byteLength: number): ByteRange {
  return {
    start: pageStart(start),
    end: Math.min(byteLength, pageStart(end - 1) + ENGINE_PAGE_BYTES),
  };
}

function join(ranges: readonly ByteRange[]): ByteRange[] {
  const joined: ByteRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last === undefined || range.start - last.end > LIMITS.readGapBytesMax) joined.push(range);
    else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return joined;
}

/** `readRangeBytesMax` is cut down to whole pages, so that no page falls into two pieces. */
function cut(ranges: readonly ByteRange[]): ByteRange[] {
  const step = pageStart(LIMITS.readRangeBytesMax);
  return ranges.flatMap(({ start, end }) => {
    const pieces: ByteRange[] = [];
    for (let at = start; at < end; at += step) {
      pieces.push({ start: at, end: Math.min(end, at + step) });
    }
    return pieces;
  });
}

export function pageStart(offset: number): number {
  return offset - (offset % ENGINE_PAGE_BYTES);
}
