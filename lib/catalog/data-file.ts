// What the catalog keeps of a file that was just written.

import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import { TIME_COLUMN } from "#lib/columnar/kinds.ts";

import type { DataFile } from "./types.ts";

type Place = Pick<DataFile, "key" | "tableId" | "day" | "sha256">;
type Summary = Pick<DataFile, "rowCount" | "byteLength" | "footerByteLength" | "columns">;

/** Of a file with rows: their times are in its statistics. */
export function describeFile(place: Place, summary: Summary): DataFile {
  const { rowCount, byteLength, footerByteLength, columns } = summary;
  const times = timeRangeMs(columns);
  return { ...place, rowCount, byteLength, footerByteLength, ...times, columns };
}

/** Rounded outwards; the exact bounds are in the statistics. */
function timeRangeMs(
  columns: readonly ColumnStatistics[],
): Pick<DataFile, "timeMinMs" | "timeMaxMs"> {
  const { min, max } = columns.find((column) => column.name === TIME_COLUMN)!;
  return { timeMinMs: floorMs(BigInt(min as string)), timeMaxMs: -floorMs(-BigInt(max as string)) };
}

/** BigInt division cuts towards zero; this one towards the past. */
function floorMs(us: bigint): number {
  const ms = us / 1000n;
  return Number(us % 1000n < 0n ? ms - 1n : ms);
}
