import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { BufferEvent } from "#lib/buffer/segments.ts";
import type { AppendReceipt, AppendRequest, FlushHint } from "#lib/buffer/types.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";

let clock: ManualClock;
let alarm: ManualAlarm;
let store: MemorySqlStore;
let hints: FlushHint[];
let flushedHere: FlushHint[];
let events: BufferEvent[];
let buffer: BufferCore;

/** A buffer over what a former one left behind. */
function start(sealBytes = 1_000_000, sealAfterMs = 60_000): BufferCore {
  const ports = {
    store,
    clock,
    alarm,
    sendHint: async (hint: FlushHint) => void hints.push(hint),
    flushHere: async (hint: FlushHint) => void flushedHere.push(hint),
    sleep: () => Promise.resolve(),
    report: (event: BufferEvent) => void events.push(event),
  };
  return new BufferCore(ports, { sealBytes, sealAfterMs });
}

beforeEach(() => {
  clock = new ManualClock();
  alarm = new ManualAlarm();
  store = new MemorySqlStore();
  hints = [];
  flushedHere = [];
  events = [];
  buffer = start();
});

function request(
  overrides: Partial<AppendRequest> = {},
  bytes = new Uint8Array([1, 2, 3]),
): AppendRequest {
  return {
    databaseId: 7,
    shard: 0,
    requestId: "r1",
    traceparent: null,
    idempotencyKey: null,
    bodySha256: null,
    batches: [
      {
        tableId: 1,
        measurement: "cpu",
        rowCount: 10,
        timeMinMs: 100,
        timeMaxMs: 200,
        receivedUs: 5,
        bytes,
      },
    ],
    ...overrides,
  };
}

const keyed = (idempotencyKey: string, bodySha256 = "aa"): AppendRequest =>
  request({ idempotencyKey, bodySha256 });

const everything = () => ({
  tables: [{ tableId: 1, minMs: null, maxMs: null }],
  bytesMax: 1e9,
});

const tailRows = (): number =>
  buffer.readTail(everything()).run.headers.reduce((sum, header) => sum + header.rowCount, 0);

const rejected = (count: number) => Array.from({ length: count }, () => "rejected");

async function accept(one: AppendRequest): Promise<AppendReceipt> {
  const answer = await buffer.append(one);
  if (isRefusal(answer)) throw new Error(`refused: ${answer.message}`);
  return answer;
}

async function ringAlarm(): Promise<void> {
  if (alarm.takeIfDue(clock.nowMs())) await buffer.onAlarm();
}

