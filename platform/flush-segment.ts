// One try to write one segment, with the real buffer, catalog and lake.
//
// Two call it: the parquet-writer with stubs, and the buffer with itself when its hints lead
// nowhere. It never throws: how it went is told to the buffer, whose outbox decides what happens
// next.

import { isSluiceError, type Refusal } from "#lib/base/errors.ts";
import type { ErrorCode } from "#lib/base/errors.ts";
import type { FlushHint, SealedSegment } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { CommitRequest, CommitResult } from "#lib/catalog/types.ts";
import { type WrittenSegment, writeSegment } from "#lib/flush/write-segment.ts";
import { fromStreamedRun, type StreamedRun } from "./byte-run.ts";
import { FlushTelemetry } from "./flush-telemetry.ts";
import type { Log } from "./log.ts";
import { r2ObjectStore } from "./r2.ts";
import { unwrap } from "./rpc.ts";

export interface SegmentSource {
  readSegment(segmentId: string): Promise<StreamedRun | null>;
  release(segmentId: string): Promise<void>;
  noteFlushFailure(segmentId: string, code: ErrorCode, message: string): Promise<void>;
}

export interface SegmentSink {
  schemas(tableIds: readonly number[]): Promise<(TableSchema | null)[]>;
  commit(databaseId: number, request: CommitRequest): Promise<CommitResult | Refusal>;
}

/** Request ids named in the log line of a segment; the rest is counted. */
const REQUEST_IDS_LOGGED_MAX = 20;

export async function flushSegment(
  hint: FlushHint,
  buffer: SegmentSource,
  catalog: SegmentSink,
  lake: R2Bucket,
  log: Log,
  component: string,
): Promise<void> {
  const { databaseId, segmentId } = hint;
  const startedMs = Date.now();
  const telemetry = new FlushTelemetry(databaseId, component);
  try {
    const streamed = await unwrap(buffer.readSegment(segmentId));
    if (streamed === null) {
      telemetry.gone();
      log.debug("hint for a segment that is released", {
        database_id: databaseId,
        segment_id: segmentId,
      });
      return;
    }
    const run = await fromStreamedRun(streamed);
    telemetry.read(run, segmentId);
    const written = await write(databaseId, { segmentId, run }, catalog, lake, telemetry);
    await release(segmentId, buffer, telemetry);
    telemetry.written(written);
    const { context } = telemetry.span;
    const requestIds = [...new Set(run.headers.map((header) => header.requestId))];
    log.within(context).info("segment written", {
      ...describe(hint, written),
      request_ids: requestIds.slice(0, REQUEST_IDS_LOGGED_MAX),
      request_count: requestIds.length,
      duration_ms: Date.now() - startedMs,
    });
  } catch (error) {
    telemetry.failed(error);
    const code = isSluiceError(error) ? error.code : "bug";
    const message = error instanceof Error ? error.message : String(error);
    const { context } = telemetry.span;
    log
      .within(context)
      .error("segment not written", error, { database_id: databaseId, segment_id: segmentId });
    await noteFailure(buffer, segmentId, code, message, log);
  }
}

async function write(
  databaseId: number,
  segment: SealedSegment,
  catalog: SegmentSink,
  lake: R2Bucket,
  telemetry: FlushTelemetry,
): Promise<WrittenSegment> {
  using stage = telemetry.stage("write");
  return await writeSegment(databaseId, segment, {
    schemas: (tableIds) => unwrap(catalog.schemas(tableIds)),
    commit: async (request) => {
      using _commit = telemetry.stage("commit", stage.span);
      return await unwrap(catalog.commit(databaseId, request));
    },
    lake: r2ObjectStore(lake, stage.span),
  });
}

async function release(
  segmentId: string,
  buffer: SegmentSource,
  telemetry: FlushTelemetry,
): Promise<void> {
  using _release = telemetry.stage("release");
  await unwrap(buffer.release(segmentId));
}

/** When even this fails the buffer is away; its alarm will hint again when it is back. */
async function noteFailure(
  buffer: SegmentSource,
  segmentId: string,
  code: ErrorCode,
  message: string,
  log: Log,
): Promise<void> {
  try {
    await unwrap(buffer.noteFlushFailure(segmentId, code, message));
  } catch (error) {
    log.error("failure of a segment could not be noted", error, { segment_id: segmentId });
  }
}

function describe(
  { databaseId, segmentId }: FlushHint,
  { version, isRepeat, files }: WrittenSegment,
) {
  return {
    database_id: databaseId,
    segment_id: segmentId,
    version,
    is_repeat: isRepeat,
    files: files.map((file) => file.key),
    rows: files.reduce((sum, file) => sum + file.rowCount, 0),
    bytes: files.reduce((sum, file) => sum + file.byteLength, 0),
  };
}
