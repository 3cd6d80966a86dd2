// The shell of a buffer: Cloudflare's storage, alarm, queue and RPC round lib/buffer/buffer.ts and
// segments.ts, where the thinking is. One object per database and shard, named
// `<databaseId>-<shard>`.

import { DurableObject } from "cloudflare:workers";
import { type ErrorCode, orRefusal, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { BufferEvent } from "#lib/buffer/segments.ts";
import type { AppendReceipt, AppendRequest, BufferStatus } from "#lib/buffer/types.ts";
import type { FlushHint, SegmentRows, TailRequest } from "#lib/buffer/types.ts";
import { type StreamedRun, toStreamedRun } from "#platform/byte-run.ts";
import { sleep, systemClock } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { flushSegment } from "#platform/flush-segment.ts";
import { createLog, type Log } from "#platform/log.ts";

export interface StreamedTail extends StreamedRun {
  readonly segmentIds: readonly string[];
  readonly isOverBudget: boolean;
}

export class DatabaseBuffer extends DurableObject<IngestEnv> {
  readonly #core: BufferCore;
  readonly #log: Log;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    this.#log = createLog("database-buffer", env.LOG_LEVEL);
    const ports = {
      store: sqlStore(ctx.storage),
      clock: systemClock,
      alarm: alarm(ctx.storage),
      sendHint: async (hint: FlushHint) => void (await env.FLUSH_QUEUE.send(hint)),
      flushHere: (hint: FlushHint) => this.#flushHere(hint),
      sleep,
      report: (event: BufferEvent) => this.#report(event),
    };
    this.#core = new BufferCore(ports, {
      sealBytes: positiveInteger("SEAL_BYTES", env.SEAL_BYTES),
      sealAfterMs: positiveInteger("SEAL_AFTER_MS", env.SEAL_AFTER_MS),
    });
  }

  append(request: AppendRequest): Promise<AppendReceipt | Refusal> {
    return this.#core.append(request);
  }

  async readTail(request: TailRequest): Promise<StreamedTail | Refusal> {
    return orRefusal(() => {
      const { segmentIds, run, isOverBudget } = this.#core.readTail(request);
      return { segmentIds, isOverBudget, ...toStreamedRun(run) };
    });
  }

  async rowsOfTable(tableId: number): Promise<SegmentRows[]> {
    return this.#core.rowsOfTable(tableId);
  }

  nameTable(tableId: number, measurement: string | null, changeNo: number): Promise<void> {
    return this.#core.nameTable(tableId, measurement, changeNo);
  }

  close(): Promise<void> {
    return this.#core.close();
  }

  empty(): Promise<void> {
    return this.#core.empty();
  }

  async readSegment(segmentId: string): Promise<StreamedRun | null> {
    const segment = this.#core.segments.readSegment(segmentId);
    return segment === null ? null : toStreamedRun(segment.run);
  }

  async release(segmentId: string): Promise<void> {
    this.#core.segments.release(segmentId);
  }

  async noteFlushFailure(segmentId: string, code: ErrorCode, message: string): Promise<void> {
    this.#core.segments.noteFlushFailure(segmentId, code, message);
  }

  /** Resolves when all that was appended before is in Parquet and committed. */
  flush(): Promise<Refusal | null> {
    return this.#core.segments.flush(LIMITS.flushTimeoutMs);
  }

  /**
   * A poke from the sweep: the constructor has armed the alarm, unless the object was up already.
   */
  async wake(): Promise<void> {
    this.#core.segments.reviveAlarm();
  }

  async status(): Promise<BufferStatus> {
    return this.#core.segments.status();
  }

  override async alarm(): Promise<void> {
    await this.#core.onAlarm();
  }

  async #flushHere(hint: FlushHint): Promise<void> {
    const catalog = this.env.DATABASE_CATALOG.getByName(`${hint.databaseId}`);
    await flushSegment(hint, this, catalog, this.env.LAKE, this.#log);
  }

  #report(event: BufferEvent): void {
    const { event: message, ...fields } = event;
    const object = { buffer: this.ctx.id.name ?? this.ctx.id.toString() };
    if (!("error" in fields)) {
      const { segmentId, batchCount, rowCount, byteLength } = fields;
      const totals = { batches: batchCount, rows: rowCount, bytes: byteLength };
      this.#log.info(message, { ...object, segment_id: segmentId, ...totals });
      return;
    }
    const segment = "segmentId" in fields ? { segment_id: fields.segmentId } : {};
    this.#log.error(message, fields.error, { ...object, ...segment });
  }
}