describe("append", () => {
  test("answers with the rows, which the tail then has with the bytes as received", async () => {
    expect(await accept(request())).toEqual({ rowCount: 10, isDuplicate: false });
    const { run, segmentIds } = buffer.readTail(everything());
    expect(segmentIds).toEqual(["0.1.1"]);
    expect(run.headers[0]).toMatchObject({
      tableId: 1,
      measurement: "cpu",
      rowCount: 10,
      requestId: "r1",
      traceparent: null,
    });
    expect(run.bodies[0]).toEqual(new Uint8Array([1, 2, 3]));
  });

  test("keeps a body larger than a row in several rows", async () => {
    for (const byteLength of [LIMITS.logRowBytesMax, LIMITS.logRowBytesMax + 1, 5_000_000]) {
      const bytes = new Uint8Array(byteLength).map((_, i) => i % 251);
      await accept(request({}, bytes));
      expect(buffer.readTail(everything()).run.bodies.at(-1)).toEqual(bytes);
    }
  });

  test("stores a repeated key once, one after the other", async () => {
    await accept(keyed("k"));
    for (let i = 0; i < 9; i++) {
      expect(await accept(keyed("k"))).toEqual({ rowCount: 10, isDuplicate: true });
    }
    expect(tailRows()).toBe(10);
  });

  test("stores a repeated key once, all at the same time", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => accept(keyed("k"))));
    expect(answers.filter((answer) => !answer.isDuplicate)).toHaveLength(1);
    expect(tailRows()).toBe(10);
  });

  test("refuses a known key with another body, at once and later, also after a restart", async () => {
    const [first, twin] = await Promise.all([
      buffer.append(keyed("k", "aa")),
      buffer.append(keyed("k", "bb")),
    ]);
    expect(first).toMatchObject({ isDuplicate: false });
    expect(twin).toMatchObject({ refused: "idempotency_key_reused" });
    buffer = start();
    expect(await buffer.append(keyed("k", "bb"))).toMatchObject({
      refused: "idempotency_key_reused",
    });
    expect(await buffer.append(keyed("k", "aa"))).toMatchObject({ isDuplicate: true });
    expect(tailRows()).toBe(10);
  });

  test("forgets a key after the window", async () => {
    await accept(keyed("k"));
    clock.advance(LIMITS.idempotencyWindowMs - 1);
    expect(await accept(keyed("k"))).toMatchObject({ isDuplicate: true });
    clock.advance(1);
    expect(await accept(keyed("k"))).toMatchObject({ isDuplicate: false });
  });

  test("stores nothing of a group whose transaction fails, and goes on with the next", async () => {
    await accept(request());
    // The first append commits alone; the other three wait for it and make one group.
    store.insertsUntilFull = 2;
    const answers = await Promise.allSettled([
      buffer.append(request()),
      buffer.append(request()),
      buffer.append(keyed("k")),
      buffer.append(request()),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", ...rejected(3)]);
    expect([tailRows(), buffer.segments.status().rowCount]).toEqual([20, 20]);
    expect(await accept(keyed("k"))).toEqual({ rowCount: 10, isDuplicate: false });
    expect([tailRows(), buffer.segments.status().rowCount]).toEqual([30, 30]);
    expect(events).toContainEqual(expect.objectContaining({ event: "append_failed" }));
  });

  test("refuses when too much waits to be flushed, and takes writes again after a release", async () => {
    buffer = start(LIMITS.bufferSoftBytesMax * 2);
    const big = new Uint8Array(30_000_000);
    while (buffer.segments.status().byteLength <= LIMITS.bufferSoftBytesMax)
      await accept(request({}, big));
    const refused = await buffer.append(request());
    expect(refused).toMatchObject({ refused: "buffer_full", detail: { retry_after_s: 5 } });
    void buffer.segments.flush(0);
    buffer.segments.release("0.1.1");
    expect(await buffer.append(request())).toMatchObject({ isDuplicate: false });
  });

  test("is not deceived by a request for another database", async () => {
    await accept(request());
    await expect(buffer.append(request({ databaseId: 8 }))).rejects.toThrow("another buffer");
  });
});

describe("a segment", () => {
  test("is sealed by size, and the alarm sends a hint at once", async () => {
    buffer = start(6);
    await accept(request());
    await ringAlarm();
    expect(hints).toEqual([]);
    await accept(request());
    await ringAlarm();
    expect(hints).toEqual([{ databaseId: 7, shard: 0, segmentId: "0.1.1" }]);
    await accept(request());
    expect(
      buffer.segments.status().segments.map(({ segmentId, state }) => [segmentId, state]),
    ).toEqual([
      ["0.1.1", "sealed"],
      ["0.1.2", "open"],
    ]);
  });

  test("is sealed by age", async () => {
    await accept(request());
    clock.advance(59_999);
    await ringAlarm();
    expect(buffer.segments.status().segments[0]!.state).toBe("open");
    clock.advance(1);
    await ringAlarm();
    expect(hints).toHaveLength(1);
  });

  test("stays readable while it is written, and is gone from the tail after its release", async () => {
    buffer = start(1);
    await accept(request());
    expect(buffer.segments.readSegment("0.1.1")?.run.headers).toHaveLength(1);
    expect(tailRows()).toBe(10);
    buffer.segments.release("0.1.1");
    buffer.segments.release("0.1.1");
    expect(buffer.segments.readSegment("0.1.1")).toBeNull();
    expect(tailRows()).toBe(0);
  });

  test("gets hints with growing pauses, and is then written from here", async () => {
    buffer = start(1);
    await accept(request());
    await ringAlarm();
    for (let i = 0; i < 400; i++) {
      clock.advance(1_000);
      await ringAlarm();
    }
    expect(hints).toHaveLength(LIMITS.hintsBeforeInlineFlush);
    expect(flushedHere.length).toBeGreaterThan(0);
  });

  test("number is never used again, also when all are released and the object starts anew", async () => {
    buffer = start(1);
    await accept(request());
    buffer.segments.release("0.1.1");
    buffer = start(1);
    await accept(request());
    expect(buffer.segments.status().segments.map(({ segmentId }) => segmentId)).toEqual(["0.1.2"]);
  });

  test("that was sealed before a crash is found again, though alarm and hint were lost", async () => {
    buffer = start(1);
    await accept(request());
    alarm.clear();
    buffer = start(1);
    await ringAlarm();
    expect(hints).toHaveLength(1);
  });

  test("whose alarm got lost while the object lives gets another with the next request", async () => {
    buffer = start(1);
    await accept(request());
    alarm.clear();
    await accept(request());
    expect(alarm.atMs).toBeNull();
    clock.advance(10_000);
    await accept(request());
    await ringAlarm();
    expect(hints.map(({ segmentId }) => segmentId)).toEqual(["0.1.1", "0.1.2", "0.1.3"]);
  });

  test("whose alarm got lost gets another with an explicit flush", async () => {
    buffer = start(1);
    await accept(request());
    alarm.clear();
    clock.advance(10_000);
    await buffer.segments.flush(0);
    expect(alarm.atMs).not.toBeNull();
  });

  test("that is poison is put aside after a bounded number of tries, and later ones go on", async () => {
    buffer = start(1);
    await accept(request());
    await accept(request());
    for (let i = 0; i < LIMITS.flushAttemptsMax; i++) {
      expect(buffer.segments.readSegment("0.1.1")).not.toBeNull();
      buffer.segments.noteFlushFailure("0.1.1", "segment_corrupt", "does not decode");
    }
    expect(buffer.segments.readSegment("0.1.1")).toBeNull();
    expect(buffer.segments.readSegment("0.1.2")).not.toBeNull();
    expect(buffer.segments.status().segments[0]).toMatchObject({
      state: "quarantined",
      attempts: 8,
    });
    expect(events).toContainEqual(expect.objectContaining({ event: "segment_quarantined" }));
    buffer.segments.replay("0.1.1");
    expect(buffer.segments.readSegment("0.1.1")).not.toBeNull();
  });

  test("is never put aside because the store is away", async () => {
    buffer = start(1);
    await accept(request());
    for (let i = 0; i < 100; i++)
      buffer.segments.noteFlushFailure("0.1.1", "store_unavailable", "away");
    expect(buffer.segments.readSegment("0.1.1")).not.toBeNull();
    expect(buffer.segments.status().segments[0]!.lastError).toBe("store_unavailable: away");
  });
});

