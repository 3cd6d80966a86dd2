// Step 7 of a batch's life: a sealed segment becomes Parquet files in the lake, and is committed.
//
// The job is a plain function over what it is handed, because two run it: the parquet-writer for
// every hint, and the buffer itself when hints lead nowhere. They may run it at the same time, or
// one of them after a crash of the other. That is harmless: the same rows make the same bytes and
// so the same object names, an object is only ever created, and the catalog counts a segment once.
//
// One measurement is decoded, sorted and written at a time, and let go before the next: memory is
// the largest measurement of the segment and its file.
//
// Refuses nothing that a client could have caused: that was refused before the ack. Bytes that do
// not decode are `segment_corrupt`. Next: lib/protocol/table-builder.ts.

import { createHash } from "node:crypto";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import type { BatchHeader, SealedSegment } from "#lib/buffer/types.ts";
import { dataFileKey } from "#lib/catalog/object-keys.ts";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import type { CommitRequest, CommitResult, DataFile } from "#lib/catalog/types.ts";
import { sortByTime } from "#lib/columnar/sort.ts";
import { type DayRange, splitByDay } from "#lib/columnar/split-by-day.ts";
import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import type { ColumnTable, ColumnType } from "#lib/columnar/types.ts";
import { ENCODER_VERSION, writeParquet } from "#lib/parquet/write-file.ts";
import { decompressBody, releaseBytes } from "#lib/protocol/compression.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";

export interface SegmentPorts {
  schemas(tableIds: readonly number[]): Promise<readonly (TableSchema | null)[]>;
  commit(request: CommitRequest): Promise<CommitResult>;
  readonly lake: ObjectStore;
}

export interface WrittenSegment extends CommitResult {
  readonly files: readonly DataFile[];
}

/** Each attempt's name can be tombstoned only by a try that stalled for the whole grace period. */
const COMMIT_ATTEMPTS_MAX = 100;

export async function writeSegment(
  databaseId: number,
  segment: SealedSegment,
  ports: SegmentPorts,
): Promise<WrittenSegment> {
  for (let attempt = 0; ; attempt++) {
    const files = await writeFiles(
      { databaseId, segmentId: segment.segmentId, attempt },
      segment,
      ports,
    );
    try {
      const result = await ports.commit({ segmentId: segment.segmentId, files });
      return { ...result, files };
    } catch (error) {
      const isTombstoned = isSluiceError(error) && error.code === "object_tombstoned";
      if (!isTombstoned || attempt + 1 === COMMIT_ATTEMPTS_MAX) throw error;
    }
  }
}

interface SegmentName {
  readonly databaseId: number;
  readonly segmentId: string;
  readonly attempt: number;
}

async function writeFiles(
  name: SegmentName,
  segment: SealedSegment,
  ports: SegmentPorts,
): Promise<DataFile[]> {
  const batches = groupByTable(segment);
  const tableIds = [...batches.keys()];
  const schemas = await ports.schemas(tableIds);
  const files: DataFile[] = [];
  for (const [i, tableId] of tableIds.entries()) {
    const schema = schemas[i];
    // A measurement that was dropped meanwhile takes its rows with it.
    if (schema === null || schema === undefined) continue;
    const table = sortByTime(decode(schema, batches.get(tableId)!));
    for (const range of splitByDay(table)) {
      files.push(await writeFile(name, schema, table, range, ports.lake));
    }
  }
  return files;
}

interface Batch {
  readonly header: BatchHeader;
  readonly body: Uint8Array;
}

/** In order of time, so that batches that follow each other need no sorting of rows. */
function groupByTable({ run }: SealedSegment): Map<number, Batch[]> {
  const batches = run.headers.map((header, i) => ({ header, body: run.bodies[i]! }));
  batches.sort((a, b) => compare(a.header, b.header));
  return Map.groupBy(batches, ({ header }) => header.tableId);
}

function compare(a: BatchHeader, b: BatchHeader): number {
  return a.timeMinMs - b.timeMinMs || a.sequence - b.sequence;
}

function decode(schema: TableSchema, batches: readonly Batch[]): ColumnTable {
  const builder = new TableBuilder(typedColumns(schema));
  for (const { header, body } of batches) {
    const bytes = unpack(header, body);
    builder.append(bytes, header.receivedUs);
    if (bytes !== body) releaseBytes(bytes);
  }
  return builder.finish();
}

/** It unpacked before it was acknowledged; if it does not now, what is stored has changed. */
function unpack({ segmentId, sequence }: BatchHeader, body: Uint8Array): Uint8Array {
  try {
    return decompressBody(body, null);
  } catch (cause) {
    const message = `batch ${sequence} of segment ${segmentId} does not unpack`;
    throw new SluiceError(
      "segment_corrupt",
      message,
      { segment_id: segmentId, sequence },
      { cause },
    );
  }
}

/** Every column of the table, so that files differ in their columns only when the schema grew. */
function typedColumns({ columns }: TableSchema): { name: string; type: ColumnType }[] {
  const isTyped = (column: SchemaColumn): column is SchemaColumn & { type: ColumnType } =>
    column.type !== null;
  return columns.filter(isTyped);
}

async function writeFile(
  name: SegmentName,
  schema: TableSchema,
  table: ColumnTable,
  { day, from, to }: DayRange,
  lake: ObjectStore,
): Promise<DataFile> {
  const keyValues = {
    "sluice.encoder_version": String(ENCODER_VERSION),
    "sluice.measurement": schema.measurement,
    "sluice.segment_id": name.segmentId,
  };
  const { bytes, footerByteLength, columns } = writeParquet(table, from, to, {
    keyValues,
  });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const key = dataFileKey({ ...name, tableId: schema.tableId, day, sha256 });
  await putOnce(lake, key, bytes, sha256);
  return {
    key,
    tableId: schema.tableId,
    day,
    rowCount: to - from,
    byteLength: bytes.byteLength,
    footerByteLength,
    ...timeRangeMs(columns),
    sha256,
    columns,
  };
}

/** The answer of a put may be lost, so what counts is what the store holds under the key. */
async function putOnce(
  lake: ObjectStore,
  key: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<void> {
  let cause: unknown;
  try {
    if (await lake.putIfAbsent(key, bytes, sha256)) return;
  } catch (error) {
    cause = error;
  }
  const stored = await lake.head(key);
  if (stored === null) {
    const message = `object ${key} could not be stored`;
    throw new SluiceError("store_unavailable", message, { key }, { cause });
  }
  if (stored.byteLength !== bytes.byteLength || stored.sha256 !== sha256) {
    const message = `object ${key} exists with other content than its name says`;
    throw new SluiceError("file_checksum_mismatch", message, { key });
  }
}

/** Rounded outwards; the exact bounds are in the statistics. */
function timeRangeMs(
  columns: readonly ColumnStatistics[],
): Pick<DataFile, "timeMinMs" | "timeMaxMs"> {
  const { min, max } = columns.find((column) => column.name === "time")!;
  return { timeMinMs: floorMs(BigInt(min as string)), timeMaxMs: -floorMs(-BigInt(max as string)) };
}

/** BigInt division cuts towards zero; this one towards the past. */
function floorMs(us: bigint): number {
  const ms = us / 1000n;
  return Number(us % 1000n < 0n ? ms - 1n : ms);
}
