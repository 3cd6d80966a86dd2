// Step 4 of a batch's life: stored durably, and then acknowledged.
//
// A buffer is an append-only log in SQLite. `append` answers only after the rows are committed, and
// that answer becomes the client's 2xx. Requests that arrive while a commit is being made durable
// share the next one (group commit): with a slow disk the group grows, with a fast one nobody
// waits.
//
// Refuses: a known idempotency key with another body; anything while too much waits to be flushed;
// what was made for a table or a database that is no more (gate.ts).
// Shell: durable-objects/database-buffer.ts. Next: segments.ts.

import { isRefusal, refusal, SluiceError } from "#lib/base/errors.ts";
import type { Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type BufferTables, openBufferTables } from "./buffer-tables.ts";
import { Followers } from "./follow.ts";
import { Gate } from "./gate.ts";
import { parseSegmentId } from "./segment-id.ts";
import { type BufferPorts, type BufferSettings, Segments } from "./segments.ts";
import type { AppendReceipt, AppendRequest, SegmentRows, Tail, TailRequest } from "./types.ts";

interface PendingAppend {
  readonly request: AppendRequest;
  readonly answer: PromiseWithResolvers<AppendReceipt | Refusal>;
}

const FORGET_KEYS_EVERY_MS = 3_600_000;
const GROUP_BYTES_MAX = 32_000_000;

export class BufferCore {
  readonly segments: Segments;
  readonly followers: Followers;
  readonly #ports: BufferPorts;
  readonly #tables: BufferTables;
  readonly #gate: Gate;
  #waiting: PendingAppend[] = [];
  /** Keys of appends that are not durable yet: a twin waits for the owner. */
  readonly #pendingKeys = new Map<string, PendingAppend>();
  #isCommitting = false;
  #keysForgottenMs = 0;

  constructor(ports: BufferPorts, settings: BufferSettings) {
    this.#ports = ports;
    this.#tables = openBufferTables(ports.store);
    this.segments = new Segments(ports, settings, this.#tables);
    this.#gate = new Gate(this.#tables);
    this.followers = new Followers(ports, this.#tables, this.#gate);
  }

  /** Resolves once the batches are durable. The answer may be a repeat's: see `isDuplicate`. */
  async append(request: AppendRequest): Promise<AppendReceipt | Refusal> {
    this.segments.identify(request.databaseId, request.shard);
    this.segments.reviveAlarm();
    // Before the keys: what a dropped database has stored is no answer for its namesake.
    const closed = this.#gate.refuseWhenClosed();
    if (closed !== null) return this.#refused(closed);
    const known = this.#findTwin(request);
    if (known !== null) return this.#known(await known);
    const full = this.#refuseWhenFull();
    if (full !== null) return this.#refused(full);

    const pending = { request, answer: Promise.withResolvers<AppendReceipt | Refusal>() };
    this.#waiting.push(pending);
    if (request.idempotencyKey !== null) this.#pendingKeys.set(request.idempotencyKey, pending);
    void this.#commitGroups();
    return await pending.answer.promise;
  }

  /**
   * All batches that are not in a released segment and meet the request, in order of arrival.
   * Throws `database_unknown` when the database was dropped and its batches are gone.
   */
  readTail(request: TailRequest): Tail {
    this.#gate.demandContent();
    const wanted = Map.groupBy(request.tables, ({ tableId }) => tableId);
    const headers = this.segments.unreleasedHeaders().filter((header) => {
      const tables = wanted.get(header.tableId) ?? [];
      return tables.some(
        ({ minMs, maxMs }) =>
          (minMs === null || header.timeMaxMs >= minMs) &&
          (maxMs === null || header.timeMinMs <= maxMs),
      );
    });
    const segmentIds = [...new Set(headers.map((header) => header.segmentId))];
    const byteLength = headers.reduce((sum, header) => sum + header.byteLength, 0);
    const isOverBudget = byteLength > request.bytesMax;
    return { segmentIds, run: this.segments.withBodies(isOverBudget ? [] : headers), isOverBudget };
  }

  rowsOfTable(tableId: number): SegmentRows[] {
    const headers = this.segments.unreleasedHeaders();
    return headers
      .filter((header) => header.tableId === tableId)
      .map(({ segmentId, rowCount }) => ({ segmentId, rowCount }));
  }

  /** Of the trace that a segment's flush will belong to; null: nobody records it. */
  traceOf(segmentId: string): string | null {
    return this.#tables.traceOf(parseSegmentId(segmentId).segmentNo);
  }

  /**
   * From now on the table takes batches only under this name; null: none at all. Of two changes
   * the one with the higher number counts.
   */
  async nameTable(tableId: number, measurement: string | null, changeNo: number): Promise<void> {
    this.#ports.store.transact(() => this.#gate.nameTable({ tableId, measurement }, changeNo));
    await this.#ports.store.sync();
    this.followers.wakeAll();
  }

  /** The database is being dropped: nothing is taken any more, what is here can still be read. */
  async close(): Promise<void> {
    this.#ports.store.transact(() => this.#gate.close(false));
    await this.#ports.store.sync();
  }

  /** The database is dropped: nothing stays but the sign that it is. */
  async empty(): Promise<void> {
    this.#ports.store.transact(() => {
      this.#gate.close(true);
      this.segments.dropAll();
      this.#tables.forgetAllKeys();
      this.#tables.forgetNamedTables();
    });
    this.segments.derive();
    await this.#ports.store.sync();
    this.followers.wakeAll();
  }

