// Step 5 of a batch's life: frozen into a segment, and handed over.
//
// Batches go into the open segment. By size or age it is sealed: frozen for ever, and so listed in
// an outbox (the sealed rows of the segment table) until its files are committed and it is
// released.
//
// The queue carries hints only. Whatever happens to a hint, the alarm finds the segment in the
// outbox, hints again with growing pauses, and in the end writes the segment from here. It is the
// alarm, too, that sends the first hint: sealing arms it for now, in the same transaction.
//
// Tables: buffer-tables.ts. Next: queue-consumers/parquet-writer/index.ts.

import { assert } from "#lib/base/assert.ts";
import { errorKind, refusal, SluiceError } from "#lib/base/errors.ts";
import type { ErrorCode, Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, Clock, SqlStore } from "#lib/base/ports.ts";
import type { BufferTables, Identity, SegmentRow, SegmentTotals } from "./buffer-tables.ts";
import { openFollowTables } from "./follow-tables.ts";
import { ReleasedLogs } from "./released-logs.ts";
import { formatSegmentId, parseSegmentId } from "./segment-id.ts";
import type {
  AppendRequest,
  BatchHeader,
  BatchRun,
  BufferStatus,
  EncodedBatch,
  FlushHint,
} from "./types.ts";
import type { SealedSegment } from "./types.ts";

export interface BufferPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** Puts a hint on the queue. May fail, may lie. */
  sendHint(hint: FlushHint): Promise<void>;
  /** Writes, commits and releases a segment right here, as the parquet-writer would. */
  flushHere(hint: FlushHint): Promise<void>;
  sleep(ms: number): Promise<void>;
  report(event: BufferEvent): void;
}

export interface BufferSettings {
  readonly sealBytes: number;
  readonly sealAfterMs: number;
}

export type BufferEvent =
  | {
      readonly event: "batches_committed";
      readonly requestCount: number;
      readonly batches: readonly Pick<EncodedBatch, "measurement" | "rowCount" | "bytes">[];
      readonly traceparents: readonly string[];
      readonly durationMs: number;
    }
  | { readonly event: "request_known" }
  | { readonly event: "request_refused"; readonly code: ErrorCode }
  | { readonly event: "hint_sent"; readonly segmentId: string; readonly isRepeat: boolean }
  | { readonly event: "flushing_here"; readonly segmentId: string }
  | { readonly event: "try_failed"; readonly segmentId: string; readonly code: ErrorCode }
  | ({
      readonly event: "segment_sealed" | "segment_released";
      readonly segmentId: string;
    } & SegmentTotals)
  | {
      readonly event: "hint_failed" | "flush_failed";
      readonly segmentId: string;
      readonly error: unknown;
    }
  | { readonly event: "segment_quarantined"; readonly segmentId: string; readonly error: string }
  | { readonly event: "alarm_failed" | "append_failed"; readonly error: unknown };

type Added = Pick<AppendRequest, "batches" | "requestId" | "traceparent">;

type Totals = { -readonly [K in keyof SegmentTotals]: SegmentTotals[K] };

const ALARM_AFTER_FAILURE_MS = 10_000;
/**
 * An alarm this late is taken for lost. Seen on workerd after a kill -9: the object's storage had
 * the alarm and the scheduler had not, so that nothing was flushed while the object lived.
 */
const ALARM_LATE_MS = 5_000;
/** A queue that hangs must not hang the alarm. */
const HINT_TIMEOUT_MS = 5_000;
/**
 * How long an explicit flush watches the parquet-writer make no progress before it helps itself.
 */
const FLUSH_PATIENCE_MS = 3_000;

export class Segments {
  readonly #ports: BufferPorts;
  readonly #settings: BufferSettings;
  readonly #tables: BufferTables;
  readonly #released: ReleasedLogs;
  #identity: Identity | null;
  /** Derived from the tables; every unreleased segment has an entry. */
  readonly #totals = new Map<number, Totals>();
  #openSegmentNo: number | null = null;
  #alarmAtMs = Infinity;
  #nextRelease = Promise.withResolvers<void>();

