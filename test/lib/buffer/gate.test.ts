import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { AppendReceipt, AppendRequest } from "#lib/buffer/types.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { refusalOf } from "../../helpers/refusal.ts";

let store: MemorySqlStore;
let buffer: BufferCore;

/** A buffer over what a former one left behind. */
function start(): BufferCore {
  const ports = {
    store,
    clock: new ManualClock(),
    alarm: new ManualAlarm(),
    sendHint: async () => {},
    flushHere: async () => {},
    sleep: () => Promise.resolve(),
    report: () => {},
  };
  return new BufferCore(ports, { sealBytes: 1_000_000, sealAfterMs: 60_000 });
}

beforeEach(() => {
  store = new MemorySqlStore();
  buffer = start();
});

function request(tableId: number, measurement: string, idempotencyKey: string | null = null) {
  const batch = { tableId, measurement, rowCount: 10, timeMinMs: 1, timeMaxMs: 2, receivedUs: 5 };
  return {
    databaseId: 7,
    shard: 0,
    requestId: "r1",
    traceparent: null,
    idempotencyKey,
    bodySha256: idempotencyKey,
    batches: [{ ...batch, bytes: new Uint8Array([1, 2, 3]) }],
  } satisfies AppendRequest;
}

/** Rows stored, or why none were. */
async function append(one: AppendRequest): Promise<number | string> {
  const answer = await buffer.append(one);
  return isRefusal(answer) ? answer.refused : (answer as AppendReceipt).rowCount;
}

const rowCount = () => buffer.segments.status().rowCount;

describe("a table", () => {
  test("that was dropped takes nothing more, also after a restart", async () => {
    expect(await append(request(1, "cpu"))).toBe(10);
    await buffer.nameTable(1, null, 1);
    expect(await append(request(1, "cpu"))).toBe("schema_stale");
    buffer = start();
    expect(await append(request(1, "cpu"))).toBe("schema_stale");
    expect(await append(request(2, "cpu"))).toBe(10);
    expect(rowCount()).toBe(20);
  });

  test("that was renamed takes batches under its new name only", async () => {
    await buffer.nameTable(1, "load", 1);
    expect(await append(request(1, "cpu"))).toBe("schema_stale");
    expect(await append(request(1, "load"))).toBe(10);
  });

  test("has the name of the latest change, whichever comes last", async () => {
    await buffer.nameTable(1, "second", 2);
    await buffer.nameTable(1, "first", 1);
    expect(await append(request(1, "second"))).toBe(10);
    expect(await append(request(1, "first"))).toBe("schema_stale");
    await buffer.nameTable(1, null, 3);
    expect(await append(request(1, "second"))).toBe("schema_stale");
  });

  test("that was dropped takes the whole request with it, and nobody else's", async () => {
    await buffer.nameTable(1, null, 1);
    const mixed = request(2, "mem");
    const both = { ...mixed, batches: [...mixed.batches, ...request(1, "cpu").batches] };
    // Together, so that they share a commit.
    const answers = await Promise.all([append(request(3, "disk")), append(both), append(mixed)]);
    expect(answers).toEqual([10, "schema_stale", 10]);
    expect(rowCount()).toBe(20);
  });

  test("that is dropped while a batch waits for the commit before it refuses that batch", async () => {
    const disk = Promise.withResolvers<void>();
    store.sync = () => disk.promise;
    const first = append(request(1, "cpu"));
    const second = append(request(1, "cpu"));
    const dropped = buffer.nameTable(1, null, 1);
    disk.resolve();
    await dropped;
    expect(await Promise.all([first, second])).toEqual([10, "schema_stale"]);
  });

  test("does not remember the key of a batch that it refused", async () => {
    await buffer.nameTable(1, null, 1);
    const twins = [append(request(1, "cpu", "k")), append(request(1, "cpu", "k"))];
    expect(await Promise.all(twins)).toEqual(["schema_stale", "schema_stale"]);
    expect(await append(request(2, "cpu", "k"))).toBe(10);
  });

  test("tells its rows by segment", async () => {
    await append(request(1, "cpu"));
    await append(request(2, "mem"));
    expect(buffer.rowsOfTable(1)).toEqual([{ segmentId: "0.1.1", rowCount: 10 }]);
  });
});

describe("a buffer", () => {
  const everything = { tables: [{ tableId: 1, minMs: null, maxMs: null }], bytesMax: 1e9 };

  test("that is closed takes nothing, can be read, and does not know its keys", async () => {
    await append(request(1, "cpu", "k"));
    await buffer.close();
    buffer = start();
    expect(await append(request(1, "cpu"))).toBe("database_unknown");
    expect(await append(request(1, "cpu", "k"))).toBe("database_unknown");
    expect(buffer.readTail(everything).run.headers).toHaveLength(1);
  });

  test("that is emptied holds nothing, and cannot be read or written any more", async () => {
    await append(request(1, "cpu", "k"));
    await buffer.close();
    await buffer.empty();
    await buffer.empty();
    await buffer.close();
    for (const isRestarted of [false, true]) {
      if (isRestarted) buffer = start();
      expect(buffer.segments.status()).toEqual({ segments: [], rowCount: 0, byteLength: 0 });
      expect(refusalOf(() => buffer.readTail(everything)).code).toBe("database_unknown");
      expect(await append(request(1, "cpu"))).toBe("database_unknown");
      expect(buffer.segments.readSegment("0.1.1")).toBeNull();
      expect(await buffer.segments.flush(1_000)).toBeNull();
    }
  });
});
