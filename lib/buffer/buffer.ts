// Steps 4 and 5 of a batch's life: stored durably, then frozen into a segment and handed over.
//
// A buffer is an append-only log in SQLite. `append` answers only after the rows are committed, and
// that answer becomes the client's 2xx. By size or age the open segment is sealed: frozen for ever,
// and listed in an outbox (the sealed rows of the segment table) until its files are committed.
//
// The queue carries hints only. Whatever happens to a hint, the alarm finds the segment in the
// outbox, hints again with growing pauses, and in the end writes the segment from here. It is the
// alarm, too, that sends the first hint: sealing arms it for now, in the same transaction.
//
// Requests that arrive while a commit is being made durable share the next commit (group commit):
// with a slow disk the group grows, with a fast one nobody waits.
//
// Refuses: a known idempotency key with another body; anything while too much waits to be flushed.
// Tables: buffer-tables.ts. Shell: durable-objects/database-buffer.ts. Next: queue-consumers/
// parquet-writer/index.ts.

import { assert } from "#lib/base/assert.ts";
import { errorKind, refusal, SluiceError } from "#lib/base/errors.ts";
import type { ErrorCode, Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, Clock, SqlStore } from "#lib/base/ports.ts";
import { type BufferTables, type Identity, openBufferTables } from "./buffer-tables.ts";
import type { SegmentRow, SegmentTotals } from "./buffer-tables.ts";
import { formatSegmentId, parseSegmentId } from "./segment-id.ts";
import type { AppendReceipt, AppendRequest, BatchHeader, BatchRun } from "./types.ts";
import type { BufferStatus, FlushHint, SealedSegment, Tail, TailRequest } from "./types.ts";

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
  | ({ readonly event: "segment_sealed" | "segment_released"; readonly segmentId: string } & SegmentTotals)
  | { readonly event: "hint_failed" | "flush_failed"; readonly segmentId: string; readonly error: unknown }
  | { readonly event: "segment_quarantined"; readonly segmentId: string; readonly error: string }
  | { readonly event: "alarm_failed" | "append_failed"; readonly error: unknown };

interface PendingAppend {
  readonly request: AppendRequest;
  readonly answer: PromiseWithResolvers<AppendReceipt>;
}

type Totals = { -readonly [K in keyof SegmentTotals]: SegmentTotals[K] };

const ALARM_AFTER_FAILURE_MS = 10_000;
const FORGET_KEYS_EVERY_MS = 3_600_000;
const GROUP_BYTES_MAX = 32_000_000;
/** A queue that hangs must not hang the alarm. */
const HINT_TIMEOUT_MS = 5_000;
/** How long an explicit flush watches the parquet-writer make no progress before it helps itself. */
const FLUSH_PATIENCE_MS = 3_000;

export class BufferCore {
  readonly #ports: BufferPorts;
  readonly #settings: BufferSettings;
  readonly #tables: BufferTables;
  #identity: Identity | null;
  /** Derived from the tables; every unreleased segment has an entry. */
  readonly #totals = new Map<number, Totals>();
  #openSegmentNo: number | null = null;
  #waiting: PendingAppend[] = [];
  /** Keys of appends that are not durable yet: a twin waits for the owner. */
  readonly #pendingKeys = new Map<string, PendingAppend>();
  #isCommitting = false;
  #alarmAtMs = Infinity;
  #keysForgottenMs = 0;
  #nextRelease = Promise.withResolvers<void>();

  constructor(ports: BufferPorts, settings: BufferSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#tables = openBufferTables(ports.store);
    this.#identity = this.#tables.identity();
    for (const segment of this.#tables.segments()) {
      this.#totals.set(segment.segmentNo, { ...this.#tables.totals(segment.segmentNo) });
      if (segment.state === "open") this.#openSegmentNo = segment.segmentNo;
    }
    // Whatever was lost with the last process, an alarm among it, work that exists gets one again.
    this.#arm();
  }