  constructor(ports: BufferPorts, settings: BufferSettings, tables: BufferTables) {
    this.#ports = ports;
    this.#settings = settings;
    this.#tables = tables;
    this.#released = new ReleasedLogs(openFollowTables(ports.store));
    this.#identity = tables.identity();
    // Whatever was lost with the last process, an alarm among it, work that exists gets one again.
    this.derive();
  }

  /** A shard belongs to one database for ever; a request for another one is a bug of ours. */
  identify(databaseId: number, shard: number): void {
    if (this.#identity === null) {
      this.#identity = { databaseId, shard, epoch: 1 };
      this.#tables.setIdentity(this.#identity);
    }
    const isOurs = this.#identity.databaseId === databaseId && this.#identity.shard === shard;
    assert(isOurs, `append for database ${databaseId} shard ${shard} reached another buffer`);
  }

  /** To be called with every request and now and then: nobody else misses a lost alarm. */
  reviveAlarm(): void {
    if (this.#alarmAtMs + ALARM_LATE_MS < this.#ports.clock.nowMs()) {
      this.#alarmAtMs = Infinity;
      this.#arm();
    }
  }

  /** Inside a transaction. All go into one segment, so that they appear at once. */
  add({ batches, requestId, traceparent }: Added): void {
    const segmentNo = (this.#openSegmentNo ??= this.#open());
    const totals = this.#totals.get(segmentNo)!;
    for (const batch of batches) {
      this.#tables.insertBatch(segmentNo, batch, { requestId, traceparent });
      totals.batchCount += 1;
      totals.rowCount += batch.rowCount;
      totals.byteLength += batch.bytes.byteLength;
    }
    const isFull =
      totals.byteLength >= this.#settings.sealBytes ||
      totals.batchCount >= LIMITS.segmentBatchesMax ||
      totals.rowCount >= LIMITS.segmentRowsMax;
    if (isFull) this.#seal(segmentNo);
  }

  /** What memory holds of the tables, anew: at the start, and after a transaction rolled back. */
  derive(): void {
    this.#totals.clear();
    this.#openSegmentNo = null;
    this.#alarmAtMs = Infinity;
    for (const { segmentNo, state } of this.#tables.segments()) {
      this.#totals.set(segmentNo, { ...this.#tables.totals(segmentNo) });
      if (state === "open") this.#openSegmentNo = segmentNo;
    }
    this.#arm();
  }

  /** Headers of all batches that are neither released nor put aside, in order of arrival. */
  unreleasedHeaders(): BatchHeader[] {
    const readable = this.#tables.segments().filter(({ state }) => state !== "quarantined");
    return readable.flatMap(({ segmentNo }) => this.#headers(segmentNo));
  }

  withBodies(headers: readonly BatchHeader[]): BatchRun {
    const bodies = headers.map((header) =>
      this.#tables.batchBytes(parseSegmentId(header.segmentId).segmentNo, header),
    );
    return { headers, bodies };
  }

  /** null: the segment is released, or put aside; there is nothing to write. */
  readSegment(segmentId: string): SealedSegment | null {
    const segment = this.#find(segmentId);
    if (segment?.state !== "sealed") return null;
    return { segmentId, run: this.withBodies(this.#headers(segment.segmentNo)) };
  }

  /** The segment's files are committed: its log may go. Safe to repeat. */
  release(segmentId: string): void {
    const segment = this.#find(segmentId);
    if (segment === null) return;
    assert(segment.state !== "open", `segment ${segmentId} released while open`);
    const totals = this.#totals.get(segment.segmentNo)!;
    const nowMs = this.#ports.clock.nowMs();
    this.#ports.store.transact(() =>
      this.#released.add(segment.segmentNo, totals.byteLength, nowMs),
    );
    this.#totals.delete(segment.segmentNo);
    this.#arm();
    this.#tellReleased();
    this.#ports.report({ event: "segment_released", segmentId, ...totals });
  }

  /** Inside a transaction, after which `derive` is due: the database is no more. */
  dropAll(): void {
    for (const { segmentNo } of this.#tables.segments()) this.#tables.dropSegment(segmentNo);
    this.#released.drop(Infinity);
    this.#tellReleased();
  }

  /**
   * A try to write the segment failed. Only failures that another try cannot mend count towards
   * quarantine: a store that is away for a day must not push good segments aside.
   */
  noteFlushFailure(segmentId: string, code: ErrorCode, message: string): void {
    const segment = this.#find(segmentId);
    if (segment?.state !== "sealed") return;
    this.#ports.report({ event: "try_failed", segmentId, code });
    const kind = errorKind(code);
    const attempts = segment.attempts + (kind === "corrupt" || kind === "internal" ? 1 : 0);
    const isPoison = attempts >= LIMITS.flushAttemptsMax;
    const state = isPoison ? "quarantined" : "sealed";
    this.#tables.noteFailure(segment.segmentNo, `${code}: ${message}`, attempts, state);
    if (!isPoison) return;
    this.#tellReleased();
    this.#ports.report({ event: "segment_quarantined", segmentId, error: `${code}: ${message}` });
  }

  /** Gives a quarantined segment another chance. */
  replay(segmentId: string): void {
    const segment = this.#find(segmentId);
    if (segment?.state !== "quarantined") {
      throw new SluiceError("segment_unknown", `no quarantined segment ${segmentId}`);
    }
    this.#tables.replaySegment(segment.segmentNo);
    this.#arm();
  }

  /**
   * Seals what is open; resolves when everything appended before is committed, or fails in time.
   */
  async flush(timeoutMs: number): Promise<Refusal | null> {
    this.reviveAlarm();
    this.#sealOpen();
    const deadlineMs = this.#ports.clock.nowMs() + timeoutMs;
    const mine = this.#tables.segments().filter(({ state }) => state === "sealed");
    for (;;) {
      const left = mine.find(
        ({ segmentNo }) => this.#tables.segment(segmentNo)?.state === "sealed",
      );
      if (left === undefined) return this.#refuseQuarantined(mine);
      const hint = this.#hint(left.segmentNo);
      if (this.#ports.clock.nowMs() >= deadlineMs) return this.#refuseLateFlush(hint.segmentId);
      const released = this.#nextRelease.promise.then(() => true);
      const patience = this.#ports.sleep(FLUSH_PATIENCE_MS).then(() => false);
      if (!(await Promise.race([released, patience]))) await this.#flushHere(hint);
    }
  }

  status(): BufferStatus {
    const segments = this.#tables.segments().map((segment) => ({
      segmentId: this.#segmentId(segment.segmentNo),
      state: segment.state,
      openedMs: segment.openedMs,
      attempts: segment.attempts,
      lastError: segment.lastError,
      ...this.#totals.get(segment.segmentNo)!,
    }));
    return {
      segments,
      rowCount: segments.reduce((sum, { rowCount }) => sum + rowCount, 0),
      byteLength: segments.reduce((sum, { byteLength }) => sum + byteLength, 0),
    };
  }

  /** Never throws, see BufferCore. */
  async onAlarm(): Promise<void> {
    this.#alarmAtMs = Infinity;
    try {
      const nowMs = this.#ports.clock.nowMs();
      this.#sealWhenOld(nowMs);
      this.#ports.store.transact(() => this.#released.drop(nowMs));
      for (const segment of this.#tables.segments()) {
        if (segment.state === "sealed" && segment.nextHintMs <= nowMs) await this.#push(segment);
      }
      this.#arm();
    } catch (error) {
      this.#ports.report({ event: "alarm_failed", error });
      this.#setAlarm(this.#ports.clock.nowMs() + ALARM_AFTER_FAILURE_MS);
    }
  }

  #open(): number {
    const segmentNo = this.#tables.openSegment(this.#ports.clock.nowMs());
    this.#totals.set(segmentNo, { batchCount: 0, rowCount: 0, byteLength: 0 });
    this.#arm();
    return segmentNo;
  }

  #seal(segmentNo: number): void {
    this.#tables.sealSegment(segmentNo);
    this.#openSegmentNo = null;
    this.#arm();
    const segmentId = this.#segmentId(segmentNo);
    this.#ports.report({ event: "segment_sealed", segmentId, ...this.#totals.get(segmentNo)! });
  }

