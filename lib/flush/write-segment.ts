// Step 7 of a batch's life: a sealed segment becomes Parquet files in the lake, and is committed.
//
// The job is a plain function over what it is handed, because two run it: the parquet-writer for
// every hint, and the buffer itself when hints lead nowhere. They may run it at the same time, or
// one of them after a crash of the other. That is harmless: the same rows make the same bytes and
// so the same object names, an object is only ever created, and the catalog counts a segment once.
//
// One measurement is written after the other, and of each a stretch of time after the other, so
// that memory is a row group or two of rows and the file they make (time-chunks.ts, day-files.ts).
//
// Refuses nothing that a client could have caused: that was refused before the ack. Bytes that do
// not decode are `segment_corrupt`. Next: time-chunks.ts.

import { isSluiceError } from "#lib/base/errors.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import type { SealedSegment } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { CommitRequest, CommitResult, DataFile } from "#lib/catalog/types.ts";
import { uniqueTexts } from "#lib/columnar/unique-texts.ts";
import { DayFiles } from "./day-files.ts";
import { batchesByTable, cutInTime, decodeChunk } from "./time-chunks.ts";

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
  const batches = batchesByTable(segment);
  const tableIds = [...batches.keys()];
  const schemas = await ports.schemas(tableIds);
  const files: DataFile[] = [];
  for (const [i, tableId] of tableIds.entries()) {
    const schema = schemas[i];
    // A measurement that was dropped meanwhile takes its rows with it.
    if (schema === null || schema === undefined) continue;
    const dayFiles = new DayFiles({ ...name, schema }, ports.lake);
    let unique: ReadonlySet<string> = new Set();
    for (const chunk of cutInTime(batches.get(tableId)!)) {
      const table = decodeChunk(schema, chunk, unique);
      unique = uniqueTexts(table);
      await dayFiles.add(table);
    }
    files.push(...(await dayFiles.finish()));
  }
  return files;
}
