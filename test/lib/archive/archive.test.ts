import { beforeEach, describe, expect, test } from "vitest";
import { Archive } from "#lib/archive/archive.ts";
import type { OutboxEvent } from "#lib/archive/archive-tables.ts";
import { type Change, nameOrId, tagsOf } from "#lib/archive/change.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";

const CHANGE: Change = {
  group: "retention",
  name: "a month",
  action: "create",
  database: "shop",
  artifact: { id: 1 },
};

let store: MemorySqlStore;
let clock: ManualClock;
let alarm: ManualAlarm;
let archive: Archive;
let posted: OutboxEvent[];
let failures: number;
/** What a post does before it counts as posted. */
let onPost: (event: OutboxEvent) => Promise<void>;

function start(): void {
  let ids = 0;
  archive = new Archive({
    store,
    clock,
    alarm,
    newId: () => `id-${clock.nowMs()}-${ids++}`,
    async post(event) {
      await onPost(event);
      posted.push(event);
    },
    report: () => void failures++,
  });
}

beforeEach(() => {
  store = new MemorySqlStore();
  clock = new ManualClock();
  alarm = new ManualAlarm();
  posted = [];
  failures = 0;
  onPost = async () => {};
  start();
});

function note(name: string): void {
  archive.record(
    () => null,
    () => ({ ...CHANGE, name }),
  );
}

const names = () => posted.map(({ tags }) => tags[1]!.slice("retention:".length));

describe("an archived change", () => {
  test("becomes an event with its tags, its time and the artifact", async () => {
    note("a month");
    await archive.deliver();
    expect(posted).toEqual([
      {
        id: `id-${clock.nowMs()}-0`,
        type: "archive",
        tags: ["retention", "retention:a month", "archiving", "archiving:create", "databases:shop"],
        valueJson: '{"id":1}',
        timeUs: clock.nowMs() * 1_000,
      },
    ]);
  });

  test("is found under its old name and as a rotation, where it is one", () => {
    const renamed = tagsOf({ ...CHANGE, database: null, oldName: "a week", isRotated: true });
    expect(renamed.slice(4)).toEqual(["retention:a week", "rotated"]);
  });

  test("has its id as a tag where its name is too long for one", () => {
    expect(nameOrId("é".repeat(100), 7)).toBe("é".repeat(100));
    expect(nameOrId("é".repeat(101), 7)).toBe("7");
  });

  test("is noted with the change or not at all", async () => {
    const work = () => store.exec("CREATE TABLE made (x)");
    const fail = () => {
      throw new Error("planted");
    };
    expect(() => archive.record(work, fail)).toThrow("planted");
    expect(store.exec("SELECT 1 FROM sqlite_master WHERE name = 'made'")).toEqual([]);
    archive.record(work, () => null);
    await archive.deliver();
    expect(posted).toEqual([]);
  });
});

describe("delivery", () => {
  test("waits longer after each failure, and goes on in the order of the changes", async () => {
    onPost = () => Promise.reject(new SluiceError("buffer_unavailable", "planted"));
    note("a");
    await archive.deliver();
    note("b");
    await archive.deliver();
    expect(failures).toBe(1);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const fromMs = clock.nowMs();
      clock.advance(alarm.atMs! - fromMs);
      waits.push(clock.nowMs() - fromMs);
      await archive.onAlarm();
    }
    const { archiveRetryMs: first, archiveRetryMsMax: last } = LIMITS;
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((times) => times * first));
    expect(waits.at(-1)).toBe(last);
    onPost = async () => {};
    clock.advance(last);
    await archive.onAlarm();
    expect(names()).toEqual(["a", "b"]);
  });

  test("is taken up by the alarm when nobody delivered, also after a crash", async () => {
    note("a");
    expect(alarm.atMs).toBe(clock.nowMs() + LIMITS.archiveResumeMs);
    alarm.clear();
    start();
    expect(alarm.atMs).toBe(clock.nowMs());
    await archive.onAlarm();
    expect(names()).toEqual(["a"]);
  });

  test("includes what is noted while it runs", async () => {
    let isFirst = true;
    onPost = async () => {
      if (isFirst) note("b");
      isFirst = false;
    };
    note("a");
    await Promise.all([archive.deliver(), archive.deliver()]);
    expect(names()).toEqual(["a", "b"]);
  });

  test("must be over before the store may go", async () => {
    note("a");
    expect(() => archive.demandEmpty()).toThrow("not in the stream yet");
    await archive.deliver();
    archive.demandEmpty();
  });
});