describe("readTail", () => {
  test("narrows by table and by time, both ends included", async () => {
    await accept(request());
    const rows = (tableId: number, minMs: number | null, maxMs: number | null) =>
      buffer.readTail({ tables: [{ tableId, minMs, maxMs }], bytesMax: 1e9 }).run.headers.length;
    expect(rows(1, null, null)).toBe(1);
    expect(rows(2, null, null)).toBe(0);
    expect(rows(1, 200, null)).toBe(1);
    expect(rows(1, 201, null)).toBe(0);
    expect(rows(1, null, 100)).toBe(1);
    expect(rows(1, null, 99)).toBe(0);
  });

  test("of a table that is asked for twice has what either of the two is after", async () => {
    await accept(request());
    const tables = [
      { tableId: 1, minMs: 100, maxMs: 200 },
      { tableId: 1, minMs: 900, maxMs: 901 },
    ];
    expect(buffer.readTail({ tables, bytesMax: 1e9 }).run.headers).toHaveLength(1);
  });

  test("says when there is more than the caller can hold", async () => {
    await accept(request());
    await accept(request());
    expect(buffer.readTail({ ...everything(), bytesMax: 6 }).isOverBudget).toBe(false);
    const tail = buffer.readTail({ ...everything(), bytesMax: 5 });
    expect(tail).toMatchObject({ isOverBudget: true, run: { headers: [], bodies: [] } });
  });
});

describe("flush", () => {
  test("resolves when what was appended before is released", async () => {
    await accept(request());
    const flushed = buffer.segments.flush(60_000);
    buffer.segments.release("0.1.1");
    expect(await flushed).toBeNull();
  });

  test("does not call done what was put aside meanwhile", async () => {
    await accept(request());
    const flushed = buffer.segments.flush(60_000);
    for (let i = 0; i < LIMITS.flushAttemptsMax; i++) {
      buffer.segments.noteFlushFailure("0.1.1", "segment_corrupt", "does not decode");
    }
    expect(await flushed).toMatchObject({ refused: "segment_quarantined" });
  });

  test("writes from here when nobody else does, and says so when that fails too", async () => {
    await accept(request());
    const flushed = buffer.segments.flush(60_000);
    while (flushedHere.length < 3) await Promise.resolve();
    clock.advance(60_000);
    expect(await flushed).toMatchObject({ refused: "flush_timeout" });
    expect(tailRows()).toBe(10);
  });
});