  /** Resolves once the batches are durable. The answer may be a repeat's: see `isDuplicate`. */
  async append(request: AppendRequest): Promise<AppendReceipt | Refusal> {
    this.#identify(request);
    const known = this.#findTwin(request);
    if (known !== null) return await known;
    const full = this.#refuseWhenFull();
    if (full !== null) return full;

    const pending = { request, answer: Promise.withResolvers<AppendReceipt>() };
    this.#waiting.push(pending);
    if (request.idempotencyKey !== null) this.#pendingKeys.set(request.idempotencyKey, pending);
    void this.#commitGroups();
    return await pending.answer.promise;
  }

  /** All batches that are not in a released segment and meet the request, in order of arrival. */
  readTail(request: TailRequest): Tail {
    const wanted = new Map(request.tables.map((table) => [table.measurement, table]));
    const headers: BatchHeader[] = [];
    let byteLength = 0;
    for (const segment of this.#tables.segments()) {
      if (segment.state === "quarantined") continue;
      for (const header of this.#headers(segment.segmentNo)) {
        const table = wanted.get(header.measurement);
        if (table === undefined) continue;
        if (table.minMs !== null && header.timeMaxMs < table.minMs) continue;
        if (table.maxMs !== null && header.timeMinMs > table.maxMs) continue;
        headers.push(header);
        byteLength += header.byteLength;
      }
    }
    const segmentIds = [...new Set(headers.map((header) => header.segmentId))];
    const isOverBudget = byteLength > request.bytesMax;
    const run = isOverBudget ? { headers: [], bodies: [] } : this.#withBodies(headers);
    return { segmentIds, run, isOverBudget };
  }

