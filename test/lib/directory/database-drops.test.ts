import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { DatabaseDrops } from "#lib/directory/database-drops.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";

let store: MemorySqlStore;
let clock: ManualClock;
let alarm: ManualAlarm;
let directory: DirectoryCore;
let drops: DatabaseDrops;
let steps: string[];
/** The step that fails, as it stands in `steps`. */
let broken: string | null;
let failures: number;
/** Databases of which the archive was told that they are gone. */
let archived: string[];

function start(): void {
  const step = (name: string) => async (databaseId: number, shard?: number) => {
    const text = [name, databaseId, shard].filter((part) => part !== undefined).join(" ");
    if (text === broken) throw new SluiceError("buffer_unavailable", "planted");
    steps.push(text);
  };
  drops = new DatabaseDrops({
    store,
    clock,
    alarm,
    closeBuffer: step("close"),
    emptyBuffer: step("empty"),
    eraseRecords: step("erase"),
    removeObjects: step("remove"),
    archive: ({ name }) => void archived.push(name),
    report: () => void failures++,
  });
  directory = new DirectoryCore({ store, clock, randomBytes }, drops);
}

beforeEach(() => {
  store = new MemorySqlStore();
  clock = new ManualClock();
  alarm = new ManualAlarm();
  steps = [];
  archived = [];
  broken = null;
  failures = 0;
  start();
  make("events");
});

function make(name: string): number | string {
  const database = directory.ensureDatabase(name, 2);
  return isRefusal(database) ? database.refused : database.databaseId;
}

/** As time goes by, with every alarm that is due. */
async function pass(ms: number): Promise<void> {
  const endMs = clock.nowMs() + ms;
  while (alarm.atMs !== null && alarm.atMs <= endMs) {
    clock.advance(Math.max(0, alarm.atMs - clock.nowMs()));
    alarm.clear();
    await drops.onAlarm();
  }
  clock.advance(endMs - clock.nowMs());
}

const FREE = ["close 1 0", "close 1 1"];
const EMPTY = ["empty 1 0", "empty 1 1", "erase 1"];

describe("dropping a database", () => {
  test("closes it, frees the name, empties it, and removes its objects after the grace", async () => {
    expect(await directory.dropDatabase("events")).toBeNull();
    expect(steps).toEqual([...FREE, ...EMPTY]);
    expect(archived).toEqual(["events"]);
    expect(directory.findDatabase("events")).toBeNull();
    expect(make("events")).toBe(2);
    await pass(LIMITS.replacedGraceMs - 1);
    expect(steps).toHaveLength(5);
    await pass(1);
    expect(steps.slice(5)).toEqual(["remove 1"]);
    await pass(LIMITS.orphanGraceMs);
    expect(steps.slice(5)).toEqual(["remove 1", "remove 1"]);
    expect([alarm.atMs, drops.isDropping(1), failures]).toEqual([null, false, 0]);
    expect(directory.listDatabases()).toMatchObject([{ databaseId: 2, name: "events" }]);
  });

  test("refuses what does not exist", async () => {
    expect(await directory.dropDatabase("none")).toMatchObject({ refused: "database_unknown" });
  });

  test("lets nobody write in the middle, and is read until its end", async () => {
    broken = "close 1 1";
    await expect(directory.dropDatabase("events")).rejects.toThrow("planted");
    expect(make("events")).toBe("database_dropping");
    expect(directory.findDatabase("events")?.databaseId).toBe(1);
    expect(directory.listDatabases()).toEqual([]);
  });

  test.each([...FREE, ...EMPTY, "remove 1"])("that stops at `%s` goes on from it", async (step) => {
    broken = step;
    await directory.dropDatabase("events").catch(() => {});
    await pass(LIMITS.replacedGraceMs * 2);
    expect(failures).toBeGreaterThan(0);
    broken = null;
    start();
    await pass(LIMITS.orphanGraceMs * 2);
    for (const one of [...FREE, ...EMPTY, "remove 1"]) expect(steps).toContain(one);
    expect([alarm.atMs, drops.isDropping(1)]).toEqual([null, false]);
    expect(make("events")).toBe(2);
  });

  test("may be asked for again, and after the name is free it is somebody else's", async () => {
    broken = "close 1 0";
    await expect(directory.dropDatabase("events")).rejects.toThrow("planted");
    broken = null;
    expect(await directory.dropDatabase("events")).toBeNull();
    expect(directory.findDatabase("events")).toBeNull();
    make("events");
    expect(await directory.dropDatabase("events")).toBeNull();
    expect(steps.filter((step) => step.endsWith(" 2 0"))).toEqual(["close 2 0", "empty 2 0"]);
  });

  test("of two who ask at once frees the name once", async () => {
    await Promise.all([directory.dropDatabase("events"), directory.dropDatabase("events")]);
    expect(archived).toEqual(["events"]);
    expect(directory.listDatabases()).toEqual([]);
    expect(make("events")).toBe(2);
  });
});
