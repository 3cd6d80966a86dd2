// Which bytes of a Parquet file a query will want. Choosing is done here, fetching elsewhere
// (lib/sql/read-ahead.ts); a wrong choice costs time and never rows.

import { parquetMetadata, type RowGroup } from "hyparquet";
import { LIMITS } from "#lib/base/limits.ts";
import { meets } from "#lib/catalog/prune.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import { ENGINE_PAGE_BYTES } from "./engine.ts";

export interface ByteRange {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

export interface ReadWish {
  /** Lower case; null: all columns. */
  readonly columnNames: ReadonlySet<string> | null;
  readonly time: TimeRangeMs;
}

/** Where the footer lies, as the engine will ask for it. */
export function footerRange(byteLength: number, footerByteLength: number): ByteRange {
  return { start: pageStart(byteLength - footerByteLength), end: byteLength };
}

/**
 * Column chunks of the wanted columns in row groups that meet the time range: whole pages of the
 * engine, in order, near ones joined, long ones cut. `footer` are the last bytes of the file.
 */
export function planRanges(footer: Uint8Array, byteLength: number, wish: ReadWish): ByteRange[] {
  const { row_groups: rowGroups } = parquetMetadata(footer.slice().buffer);
  const chunks = rowGroups.flatMap((rowGroup) =>
    isWanted(rowGroup, wish.time) ? chunksOf(rowGroup, wish.columnNames) : glanceAt(rowGroup),
  );
  return cut(join(chunks.map((range) => widen(range, byteLength))));
}

function isWanted({ columns }: RowGroup, range: TimeRangeMs): boolean {
  const time = columns.find(({ meta_data: data }) => data?.path_in_schema[0] === "time");
  const { min_value: min, max_value: max } = time?.meta_data?.statistics ?? {};
  if (!(min instanceof Date) || !(max instanceof Date)) return true;
  // A Date has no microseconds: they were cut off.
  return meets({ timeMinMs: min.getTime() - 1, timeMaxMs: max.getTime() + 1 }, range);
}

function chunksOf({ columns }: RowGroup, names: ReadonlySet<string> | null): ByteRange[] {
  return columns.flatMap(({ meta_data: data }) => {
    const name = data?.path_in_schema[0]?.toLowerCase();
    if (data === undefined || (names !== null && name !== "time" && !names.has(name!))) return [];
    const start = Number(data.dictionary_page_offset ?? data.data_page_offset);
    return [{ start, end: start + Number(data.total_compressed_size) }];
  });
}

/** The engine looks at the beginning of a row group's time before it passes the row group over. */
function glanceAt(rowGroup: RowGroup): ByteRange[] {
  return chunksOf(rowGroup, new Set()).map(({ start }) => ({ start, end: start + 1 }));
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
