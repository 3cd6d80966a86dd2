// Files in a lake in memory, written and read outside of flushes: for what rewrites them.

import { createHash } from "node:crypto";
import type { FetchRange } from "#lib/base/ports.ts";
import { describeFile } from "#lib/catalog/data-file.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { timeColumn } from "#lib/columnar/sort.ts";
import { dayOf } from "#lib/columnar/times.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { readRowGroup } from "#lib/parquet/read-file.ts";
import { readFooter } from "#lib/parquet/read-footer.ts";
import { ParquetWriter } from "#lib/parquet/write-file.ts";
import type { MemoryLake } from "./memory-world.ts";

/** Puts a table that is sorted by time, in row groups of `groupRows` rows. */
export async function storeFile(
  lake: MemoryLake,
  key: string,
  table: ColumnTable,
  groupRows: number,
): Promise<DataFile> {
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(table.columns, { keyValues: {} }, (part) => parts.push(part));
  for (let row = 0; row < table.rowCount; row += groupRows) {
    writer.writeRowGroup(table, row, Math.min(table.rowCount, row + groupRows));
  }
  const summary = writer.finish();
  const bytes = new Uint8Array(Buffer.concat(parts));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await lake.putIfAbsent(key, bytes, sha256);
  const day = dayOf(timeColumn(table).words, 0);
  return describeFile({ key, tableId: 1, day, sha256 }, summary);
}

export function fetchRangeOf(lake: MemoryLake): FetchRange {
  return (key, offset, byteLength) => lake.read(key, offset, byteLength);
}

/** Row group by row group. */
export function tablesOf(lake: MemoryLake, { key }: Pick<DataFile, "key">): ColumnTable[] {
  return tablesAt(lake, key);
}

/** Row group by row group. Throws when the object is gone. */
export function tablesAt(lake: MemoryLake, key: string): ColumnTable[] {
  const object = lake.objects.get(key);
  if (object === undefined) throw new Error(`object ${key} is gone`);
  const { bytes } = object;
  const tail = new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 8, 8);
  const layout = readFooter(bytes.subarray(-(tail.getUint32(0, true) + 8)), bytes.length);
  return layout.rowGroups.map((rowGroup) => {
    const { offset, byteLength } = rowGroup;
    return readRowGroup(layout, rowGroup, bytes.subarray(offset, offset + byteLength));
  });
}