  /** null: the segment is released, or put aside; there is nothing to write. */
  readSegment(segmentId: string): SealedSegment | null {
    const segment = this.#find(segmentId);
    if (segment?.state !== "sealed") return null;
    return { segmentId, run: this.#withBodies(this.#headers(segment.segmentNo)) };
  }

  /** The segment's files are committed: its log may go. Safe to repeat. */
  release(segmentId: string): void {
    const segment = this.#find(segmentId);
    if (segment === null) return;
    assert(segment.state !== "open", `segment ${segmentId} released while open`);
    this.#ports.store.transact(() => this.#tables.dropSegment(segment.segmentNo));
    const totals = this.#totals.get(segment.segmentNo)!;
    this.#totals.delete(segment.segmentNo);
    this.#tellReleased();
    this.#ports.report({ event: "segment_released", segmentId, ...totals });
  }

  /**
   * A try to write the segment failed. Only failures that another try cannot mend count towards
   * quarantine: a store that is away for a day must not push good segments aside.
   */
  noteFlushFailure(segmentId: string, code: ErrorCode, message: string): void {
    const segment = this.#find(segmentId);
    if (segment?.state !== "sealed") return;
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

  /** Seals what is open; resolves when everything appended before is committed, or fails in time. */
  async flush(timeoutMs: number): Promise<Refusal | null> {
    this.#sealOpen();
    const deadlineMs = this.#ports.clock.nowMs() + timeoutMs;
    const mine = this.#tables.segments().filter(({ state }) => state === "sealed");
    for (;;) {
      const left = mine.find(({ segmentNo }) => this.#tables.segment(segmentNo)?.state === "sealed");
      if (left === undefined) return null;
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
    return { segments, ...this.#sum(segments) };
  }

  /** Never throws: after six throws the platform would drop the alarm for good. */
  async onAlarm(): Promise<void> {
    this.#alarmAtMs = Infinity;
    try {
      const nowMs = this.#ports.clock.nowMs();
      this.#sealWhenOld(nowMs);
      for (const segment of this.#tables.segments()) {
        if (segment.state === "sealed" && segment.nextHintMs <= nowMs) await this.#push(segment);
      }
      if (nowMs - this.#keysForgottenMs > FORGET_KEYS_EVERY_MS) {
        this.#tables.forgetKeys(nowMs);
        this.#keysForgottenMs = nowMs;
      }
      this.#arm();
    } catch (error) {
      this.#ports.report({ event: "alarm_failed", error });
      this.#setAlarm(this.#ports.clock.nowMs() + ALARM_AFTER_FAILURE_MS);
    }
  }

  /** A shard belongs to one database for ever; a request for another one is a bug of ours. */
  #identify(request: AppendRequest): void {
    const { databaseId, shard } = request;
    if (this.#identity === null) {
      this.#identity = { databaseId, shard, epoch: 1 };
      this.#tables.setIdentity(this.#identity);
    }
    const isOurs = this.#identity.databaseId === databaseId && this.#identity.shard === shard;
    assert(isOurs, `append for database ${databaseId} shard ${shard} reached another buffer`);
  }

  /** null: the request is new. Otherwise its first answer, or the refusal of a reused key. */
  #findTwin(request: AppendRequest): Promise<AppendReceipt | Refusal> | Refusal | AppendReceipt | null {
    const { idempotencyKey: key, bodySha256 } = request;
    if (key === null) return null;
    const owner = this.#pendingKeys.get(key);
    if (owner !== undefined) {
      if (owner.request.bodySha256 !== bodySha256) return refuseReusedKey(key);
      return owner.answer.promise.then((receipt) => ({ ...receipt, isDuplicate: true }));
    }
    const seen = this.#tables.seenKey(key, this.#ports.clock.nowMs());
    if (seen === null) return null;
    if (seen.bodySha256 !== bodySha256) return refuseReusedKey(key);
    return { rowCount: seen.rowCount, isDuplicate: true };
  }

  /** Counts what waits to be flushed, and against the hard limit also what is put aside. */
  #refuseWhenFull(): Refusal | null {
    let byteLength = this.#waiting.reduce((sum, { request }) => sum + requestBytes(request), 0);
    for (const totals of this.#totals.values()) byteLength += totals.byteLength;
    if (byteLength <= LIMITS.bufferSoftBytesMax) return null;
    const quarantined = this.#tables.segments().filter(({ state }) => state === "quarantined");
    const aside = this.#sum(quarantined.map(({ segmentNo }) => this.#totals.get(segmentNo)!));
    const waitingBytes = byteLength - aside.byteLength;
    if (waitingBytes <= LIMITS.bufferSoftBytesMax && byteLength <= LIMITS.bufferHardBytesMax) {
      return null;
    }
    const message = `the buffer holds ${byteLength} bytes that are not flushed yet`;
    const detail = { buffered_bytes: byteLength, retry_after_s: 5 };
    return refusal(new SluiceError("buffer_full", message, detail));
  }

  async #commitGroups(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        this.#ports.store.transact(() => {
          for (const { request } of group) this.#store(request);
          this.#arm();
        });
        await this.#ports.store.sync();
        for (const { request, answer } of group) {
          answer.resolve({ rowCount: requestRows(request), isDuplicate: false });
        }
      } catch (error) {
        // The whole group was rolled back; what memory derived from it is derived again.
        this.#rebuildTotals();
        this.#ports.report({ event: "append_failed", error });
        for (const { answer } of group) answer.reject(error);
      }
      for (const { request } of group) {
        if (request.idempotencyKey !== null) this.#pendingKeys.delete(request.idempotencyKey);
      }
    }
    this.#isCommitting = false;
  }

  #takeGroup(): PendingAppend[] {
    let count = 0;
    let byteLength = 0;
    do byteLength += requestBytes(this.#waiting[count++]!.request);
    while (count < this.#waiting.length && byteLength < GROUP_BYTES_MAX);
    return this.#waiting.splice(0, count);
  }

  /** Inside a transaction. One request's batches go into one segment, so that they appear at once. */
  #store(request: AppendRequest): void {
    const nowMs = this.#ports.clock.nowMs();
    const segmentNo = (this.#openSegmentNo ??= this.#tables.openSegment(nowMs));
    const totals = this.#totals.get(segmentNo) ?? { batchCount: 0, rowCount: 0, byteLength: 0 };
    this.#totals.set(segmentNo, totals);
    for (const batch of request.batches) {
      this.#tables.insertBatch(segmentNo, batch, request.requestId);
      totals.batchCount += 1;
      totals.rowCount += batch.rowCount;
      totals.byteLength += batch.bytes.byteLength;
    }
    if (request.idempotencyKey !== null) {
      const seen = { bodySha256: request.bodySha256 ?? "", rowCount: requestRows(request) };
      const expiresMs = nowMs + LIMITS.idempotencyWindowMs;
      this.#tables.rememberKey(request.idempotencyKey, seen, expiresMs);
    }
    const isFull =
      totals.byteLength >= this.#settings.sealBytes ||
      totals.batchCount >= LIMITS.segmentBatchesMax ||
      totals.rowCount >= LIMITS.segmentRowsMax;
    if (isFull) this.#seal(segmentNo);
  }

  #seal(segmentNo: number): void {
    this.#tables.sealSegment(segmentNo);
    this.#openSegmentNo = null;
    const segmentId = this.#segmentId(segmentNo);
    this.#ports.report({ event: "segment_sealed", segmentId, ...this.#totals.get(segmentNo)! });
  }

  #sealOpen(): void {
    const segmentNo = this.#openSegmentNo;
    if (segmentNo === null) return;
    this.#ports.store.transact(() => {
      this.#seal(segmentNo);
      this.#arm();
    });
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
    } catch (error) {
      this.#ports.report({ event: "hint_failed", segmentId: hint.segmentId, error });
    }
  }

  async #flushHere(hint: FlushHint): Promise<void> {
    try {
      await this.#ports.flushHere(hint);
    } catch (error) {
      this.#ports.report({ event: "flush_failed", segmentId: hint.segmentId, error });
    }
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
      if (segment.state === "open") atMs = Math.min(atMs, segment.openedMs + this.#settings.sealAfterMs);
      if (segment.state === "sealed") atMs = Math.min(atMs, segment.nextHintMs);
    }
    if (atMs !== Infinity) this.#setAlarm(Math.max(atMs, this.#ports.clock.nowMs()));
  }

  #setAlarm(atMs: number): void {
    if (this.#alarmAtMs <= atMs) return;
    this.#ports.alarm.setMs(atMs);
    this.#alarmAtMs = atMs;
  }

  #rebuildTotals(): void {
    this.#totals.clear();
    this.#openSegmentNo = null;
    this.#alarmAtMs = Infinity;
    for (const { segmentNo, state } of this.#tables.segments()) {
      this.#totals.set(segmentNo, { ...this.#tables.totals(segmentNo) });
      if (state === "open") this.#openSegmentNo = segmentNo;
    }
    this.#arm();
  }

  #find(segmentId: string): SegmentRow | null {
    const { shard, epoch, segmentNo } = parseSegmentId(segmentId);
    const isOurs = this.#identity?.shard === shard && this.#identity.epoch === epoch;
    return isOurs ? this.#tables.segment(segmentNo) : null;
  }

  #headers(segmentNo: number): BatchHeader[] {
    return this.#tables.batchHeaders(segmentNo, this.#segmentId(segmentNo));
  }

  #withBodies(headers: BatchHeader[]): BatchRun {
    const bodies = headers.map((header) =>
      this.#tables.batchBytes(parseSegmentId(header.segmentId).segmentNo, header),
    );
    return { headers, bodies };
  }

  #segmentId(segmentNo: number): string {
    const { shard, epoch } = this.#identity!;
    return formatSegmentId({ shard, epoch, segmentNo });
  }

  #hint(segmentNo: number): FlushHint {
    const { databaseId, shard } = this.#identity!;
    return { databaseId, shard, segmentId: this.#segmentId(segmentNo) };
  }

  #sum(parts: readonly SegmentTotals[]): { rowCount: number; byteLength: number } {
    return {
      rowCount: parts.reduce((sum, part) => sum + part.rowCount, 0),
      byteLength: parts.reduce((sum, part) => sum + part.byteLength, 0),
    };
  }
}

function refuseReusedKey(key: string): Refusal {
  const message = `idempotency key "${key}" was used before with another body`;
  return refusal(new SluiceError("idempotency_key_reused", message, { key }));
}

function requestBytes(request: AppendRequest): number {
  return request.batches.reduce((sum, batch) => sum + batch.bytes.byteLength, 0);
}

function requestRows(request: AppendRequest): number {
  return request.batches.reduce((sum, batch) => sum + batch.rowCount, 0);
}
