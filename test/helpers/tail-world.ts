// A live tail over two buffers in memory, and one who reads it message by message.

import { isRefusal, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { FollowRequest } from "#lib/buffer/types.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { Tail, type TailSpec } from "#lib/tail/tail.ts";
import { type Cell, encodeBatch } from "./encode-msgpack.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "./memory-world.ts";

export const SHARDS = 2;

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** One table, and one clock. */
export class TailWorld {
  readonly clock = new ManualClock();
  types: Record<string, ColumnType> = { time: "timestamp", n: "int64" };
  readonly asked: FollowRequest[] = [];
  /** What the next calls throw, in order. */
  failures: SluiceError[] = [];
  mayRead = true;
  #sleepers: Sleeper[] = [];
  readonly buffers = Array.from({ length: SHARDS }, () => {
    return new BufferCore(
      {
        store: new MemorySqlStore(),
        clock: this.clock,
        alarm: new ManualAlarm(),
        sendHint: async () => {},
        flushHere: async () => {},
        sleep: (ms) => this.#sleep(ms),
        report: () => {},
      },
      { sealBytes: 200, sealAfterMs: 600_000 },
    );
  });

  async append(shard: number, columns: readonly (readonly [string, readonly Cell[]])[]) {
    const bytes = encodeBatch({ measurement: "m", columns });
    const rowCount = columns[0]![1].length;
    this.clock.advance(1);
    const receivedUs = this.clock.nowMs() * 1_000;
    const times = { timeMinMs: 0, timeMaxMs: 0, receivedUs };
    const answer = await this.buffers[shard]!.append({
      databaseId: 7,
      shard,
      requestId: "r",
      traceparent: null,
      idempotencyKey: null,
      bodySha256: null,
      batches: [{ tableId: 1, measurement: "m", rowCount, ...times, bytes }],
    });
    if (isRefusal(answer)) throw new Error(answer.message);
  }

  appendNumbers(shard: number, numbers: readonly number[]): Promise<void> {
    return this.append(shard, [["n", numbers.map(BigInt)]]);
  }

  /** Releases what is sealed, and lets its log go. */
  async letGo(shard: number): Promise<void> {
    const { segments } = this.buffers[shard]!;
    for (const { segmentId, state } of segments.status().segments) {
      if (state === "sealed") segments.release(segmentId);
    }
    this.advance(LIMITS.releasedLogKeptMs);
    await this.buffers[shard]!.onAlarm();
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.clock.nowMs());
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
  }

  /** Time passes until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    void promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    for (let i = 0; i < 2_000 && !isSettled; i++) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      if (!isSettled) this.advance(25);
    }
    return await promise;
  }

  async open(spec: Partial<TailSpec> = {}): Promise<TailReader> {
    const ports = {
      startFollowing: async (shard: number, tableId: number, rows: number) =>
        this.buffers[shard]!.followers.start(shard, tableId, rows),
      follow: async (request: FollowRequest) => {
        this.asked.push(request);
        const failure = this.failures.shift();
        if (failure !== undefined) throw failure;
        return await this.buffers[request.shard]!.followers.follow(request);
      },
      findSchema: async () => this.#schema(),
      demandAccess: async () => {
        if (!this.mayRead) throw new SluiceError("token_unknown", "revoked");
      },
      sleep: (ms: number) => this.#sleep(ms),
    };
    const tail = await Tail.open(ports, {
      databaseId: 7,
      shardCount: SHARDS,
      schema: this.#schema(),
      lastEventId: null,
      rows: 0,
      heartbeatMs: 5_000,
      columns: ["n"],
      where: [],
      ...spec,
    });
    return new TailReader(this, tail);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ atMs: this.clock.nowMs() + ms, wake }));
  }

  #schema() {
    const columns = Object.entries(this.types).map(([name, type]) => {
      return { name, type, takesNumbers: false };
    });
    return { tableId: 1, measurement: "m", schemaVersion: 1, columns };
  }
}

interface Message {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly id: string | null;
}

export class TailReader {
  id: string | null = null;
  heartbeatCount = 0;
  readonly #world: TailWorld;
  readonly #tail: Tail;
  readonly #texts: AsyncGenerator<string>;
  #messages: Message[] = [];

  constructor(world: TailWorld, tail: Tail) {
    this.#world = world;
    this.#tail = tail;
    this.#texts = tail.messages();
  }

  /** null: the stream has ended. */
  async next(): Promise<Message | null> {
    while (this.#messages.length === 0) {
      const { value, done } = await this.#world.until(this.#texts.next());
      if (done === true) return null;
      for (const block of value.split("\n\n")) this.#take(block);
    }
    const message = this.#messages.shift()!;
    this.id = message.id ?? this.id;
    return message;
  }

  async take(count: number): Promise<unknown[]> {
    const numbers: unknown[] = [];
    while (numbers.length < count) {
      const message = (await this.next())!;
      numbers.push(message.event === "message" ? message.data["n"] : message.event);
    }
    return numbers;
  }

  /** The next text, which is no message: the first, or a heartbeat. */
  async beat(): Promise<string> {
    const text = String((await this.#world.until(this.#texts.next())).value);
    for (const block of text.split("\n\n")) this.#take(block);
    return text;
  }

  leave(): Promise<IteratorResult<string>> {
    const ended = this.#texts.next();
    this.#tail.leave();
    return ended;
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const at = line.indexOf(": ");
      fields.set(line.slice(0, at), line.slice(at + 2));
    }
    const data = fields.get("data");
    if (fields.has("")) this.heartbeatCount += 1;
    if (data === undefined) {
      this.id = fields.get("id") ?? this.id;
      return;
    }
    const event = fields.get("event") ?? "message";
    const id = fields.get("id") ?? null;
    this.#messages.push({ event, data: JSON.parse(data) as Record<string, unknown>, id });
  }
}
