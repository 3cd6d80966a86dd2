// The shell of a buffer: Cloudflare's storage, alarm, queue and RPC round lib/buffer/buffer.ts and
// segments.ts, where the thinking is. One object per database and shard, named
// `<databaseId>-<shard>`.

import { DurableObject } from "cloudflare:workers";
import { type ErrorCode, orRefusal, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { BufferEvent } from "#lib/buffer/segments.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import * as metrics from "#lib/telemetry/metrics/buffer.ts";
import type { AppendReceipt, AppendRequest, BufferStatus } from "#lib/buffer/types.ts";
import type { Followed, FollowRequest, FollowStart } from "#lib/buffer/types.ts";
import type { FlushHint, SegmentRows, TailRequest } from "#lib/buffer/types.ts";
import { type StreamedRun, toStreamedRun } from "#platform/byte-run.ts";
import { sleep, systemClock } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { flushSegment } from "#platform/flush-segment.ts";
import { createLog, type Log } from "#platform/log.ts";
import { goOnInObject, meter, reportSoon } from "#platform/telemetry.ts";
import { bufferGauges, inHintSpan, tellOfBuffer } from "./buffer-telemetry.ts";

export interface StreamedTail extends StreamedRun {
  readonly segmentIds: readonly string[];
  readonly isOverBudget: boolean;
}

export interface StreamedFollowed extends StreamedRun, Omit<Followed, "run"> {}

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
      sendHint: (hint: FlushHint) => this.#sendHint(hint),
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
      meter.add(metrics.tailReads, 1);
      for (const { byteLength } of run.headers) meter.add(metrics.tailBytes, byteLength);
      this.#reportSoon();
      return { segmentIds, isOverBudget, ...toStreamedRun(run) };
    });
  }

  async startFollowing(shard: number, tableId: number, rows: number): Promise<FollowStart> {
    return this.#core.followers.start(shard, tableId, rows);
  }

  async follow(request: FollowRequest): Promise<StreamedFollowed> {
    const { run, ...followed } = await this.#core.followers.follow(request);
    return { ...followed, ...toStreamedRun(run) };
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

  async replay(segmentId: string): Promise<null | Refusal> {
    return orRefusal(() => {
      this.#core.segments.replay(segmentId);
      return null;
    });
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

  /** `followerCount`: who waits for rows right now. */
  async status(): Promise<BufferStatus & { readonly followerCount: number }> {
    return { ...this.#core.segments.status(), followerCount: this.#core.followers.waitingCount };
  }

  async gauges(): Promise<FamilyValues[]> {
    const [databaseId] = this.#name.split("-");
    return bufferGauges(Number(databaseId), this.#core.segments.status(), systemClock.nowMs());
  }

  override async alarm(): Promise<void> {
    await this.#core.onAlarm();
  }

  async #sendHint(hint: FlushHint): Promise<void> {
    const { segmentId } = hint;
    const send = async () => void (await this.env.FLUSH_QUEUE.send(hint));
    await inHintSpan(this.#core.traceOf(segmentId), segmentId, send);
  }

  async #flushHere(hint: FlushHint): Promise<void> {
    const catalog = this.env.DATABASE_CATALOG.getByName(`${hint.databaseId}`);
    await flushSegment(hint, this, catalog, this.env.LAKE, this.#log, "database-buffer");
  }

  get #name(): string {
    return this.ctx.id.name ?? this.ctx.id.toString();
  }

  #report(event: BufferEvent): void {
    tellOfBuffer(event, this.#name, this.#log);
    this.#reportSoon();
  }

  #reportSoon(): void {
    reportSoon("front-door", this.env, goOnInObject);
  }
}
