import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { FollowWorld, place, received, SHARD } from "../../helpers/follow-world.ts";

let world: FollowWorld;

beforeEach(() => {
  world = new FollowWorld();
});

describe("follow", () => {
  test("gives the table's batches behind a place, with their bytes", async () => {
    const { position } = world.buffer.followers.start(SHARD, 1, 0);
    await world.append([1, 2]);
    await world.append([2]);
    await world.append([1]);
    const found = await world.follow({ after: position });
    expect(received(found)).toEqual([1, 4]);
    expect(found.run.bodies[1]).toEqual(new Uint8Array(10).fill(4));
    expect(received(await world.follow({ after: found.position }))).toEqual([]);
  });

  test("waits for a batch of its table, and wakes for it at once", async () => {
    const { position } = world.buffer.followers.start(SHARD, 1, 0);
    const waits = world.follow({ after: position, waitMs: 20_000 });
    await world.append([2]);
    expect(world.buffer.followers.waitingCount).toBe(1);
    await world.append([1]);
    expect(received(await waits)).toEqual([2]);
    expect(world.buffer.followers.waitingCount).toBe(0);
  });

  test("answers with nothing when the wait is over, at a place behind what others got", async () => {
    const waits = world.follow({ waitMs: 20_000 });
    await world.append([2]);
    world.advance(20_000);
    const found = await waits;
    expect(received(found)).toEqual([]);
    expect(found.position).toMatchObject({ segmentId: "0.1.1", sequence: 2 });
    expect(world.buffer.followers.waitingCount).toBe(0);
  });

  test("answers in pieces of the asked size, and says that more is there", async () => {
    for (let i = 0; i < 4; i++) await world.append([1]);
    const first = await world.follow({ bytesMax: 25 });
    expect([received(first), first.isCut]).toEqual([[1, 2], true]);
    const rest = await world.follow({ bytesMax: 25, after: first.position });
    expect([received(rest), rest.isCut]).toEqual([[3, 4], false]);
    expect(received(await world.follow({ bytesMax: 1 }))).toEqual([1]);
  });

  test("goes on in the next segment, also from a piece that ended in the one before", async () => {
    for (let i = 0; i < 9; i++) await world.append([1], 30);
    let after = place("0.1.1");
    const all: number[] = [];
    for (;;) {
      const found = await world.follow({ after, bytesMax: 90 });
      all.push(...received(found));
      after = found.position;
      if (!found.isCut) break;
    }
    expect(all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("tells a gap when a segment with rows of the table is gone", async () => {
    const { position } = world.buffer.followers.start(SHARD, 1, 0);
    await world.append([1], 60);
    world.clock.advance(5_000);
    await world.append([1]);
    world.buffer.segments.release("0.1.1");
    expect(received(await world.follow({ after: position }))).toEqual([1, 2]);
    await world.letGo();
    const found = await world.follow({ after: position });
    expect(found.gap).toEqual({ fromMs: position.atMs, toMs: position.atMs + 5_000 });
    expect(received(found)).toEqual([2]);
  });

  test("tells no gap when what is gone was read, or had no rows of the table", async () => {
    await world.append([1], 60);
    const { position } = await world.follow({});
    await world.append([2], 60);
    world.buffer.segments.release("0.1.1");
    world.buffer.segments.release("0.1.2");
    await world.letGo();
    world.restart();
    await world.append([1]);
    const found = await world.follow({ after: position });
    expect([received(found), found.gap]).toEqual([[3], null]);
  });

  test("tells a gap when it is not known any more what the segments had", async () => {
    const { position } = world.buffer.followers.start(SHARD, 1, 0);
    for (let no = 1; no <= LIMITS.releasedLogsKept; no++) {
      await world.append([2], 60);
      world.buffer.segments.release(`0.1.${no}`);
    }
    await world.letGo();
    expect((await world.follow({ after: position })).gap).toBe(null);
    await world.append([2], 60);
    world.buffer.segments.release(`0.1.${LIMITS.releasedLogsKept + 1}`);
    expect((await world.follow({ after: position })).gap).not.toBe(null);
  });

  test("begins with what the log has, behind a gap, for a place of another log", async () => {
    await world.append([1]);
    for (const id of ["0.2.1", "1.1.1", "0.1.9", "0.0.0"]) {
      const found = await world.follow({ after: place(id) });
      expect([received(found), found.gap === null]).toEqual([[1], false]);
    }
    expect((await world.follow({ after: place("0.1.1", 99) })).gap).not.toBe(null);
  });

  test("gives rows of a segment that was put aside", async () => {
    await world.append([1], 60);
    await world.append([1]);
    world.quarantine("0.1.1");
    expect(received(await world.follow({}))).toEqual([1, 2]);
  });

  test("ends with a dropped table, and wakes who waits", async () => {
    await world.append([2]);
    const waits = world.follow({ waitMs: 20_000 });
    await world.buffer.nameTable(1, null, 1);
    expect((await waits).end).toEqual({ reason: "measurement_dropped" });
  });

  test("ends with a renamed table when its rows are read, and not under the new name", async () => {
    await world.append([1]);
    await world.buffer.nameTable(1, "load", 1);
    const last = await world.follow({});
    expect([received(last), last.end]).toEqual([[1], null]);
    const after = last.position;
    const end = { reason: "measurement_renamed", name: "load" };
    expect((await world.follow({ after })).end).toEqual(end);
    expect((await world.follow({ after, measurement: "load" })).end).toBe(null);
  });

  test("ends with a dropped database, and wakes who waits", async () => {
    await world.append([1]);
    const { position } = await world.follow({});
    const waits = world.follow({ after: position, waitMs: 20_000 });
    await world.buffer.close();
    await world.buffer.empty();
    expect((await waits).end).toEqual({ reason: "database_dropped" });
  });

  test("is not there for a refused or failed append", async () => {
    await world.append([1]);
    world.store.insertsUntilFull = 0;
    await expect(world.append([1])).rejects.toThrow("SQLITE_FULL");
    expect(received(await world.follow({}))).toEqual([1]);
  });
});

describe("the logs of released segments", () => {
  const logCount = () => world.held(1).size;

  test("stay for a while, and go by the alarm", async () => {
    await world.append([1], 60);
    world.buffer.segments.release("0.1.1");
    world.clock.advance(LIMITS.releasedLogKeptMs - 1);
    await world.buffer.onAlarm();
    expect(logCount()).toBe(1);
    world.clock.advance(1);
    await world.buffer.onAlarm();
    expect(logCount()).toBe(0);
  });

  test("are so many, and have so many bytes, and no more", async () => {
    for (let no = 1; no <= LIMITS.releasedLogsKept; no++) {
      await world.append([1], 60);
      world.buffer.segments.release(`0.1.${no}`);
    }
    expect(logCount()).toBe(LIMITS.releasedLogsKept);
    await world.append([1], LIMITS.releasedLogBytesMax - 60);
    world.buffer.segments.release(`0.1.${LIMITS.releasedLogsKept + 1}`);
    expect(logCount()).toBe(2);
    await world.append([1], 61);
    world.buffer.segments.release(`0.1.${LIMITS.releasedLogsKept + 2}`);
    expect(logCount()).toBe(1);
  });

  test("go with their database, and are no rows of a tail or a status", async () => {
    await world.append([1], 60);
    world.buffer.segments.release("0.1.1");
    const request = { tables: [{ tableId: 1, minMs: null, maxMs: null }], bytesMax: 1e9 };
    expect(world.buffer.readTail(request).segmentIds).toEqual([]);
    expect(world.buffer.segments.status().segments).toEqual([]);
    expect(world.buffer.rowsOfTable(1)).toEqual([]);
    await world.buffer.close();
    await world.buffer.empty();
    expect(logCount()).toBe(0);
  });
});

describe("start", () => {
  test("names the last batches, newest first, until they have the asked rows", async () => {
    for (let i = 0; i < 6; i++) await world.append([1, 2], 20);
    const rowsOf = (rows: number) =>
      world.buffer.followers.start(SHARD, 1, rows).recent.map(({ receivedUs }) => receivedUs);
    expect(rowsOf(0)).toEqual([]);
    expect(rowsOf(3)).toEqual([11]);
    expect(rowsOf(4)).toEqual([11, 9]);
    expect(rowsOf(1_000)).toEqual([11, 9, 7, 5, 3, 1]);
  });

  test("is the first segment where nothing was ever written", () => {
    const { position } = world.buffer.followers.start(3, 1, 10);
    expect(position).toMatchObject({ segmentId: "3.1.1", sequence: 0, rows: 0 });
  });
});

test("many followers get their turns one behind the other, and none waits for long", async () => {
  await world.append([1]);
  const rests: number[] = [];
  for (let i = 0; i < 500; i++) rests.push((await world.follow({})).restMs);
  const { tailRestMs, tailTurnMs, tailRestMsMax } = LIMITS;
  expect(rests.slice(0, 3)).toEqual([0, 1, 2].map((i) => tailRestMs + i * tailTurnMs));
  expect(rests.at(-1)).toBe(tailRestMsMax);
  const { position } = await world.follow({});
  expect((await world.follow({ after: position })).restMs).toBe(0);
});
