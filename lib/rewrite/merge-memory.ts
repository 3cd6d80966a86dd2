// How much a merge will hold at most, from what the catalog knows of its inputs.
//
// At any moment one row group of every file that covers it; beside them, rows that were loaded to
// fill the next row group, and that row group itself. What texts take once they are decompressed is
// an estimate, on the high side for telemetry.

import { LIMITS } from "#lib/base/limits.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { TypedColumn } from "./source-rows.ts";

export type FileExtent = Pick<DataFile, "rowCount" | "byteLength" | "timeMinMs" | "timeMaxMs">;

/** Of a row: its slot in the column's array, and whether it is NULL. */
const SLOT_BYTES: Readonly<Record<ColumnType, number>> = {
  int64: 9,
  float64: 9,
  timestamp: 9,
  utf8: 5,
  bool: 2,
};
/** What the texts of a file take, in its own bytes. */
const TEXT_RATIO = 3;

/** Without texts. */
export function rowBytesOf(columns: readonly Pick<TypedColumn, "type">[]): number {
  return columns.reduce((sum, { type }) => sum + SLOT_BYTES[type], 0);
}

/** `columns`: of the table of today. */
export function mergeMemoryBytes(
  files: readonly FileExtent[],
  columns: readonly Pick<TypedColumn, "type">[],
): number {
  const slotBytes = rowBytesOf(columns);
  const textRatio = columns.some(({ type }) => type === "utf8") ? TEXT_RATIO : 0;
  const decodedBytes = files.map(
    ({ rowCount, byteLength }) => rowCount * slotBytes + byteLength * textRatio,
  );
  const groupBytes = files.map(({ rowCount }, i) => decodedBytes[i] / rowGroupCount(rowCount));
  const total = decodedBytes.reduce((sum, bytes) => sum + bytes, 0);
  const output = Math.min(total, LIMITS.rewriteRowGroupBytes);
  const loadedAhead = output + groupBytes.reduce((most, bytes) => Math.max(most, bytes), 0);
  return Math.min(total, peakOverlap(files, groupBytes) + loadedAhead) + output;
}

/** How many a flush or a merge writes of so many rows. */
export function rowGroupCount(rowCount: number, rowsMax: number = LIMITS.rowGroupRows): number {
  return Math.max(1, Math.round(rowCount / rowsMax));
}

/** The largest sum of the weights of files that cover one moment. */
function peakOverlap(files: readonly FileExtent[], weights: readonly number[]): number {
  const events = files.flatMap(({ timeMinMs, timeMaxMs }, i) => [
    { atMs: timeMinMs, bytes: weights[i] },
    { atMs: timeMaxMs, bytes: -weights[i] },
  ]);
  // A file that begins where another ends meets it.
  events.sort((a, b) => a.atMs - b.atMs || b.bytes - a.bytes);
  let held = 0;
  let peak = 0;
  for (const { bytes } of events) {
    held += bytes;
    peak = Math.max(peak, held);
  }
  return peak;
}
