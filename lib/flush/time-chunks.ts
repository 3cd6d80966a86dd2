// Step 7, continued: a segment's batches of one measurement, in pieces that can be written one
// after the other.
//
// Batches are put in order of time. Where one ends before the next begins, the rows so far can be
// sorted, written and let go: with clients that send what just happened that is nearly everywhere,
// and memory is one row group's worth of rows and not the whole segment's. Batches that overlap
// stay together, so that files are sorted whatever is sent.
//
// Next: lib/protocol/table-builder.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { releaseBytes } from "#lib/base/release-bytes.ts";
import type { BatchHeader, SealedSegment } from "#lib/buffer/types.ts";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import type { ColumnTable, ColumnType } from "#lib/columnar/types.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";

export interface StoredBatch {
  readonly header: BatchHeader;
  readonly body: Uint8Array;
}

/** Batches by table id, each list in order of time. */
export function batchesByTable({ run }: SealedSegment): Map<number, StoredBatch[]> {
  const batches = run.headers.map((header, i) => ({ header, body: run.bodies[i]! }));
  batches.sort((a, b) => compare(a.header, b.header));
  return Map.groupBy(batches, ({ header }) => header.tableId);
}

/** Neighbouring lists of at least a row group's rows, each of them earlier than the next. */
export function cutInTime(batches: readonly StoredBatch[]): StoredBatch[][] {
  const chunks: StoredBatch[][] = [];
  let rowCount = Infinity;
  let timeMaxMs = -Infinity;
  for (const batch of batches) {
    const { header } = batch;
    if (rowCount >= LIMITS.rowGroupRows && timeMaxMs <= header.timeMinMs) {
      chunks.push([]);
      rowCount = 0;
    }
    chunks.at(-1)!.push(batch);
    rowCount += header.rowCount;
    timeMaxMs = Math.max(timeMaxMs, header.timeMaxMs);
  }
  return chunks;
}

/**
 * Rows of a chunk, sorted by time, with every column of the table that has a type. Columns in
 * `unique` are not searched for repeated texts.
 */
export function decodeChunk(
  schema: TableSchema,
  chunk: readonly StoredBatch[],
  unique: ReadonlySet<string>,
): ColumnTable {
  const rowCount = chunk.reduce((sum, { header }) => sum + header.rowCount, 0);
  const columns = typedColumns(schema).map((column) => {
    return { ...column, repeats: !unique.has(column.name) };
  });
  const builder = new TableBuilder(columns, rowCount);
  for (const { header, body } of chunk) {
    const bytes = unpack(header, body);
    builder.append(bytes, header.receivedUs);
    if (bytes !== body) releaseBytes(bytes);
  }
  return sortByTime(builder.finish());
}

/** By arrival where times are equal: the same segment must always make the same files. */
function compare(a: BatchHeader, b: BatchHeader): number {
  return a.timeMinMs - b.timeMinMs || a.sequence - b.sequence;
}

/** Also those that this segment lacks, so that files differ only when the schema grew. */
function typedColumns({ columns }: TableSchema): { name: string; type: ColumnType }[] {
  const isTyped = (column: SchemaColumn): column is SchemaColumn & { type: ColumnType } =>
    column.type !== null;
  return columns.filter(isTyped);
}

/** It unpacked before it was acknowledged; if it does not now, what is stored has changed. */
function unpack({ segmentId, sequence }: BatchHeader, body: Uint8Array): Uint8Array {
  try {
    return decompressBody(body, null);
  } catch (cause) {
    const message = `batch ${sequence} of segment ${segmentId} does not unpack`;
    const detail = { segment_id: segmentId, sequence };
    throw new SluiceError("segment_corrupt", message, detail, { cause });
  }
}
