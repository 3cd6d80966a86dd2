// What a stream answers when all goes well, and what it refuses. What it does when it does not go
// well: hub-random.test.ts.

import { describe, expect, test } from "vitest";
import type { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { PostRequest } from "#lib/events/hub.ts";
import { storedEvents } from "#lib/events/stored-events.ts";
import { type Fault, StreamWorld } from "../../helpers/stream-world.ts";

describe("a post", () => {
  test("is answered with the places of its events, which follow each other", async () => {
    const { hub } = new StreamWorld();
    const receipts = await Promise.all([hub.post(post(2)), hub.post(post(3)), hub.post(post(1))]);
    expect(receipts.map(({ firstSeq }) => firstSeq)).toEqual([1, 3, 6]);
    expect(await hub.position()).toBe(6);
  });

  test("gives events an id and a time, unless they have one", async () => {
    const world = new StreamWorld();
    const own = { id: "mine", type: "event", tags: ["a"], valueJson: null, timeUs: 5 };
    const events = [...post(1).events, own];
    const receipt = await world.hub.post({ ...post(0), events });
    const stored = storedEvents(events, receipt);
    expect(stored[0]!.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
    expect(stored[0]!.timeUs).toBe(world.clock.nowMs() * 1_000);
    expect(stored[1]).toMatchObject({ id: "mine", timeUs: 5, seq: 2 });
    expect(world.rows.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
  });

  test("that is repeated under its key gets the first answer, also after a crash", async () => {
    const world = new StreamWorld();
    const request = { ...post(2), idempotencyKey: "k" };
    const [first, twin] = await Promise.all([world.hub.post(request), world.hub.post(request)]);
    world.clock.advance(1_000);
    world.crash();
    const later = await world.hub.post(request);
    expect(twin).toEqual({ ...first, isDuplicate: true });
    expect(later).toEqual({ ...first, isDuplicate: true });
    expect(world.rows).toHaveLength(2);
  });

  test("is refused under the key of another, and a new one once the key is forgotten", async () => {
    const world = new StreamWorld();
    const request = { ...post(1), idempotencyKey: "k" };
    await world.hub.post(request);
    const other = world.hub.post({ ...request, bodySha256: "other" });
    await expect(other).rejects.toMatchObject({ code: "idempotency_key_reused" });
    world.clock.advance(LIMITS.idempotencyWindowMs);
    expect(await world.hub.post({ ...request, bodySha256: "other" })).toMatchObject({
      firstSeq: 2,
      isDuplicate: false,
    });
  });

  test("is told what the buffer refused, and may come again", async () => {
    const world = new StreamWorld();
    world.nextFault = () => "refused";
    const request = { ...post(1), idempotencyKey: "k" };
    await expect(world.hub.post(request)).rejects.toMatchObject({ code: "buffer_full" });
    world.nextFault = () => "none";
    expect(await world.hub.post(request)).toMatchObject({ isDuplicate: false });
    expect(world.rows).toHaveLength(1);
  });

  test("does not wait for ever for an outcome, and finds it when it comes again", async () => {
    const world = new StreamWorld();
    world.nextFault = () => "unheard";
    const request = { ...post(1), idempotencyKey: "k" };
    await expect(world.hub.post(request)).rejects.toMatchObject({ code: "buffer_unavailable" });
    world.nextFault = () => "none";
    const receipt = await untilTold(() => world.hub.post(request));
    expect(receipt).toMatchObject({ firstSeq: 1, isDuplicate: true });
    expect(world.rows).toHaveLength(1);
  });

  test("is refused while too much waits", async () => {
    const world = new StreamWorld();
    let fault: Fault = "lost";
    world.nextFault = () => fault;
    const value = `"${"x".repeat(LIMITS.eventValueBytesMax)}"`;
    const large = post(20, value);
    const answers: Promise<unknown>[] = [];
    for (let sent = 0; sent < 8; sent++) answers.push(world.hub.post(large));
    const outcomes = Promise.allSettled(answers);
    fault = "none";
    const codes = (await outcomes).map((one) =>
      one.status === "fulfilled" ? "stored" : one.reason.code,
    );
    expect(codes).toContain("stored");
    expect(codes.at(-1)).toBe("stream_full");
  });

  test("to a database that was dropped is refused, and listeners are sent away", async () => {
    const { hub } = new StreamWorld();
    await hub.post(post(1));
    let isEnded = false;
    const sink = { send: () => {}, end: () => void (isEnded = true) };
    hub.broadcast.attach({ tags: [], type: null }, null, sink);
    hub.close();
    expect(isEnded).toBe(true);
    await expect(hub.post(post(1))).rejects.toMatchObject({ code: "database_unknown" });
  });
});

function post(count: number, valueJson: string | null = null): PostRequest {
  const event = { id: null, type: "event", tags: ["a"], valueJson, timeUs: null };
  const events = Array.from({ length: count }, () => event);
  return { databaseId: 1, shardCount: 1, idempotencyKey: null, bodySha256: "sha", events };
}

/** As a client does that was told to come again. */
async function untilTold<T>(send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if ((error as SluiceError).code !== "buffer_unavailable") throw error;
      await new Promise(setImmediate);
    }
  }
}
