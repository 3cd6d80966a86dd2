// Rows that were acknowledged and are not in the lake yet, as one file in memory.
//
// The same decoder and the same writer as for a segment: what a query sees of a row does not depend
// on whether it was flushed a moment ago.

import type { BatchHeader } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";

export interface TailBatch {
  readonly header: BatchHeader;
  readonly body: Uint8Array;
}

/** The Parquet file of the batches' rows, and the types of its columns. */
export function tailFile(
  schema: TableSchema,
  batches: readonly TailBatch[],
): { bytes: Uint8Array; footerByteLength: number; types: Map<string, ColumnType> } {
  const types = new Map<string, ColumnType>();
  for (const { name, type } of schema.columns) if (type !== null) types.set(name, type);
  const builder = new TableBuilder(Array.from(types, ([name, type]) => ({ name, type })));
  for (const { header, body } of batches) {
    builder.append(decompressBody(body, null), header.receivedUs);
  }
  const table = sortByTime(builder.finish());
  const { bytes, footerByteLength } = writeParquet(table, 0, table.rowCount, { keyValues: {} });
  return { bytes, footerByteLength, types };
}
