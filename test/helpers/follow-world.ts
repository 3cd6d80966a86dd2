// One buffer with followers over a store in memory, and a clock that wakes who sleeps.

import { isRefusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { Followed, FollowRequest, LogPosition } from "#lib/buffer/types.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "./memory-world.ts";

export const SHARD = 0;
const MEASUREMENTS = ["", "cpu", "mem"];

/** Each batch is known by its `receivedUs`. */
export class FollowWorld {
  readonly clock = new ManualClock();
  readonly store = new MemorySqlStore();
  buffer = this.#start();
  /** Per table: batches in order of their acknowledgement. */
  readonly acked: number[][] = [[], [], []];
  #batchCount = 0;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  #start(): BufferCore {
    const ports = {
      store: this.store,
      clock: this.clock,
      alarm: new ManualAlarm(),
      sendHint: async () => {},
      flushHere: async () => {},
      sleep: (ms: number) =>
        new Promise<void>((wake) => {
          this.#sleepers.push({ atMs: this.clock.nowMs() + ms, wake });
        }),
      report: () => {},
    };
    return new BufferCore(ports, { sealBytes: 60, sealAfterMs: 60_000 });
  }

  restart(): void {
    this.buffer = this.#start();
  }

  /** Time passes, and wakes who slept until then. */
  advance(ms: number): void {
    this.clock.advance(ms);
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.clock.nowMs());
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
  }

  async append(tableIds: readonly number[], byteLength = 10): Promise<void> {
    const batches = tableIds.map((tableId) => ({
      tableId,
      measurement: MEASUREMENTS[tableId]!,
      rowCount: 3,
      timeMinMs: 1,
      timeMaxMs: 2,
      receivedUs: ++this.#batchCount,
      bytes: new Uint8Array(byteLength).fill(this.#batchCount),
    }));
    const ids = { databaseId: 7, shard: SHARD, requestId: "r", traceparent: null };
    const answer = await this.buffer.append({
      ...ids,
      idempotencyKey: null,
      bodySha256: null,
      batches,
    });
    if (isRefusal(answer)) throw new Error(answer.message);
    for (const { tableId, receivedUs } of batches) this.acked[tableId]!.push(receivedUs);
  }

  sealed(): string[] {
    const { segments } = this.buffer.segments.status();
    return segments.filter(({ state }) => state === "sealed").map(({ segmentId }) => segmentId);
  }

  quarantine(segmentId: string): void {
    for (let i = 0; i < LIMITS.flushAttemptsMax; i++) {
      this.buffer.segments.noteFlushFailure(segmentId, "segment_corrupt", "poison");
    }
  }

  /** Batches of the table that are in some log, whatever the buffer thinks of it. */
  held(tableId: number): Set<number> {
    const logs = this.store.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE name LIKE 'log\\_%' ESCAPE '\\'",
    );
    const batches = logs.flatMap(({ name }) =>
      this.store.exec<{ us: number }>(
        `SELECT received_us AS us FROM ${name} WHERE table_id = ?`,
        tableId,
      ),
    );
    return new Set(batches.map(({ us }) => us));
  }

  /** Logs of what was released before are gone. */
  async letGo(): Promise<void> {
    this.clock.advance(LIMITS.releasedLogKeptMs);
    await this.buffer.onAlarm();
  }

  follow(request: Partial<FollowRequest>): Promise<Followed> {
    const tableId = request.tableId ?? 1;
    return this.buffer.followers.follow({
      shard: SHARD,
      tableId,
      measurement: MEASUREMENTS[tableId]!,
      after: place("0.1.1"),
      bytesMax: 1e6,
      waitMs: 0,
      ...request,
    });
  }
}

export const place = (segmentId: string, sequence = 0): LogPosition => ({
  segmentId,
  sequence,
  rows: 0,
  atMs: 0,
});

export const received = ({ run }: Followed): number[] =>
  run.headers.map((header) => header.receivedUs);