  /** Never throws: after six throws the platform would drop the alarm for good. */
  async onAlarm(): Promise<void> {
    await this.segments.onAlarm();
    const nowMs = this.#ports.clock.nowMs();
    if (nowMs - this.#keysForgottenMs < FORGET_KEYS_EVERY_MS) return;
    this.#keysForgottenMs = nowMs;
    try {
      this.#tables.forgetKeys(nowMs);
    } catch (error) {
      this.#ports.report({ event: "alarm_failed", error });
    }
  }

  /** null: the request is new. Otherwise its first answer, or the refusal of a reused key. */
  #findTwin(
    request: AppendRequest,
  ): Promise<AppendReceipt | Refusal> | Refusal | AppendReceipt | null {
    const { idempotencyKey: key, bodySha256 } = request;
    if (key === null) return null;
    const owner = this.#pendingKeys.get(key);
    if (owner !== undefined) {
      if (owner.request.bodySha256 !== bodySha256) return refuseReusedKey(key);
      return owner.answer.promise.then((answer) =>
        isRefusal(answer) ? answer : { ...answer, isDuplicate: true },
      );
    }
    const seen = this.#tables.seenKey(key, this.#ports.clock.nowMs());
    if (seen === null) return null;
    if (seen.bodySha256 !== bodySha256) return refuseReusedKey(key);
    return { rowCount: seen.rowCount, isDuplicate: true };
  }

  /** Counts what waits to be flushed, and against the hard limit also what is put aside. */
  #refuseWhenFull(): Refusal | null {
    const { segments, byteLength: storedBytes } = this.segments.status();
    const aside = segments.filter(({ state }) => state === "quarantined");
    const asideBytes = aside.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const arrivingBytes = this.#waiting.reduce(
      (sum, { request }) => sum + requestBytes(request),
      0,
    );
    const byteLength = storedBytes + arrivingBytes;
    const isFull =
      byteLength - asideBytes > LIMITS.bufferSoftBytesMax || byteLength > LIMITS.bufferHardBytesMax;
    if (!isFull) return null;
    const message = `the buffer holds ${byteLength} bytes that are not flushed yet`;
    const detail = { buffered_bytes: byteLength, retry_after_s: 5 };
    return refusal(new SluiceError("buffer_full", message, detail));
  }

  async #commitGroups(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    try {
      while (this.#waiting.length > 0) await this.#commit(this.#takeGroup());
    } finally {
      this.#isCommitting = false;
    }
  }

  #refused(answer: Refusal): Refusal {
    this.#ports.report({ event: "request_refused", code: answer.refused });
    return answer;
  }

  #known(answer: AppendReceipt | Refusal): AppendReceipt | Refusal {
    if (isRefusal(answer)) return this.#refused(answer);
    this.#ports.report({ event: "request_known" });
    return answer;
  }

  async #commit(group: readonly PendingAppend[]): Promise<void> {
    const startedMs = this.#ports.clock.nowMs();
    try {
      const refusals = this.#ports.store.transact(() =>
        group.map(({ request }) => this.#store(request)),
      );
      await this.#ports.store.sync();
      for (const [at, { request, answer }] of group.entries()) {
        const refused = refusals[at]!;
        if (refused !== null) answer.resolve(this.#refused(refused));
        else answer.resolve({ rowCount: requestRows(request), isDuplicate: false });
      }
      this.#ports.report({
        event: "batches_committed",
        requestCount: group.length,
        batches: group.flatMap(({ request }, at) => (refusals[at] ? [] : request.batches)),
        traceparents: group.flatMap(({ request }) => request.traceparent ?? []),
        durationMs: this.#ports.clock.nowMs() - startedMs,
      });
      this.followers.wake(group.flatMap(({ request }) => request.batches));
    } catch (error) {
      this.#ports.report({ event: "append_failed", error });
      for (const { answer } of group) answer.reject(error);
      // The whole group was rolled back; what memory derived from it is derived again.
      this.segments.derive();
    } finally {
      for (const { request } of group) {
        if (request.idempotencyKey !== null) this.#pendingKeys.delete(request.idempotencyKey);
      }
    }
  }

  #takeGroup(): PendingAppend[] {
    let count = 0;
    let byteLength = 0;
    do byteLength += requestBytes(this.#waiting[count++]!.request);
    while (count < this.#waiting.length && byteLength < GROUP_BYTES_MAX);
    return this.#waiting.splice(0, count);
  }

  /** Inside a transaction, where no table can be dropped or renamed before the rows are in. */
  #store(request: AppendRequest): Refusal | null {
    const refused = this.#gate.refuse(request.batches);
    if (refused !== null) return refused;
    this.segments.add(request);
    if (request.idempotencyKey === null) return null;
    const seen = { bodySha256: request.bodySha256 ?? "", rowCount: requestRows(request) };
    const expiresMs = this.#ports.clock.nowMs() + LIMITS.idempotencyWindowMs;
    this.#tables.rememberKey(request.idempotencyKey, seen, expiresMs);
    return null;
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
