// The page index: where each page of a chunk lies, and between which values.
//
// With it a reader that is after one minute, or after one id, fetches single pages of a chunk.
// https://github.com/apache/parquet-format/blob/master/PageIndex.md

import type { ColumnType } from "#lib/columnar/types.ts";

import type { ColumnChunk } from "./column-chunk.ts";
import { BOUNDARY_ORDER } from "./format.ts";
import { boundBytes, compareBounds, type Bound, type Bounds } from "./statistics.ts";
import { thriftBytes } from "./thrift-compact.ts";

const NO_BOUND = new Uint8Array(0);

/** Where the pages lie. */
export function offsetIndexBytes(chunk: ColumnChunk): Uint8Array {
  return thriftBytes((index) => {
    index.structList(1, chunk.pages, (location, page) => {
      location.i64(1, page.range.offset);
      location.i32(2, page.range.byteLength);
      location.i64(3, page.firstRow);
    });
  });
}

/** Their bounds. null where a page has values but no bounds: the format has no way to say so. */
export function columnIndexBytes(chunk: ColumnChunk): Uint8Array | null {
  const { pages, type } = chunk;
  const bounds = pages.map(({ statistics }) => statistics.bounds);
  const isNullPage = pages.map(({ statistics }) => statistics.valueCount === 0);
  if (pages.some((_, i) => !isNullPage[i] && bounds[i] === null)) return null;

  return thriftBytes((index) => {
    index.boolList(1, isNullPage);
    index.binaryList(
      2,
      bounds.map((bound) => bytesOf(type, bound?.min)),
    );
    index.binaryList(
      3,
      bounds.map((bound) => bytesOf(type, bound?.max)),
    );
    index.i32(4, boundaryOrder(bounds.filter((bound) => bound !== null)));
    index.i64List(
      5,
      pages.map(({ statistics }) => statistics.nullCount),
    );
  });
}

function bytesOf(type: ColumnType, bound: Bound | undefined): Uint8Array {
  return bound === undefined ? NO_BOUND : boundBytes(type, bound);
}

/** Ascending: a reader may search the pages by bisection. Pages of NULLs do not count. */
function boundaryOrder(bounds: readonly Bounds[]): number {
  const steps = bounds.slice(1).map((bound, i) => ({
    min: compareBounds(bound.min, bounds[i].min),
    max: compareBounds(bound.max, bounds[i].max),
  }));
  if (steps.every(({ min, max }) => min >= 0 && max >= 0)) return BOUNDARY_ORDER.ascending;
  if (steps.every(({ min, max }) => min <= 0 && max <= 0)) return BOUNDARY_ORDER.descending;
  return BOUNDARY_ORDER.unordered;
}