  #sealOpen(): void {
    const segmentNo = this.#openSegmentNo;
    if (segmentNo === null) return;
    this.#ports.store.transact(() => this.#seal(segmentNo));
  }

  #sealWhenOld(nowMs: number): void {
    if (this.#openSegmentNo === null) return;
    const { openedMs } = this.#tables.segment(this.#openSegmentNo)!;
    if (openedMs + this.#settings.sealAfterMs <= nowMs) this.#sealOpen();
  }

  /** Hint, or after enough of them that led nowhere, flush right here. */
  async #push(segment: SegmentRow): Promise<void> {
    const hint = this.#hint(segment.segmentNo);
    // Noted first, so that a crash while sending costs a pause and not a loop.
    const pauseMs = LIMITS.hintIntervalMs * 2 ** Math.min(segment.hints, 5);
    this.#tables.noteHint(segment.segmentNo, this.#ports.clock.nowMs() + pauseMs);
    if (segment.hints >= LIMITS.hintsBeforeInlineFlush) return await this.#flushHere(hint);
    try {
      const tooLong = this.#ports.sleep(HINT_TIMEOUT_MS).then(() => {
        throw new SluiceError("store_unavailable", `no answer in ${HINT_TIMEOUT_MS} ms`);
      });
      await Promise.race([this.#ports.sendHint(hint), tooLong]);
      const isRepeat = segment.hints > 0;
      this.#ports.report({ event: "hint_sent", segmentId: hint.segmentId, isRepeat });
    } catch (error) {
      this.#ports.report({ event: "hint_failed", segmentId: hint.segmentId, error });
    }
  }

  async #flushHere(hint: FlushHint): Promise<void> {
    this.#ports.report({ event: "flushing_here", segmentId: hint.segmentId });
    try {
      await this.#ports.flushHere(hint);
    } catch (error) {
      this.#ports.report({ event: "flush_failed", segmentId: hint.segmentId, error });
    }
  }

  /** A segment that was put aside is not in Parquet; null when there is none among these. */
  #refuseQuarantined(segments: readonly SegmentRow[]): Refusal | null {
    const aside = segments
      .map(({ segmentNo }) => this.#tables.segment(segmentNo))
      .find((segment) => segment?.state === "quarantined");
    if (!aside) return null;
    const segmentId = this.#segmentId(aside.segmentNo);
    const message = `segment ${segmentId} could not be written and was put aside: ${aside.lastError}`;
    return refusal(new SluiceError("segment_quarantined", message, { segment_id: segmentId }));
  }

  #refuseLateFlush(segmentId: string): Refusal {
    const { segmentNo } = parseSegmentId(segmentId);
    const error = this.#tables.segment(segmentNo)?.lastError ?? "no answer from the parquet-writer";
    const message = `segment ${segmentId} is not committed yet: ${error}`;
    return refusal(new SluiceError("flush_timeout", message, { segment_id: segmentId }));
  }

  #tellReleased(): void {
    this.#nextRelease.resolve();
    this.#nextRelease = Promise.withResolvers<void>();
  }

  /** The earliest moment at which there is something to do. */
  #arm(): void {
    let atMs = Infinity;
    for (const segment of this.#tables.segments()) {
      if (segment.state === "open")
        atMs = Math.min(atMs, segment.openedMs + this.#settings.sealAfterMs);
      if (segment.state === "sealed") atMs = Math.min(atMs, segment.nextHintMs);
    }
    atMs = Math.min(atMs, this.#released.dueMs());
    if (atMs !== Infinity) this.#setAlarm(Math.max(atMs, this.#ports.clock.nowMs()));
  }

  #setAlarm(atMs: number): void {
    if (this.#alarmAtMs <= atMs) return;
    this.#ports.alarm.setMs(atMs);
    this.#alarmAtMs = atMs;
  }

  #find(segmentId: string): SegmentRow | null {
    const { shard, epoch, segmentNo } = parseSegmentId(segmentId);
    const isOurs = this.#identity?.shard === shard && this.#identity.epoch === epoch;
    return isOurs ? this.#tables.segment(segmentNo) : null;
  }

  #headers(segmentNo: number): BatchHeader[] {
    return this.#tables.batchHeaders(segmentNo, this.#segmentId(segmentNo));
  }

  #segmentId(segmentNo: number): string {
    const { shard, epoch } = this.#identity!;
    return formatSegmentId({ shard, epoch, segmentNo });
  }

  #hint(segmentNo: number): FlushHint {
    const { databaseId, shard } = this.#identity!;
    return { databaseId, shard, segmentId: this.#segmentId(segmentNo) };
  }
}
