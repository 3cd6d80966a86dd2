import { describe, expect, test } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { TailWorld } from "../../helpers/tail-world.ts";

describe("a tail", () => {
  test("shows rows of all shards from now on, each shard's in order", async () => {
    const world = new TailWorld();
    await world.appendNumbers(0, [-1]);
    const reader = await world.open();
    await world.appendNumbers(0, [1, 2]);
    await world.appendNumbers(1, [3]);
    expect((await reader.take(3)).toSorted()).toEqual([1, 2, 3]);
    await world.appendNumbers(1, [4]);
    expect(await reader.take(1)).toEqual([4]);
  });

  test("starts with the last rows of all shards together", async () => {
    const world = new TailWorld();
    await world.appendNumbers(0, [1, 2]);
    await world.appendNumbers(1, [3, 4]);
    await world.appendNumbers(0, [5, 6]);
    expect(new Set(await (await world.open({ rows: 3 })).take(3))).toEqual(new Set([4, 5, 6]));
    expect((await (await world.open({ rows: 100 })).take(6)).toSorted()).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  test("goes on in the middle of a batch", async () => {
    const world = new TailWorld();
    const first = await world.open();
    await world.appendNumbers(0, [1, 2, 3]);
    await first.take(2);
    const again = await world.open({ lastEventId: first.id });
    expect(await again.take(1)).toEqual([3]);
  });

  test("tells a gap, with both its ends, and goes on", async () => {
    const world = new TailWorld();
    const first = await world.open();
    await world.appendNumbers(0, [1]);
    const fromMs = world.clock.nowMs();
    await first.take(1);
    for (let n = 2; n < 30; n++) await world.appendNumbers(0, [n]);
    await world.letGo(0);
    const again = await world.open({ lastEventId: first.id });
    const gap = (await again.next())!;
    expect(gap).toMatchObject({ event: "gap", data: { reason: "released" } });
    const { from, to } = gap.data as { from: string; to: string };
    expect(Date.parse(from)).toBe(fromMs);
    expect(Date.parse(to)).toBeGreaterThan(fromMs);
    await world.appendNumbers(0, [30]);
    for (;;) if ((await again.take(1))[0] === 30) break;
  });

  test("shows what the log has, behind a gap, to who was at another database", async () => {
    const world = new TailWorld();
    await world.appendNumbers(0, [1]);
    const first = await world.open();
    await first.beat();
    const lastEventId = "6:0.1.1/2/0/0,1.1.1/0/0/0";
    const reader = await world.open({ lastEventId });
    expect((await reader.take(3)).toSorted()).toEqual([1, "gap", "gap"]);
  });

  test("asks for nothing while nobody reads", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    await world.appendNumbers(0, [1]);
    await reader.take(1);
    await world.appendNumbers(0, [2]);
    const askedCount = world.asked.length;
    for (let i = 0; i < 100; i++) {
      world.advance(100);
      await Promise.resolve();
    }
    expect(world.asked.length - askedCount).toBeLessThanOrEqual(1);
  });

  test("says that it lives, with the place where it is by now", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    const opened = await reader.beat();
    expect(opened).toContain("retry: ");
    const beat = await reader.beat();
    expect(beat).toMatch(/^: heartbeat\n\nid: 7:0\.1\.1\/0\/0\/\d+,1\.1\.1\/0\/0\/\d+\n\n$/);
  });

  test("ends for a token that may not read any more", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    world.mayRead = false;
    expect(await reader.next()).toMatchObject({ event: "end", data: { code: "token_unknown" } });
    expect(await reader.next()).toBe(null);
  });

  test("waits for a buffer that is away a moment, and not for ever", async () => {
    const world = new TailWorld();
    const away = () => new SluiceError("buffer_unavailable", "reset");
    const reader = await world.open();
    world.failures = [away(), away(), away()];
    await world.appendNumbers(0, [1]);
    expect(await reader.take(1)).toEqual([1]);
    world.failures = Array.from({ length: 2 * LIMITS.tailTriesMax + 2 }, away);
    const end = await reader.next();
    expect(end).toMatchObject({ event: "end", data: { code: "buffer_unavailable" } });
  });

  test("ends when all shards have said that the measurement is renamed", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    await world.appendNumbers(1, [1]);
    for (const buffer of world.buffers) await buffer.nameTable(1, "load", 1);
    expect(await reader.take(2)).toEqual([1, "end"]);
    expect(await reader.next()).toBe(null);
  });

  test("shows columns that came since, and columns that have widened", async () => {
    const world = new TailWorld();
    const reader = await world.open({ columns: null });
    world.types = { time: "timestamp", n: "float64", host: "utf8" };
    await world.append(0, [["n", [0.5]]]);
    expect((await reader.next())!.data).toMatchObject({ n: 0.5, host: null });
    world.types = { ...world.types, up: "bool" };
    await world.append(0, [
      ["n", [1n]],
      ["up", [true]],
    ]);
    expect((await reader.next())!.data).toMatchObject({ n: 1, up: true });
  });

  test("announces a batch that is too large, or damaged, and goes on behind it", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    const text = "x".repeat(1_000_000);
    await world.append(0, [["filler", Array.from({ length: 17 }, () => text)]]);
    const large = (await reader.next())!;
    expect(large.data).toMatchObject({ reason: "batch_too_large", rows: 17 });
    await world.append(0, [["n", ["no number"]]]);
    expect((await reader.next())!.data).toMatchObject({ reason: "batch_unreadable", rows: 1 });
    await world.appendNumbers(0, [1]);
    expect(await reader.take(1)).toEqual([1]);
    const again = await world.open({ lastEventId: large.id });
    expect(await again.take(2)).toEqual(["gap", 1]);
  });

  test("ends when the client is gone", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    await reader.beat();
    expect(await reader.leave()).toEqual({ value: undefined, done: true });
  });

  test("asks its client to come again before a request has made too many calls", async () => {
    const world = new TailWorld();
    const reader = await world.open();
    let shown = 0;
    for (let n = 0; n < 2 * LIMITS.tailCallsMax; n++) {
      await world.appendNumbers(0, [n]);
      if ((await reader.next()) === null) break;
      shown += 1;
    }
    expect(shown).toBeLessThan(2 * LIMITS.tailCallsMax);
    const again = await world.open({ lastEventId: reader.id });
    expect(await again.take(1)).toEqual([shown]);
  });
});
