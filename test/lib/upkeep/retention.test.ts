import { beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import type { PolicyFields } from "#lib/upkeep/retention-tables.ts";
import { Upkeep, type UpkeepEvent } from "#lib/upkeep/upkeep.ts";
import {
  ManualAlarm,
  ManualClock,
  MemoryLake,
  MemorySqlStore,
} from "../../helpers/memory-world.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const DAY_MS = 86_400_000;
const FIELDS: PolicyFields = {
  name: "a month",
  measurement: null,
  retentionDays: 30,
  bufferDays: 1,
  straddling: "keep",
  isActive: true,
};

let clock: ManualClock;
let alarm: ManualAlarm;
let store: MemorySqlStore;
let catalog: CatalogCore;
let upkeep: Upkeep;
let events: UpkeepEvent[];
let fileCount = 0;

beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 5, 15, 12));
  alarm = new ManualAlarm();
  store = new MemorySqlStore();
  events = [];
  const ports = {
    store,
    clock,
    alarm,
    lake: new MemoryLake(clock),
    sendJobHint: async () => {},
    finishTableChanges: async () => 0,
    report: (event: UpkeepEvent) => void events.push(event),
  };
  catalog = new CatalogCore(ports);
  upkeep = new Upkeep(ports, { compactAfterMs: 60_000 }, catalog);
});

/** A file whose rows are from so many days ago up to so many. */
function addFile(measurement: string, fromDays: number, toDays: number, rowCount = 10): DataFile {
  const schemas = catalog.extendSchemas(1, [{ measurement, columns: [] }]);
  if (!Array.isArray(schemas)) throw new Error(schemas.message);
  const timeMinMs = clock.nowMs() - fromDays * DAY_MS;
  const file = {
    key: `f${fileCount++}`,
    tableId: schemas[0]!.tableId,
    day: new Date(timeMinMs).toISOString().slice(0, 10),
    rowCount,
    byteLength: 1_000,
    footerByteLength: 100,
    timeMinMs,
    timeMaxMs: clock.nowMs() - toDays * DAY_MS,
    sha256: "",
    columns: [],
  };
  catalog.commit(1, { segmentId: file.key, files: [file] });
  return file;
}

function keysOf({ tableId }: DataFile): string[] {
  return catalog.liveFiles(tableId).map(({ key }) => key);
}

describe("a run", () => {
  test("drops exactly the files of which every row is too old, in one version", () => {
    const [old, young] = [addFile("cpu", 40, 31.001), addFile("cpu", 31, 30)];
    const straddling = addFile("cpu", 32, 30);
    const other = addFile("mem", 50, 49, 7);
    const { version } = catalog;
    const { policyId } = upkeep.retention.create(FIELDS);
    const report = upkeep.retention.run(policyId, "asked");
    expect(report).toMatchObject({
      cutoffMs: clock.nowMs() - 31 * DAY_MS,
      rowCount: 17,
      fileCount: 2,
      measurements: ["cpu", "mem"],
      jobIds: [],
    });
    expect([keysOf(old), keysOf(other)]).toEqual([[straddling.key, young.key], []]);
    expect(catalog.version).toBe(version + 1);
    expect(upkeep.retention.run(policyId, "asked")).toMatchObject({ rowCount: 0, fileCount: 0 });
    expect(catalog.version).toBe(version + 1);
  });

  test("of a policy for one measurement leaves the others alone", () => {
    const [cpu, mem] = [addFile("cpu", 40, 39), addFile("mem", 40, 39)];
    const { policyId } = upkeep.retention.create({ ...FIELDS, measurement: "cpu" });
    upkeep.retention.run(policyId, "asked");
    expect([keysOf(cpu), keysOf(mem)]).toEqual([[], [mem.key]]);
  });

  test("only counts in a preview", () => {
    const file = addFile("cpu", 40, 39);
    const { policyId } = upkeep.retention.create({ ...FIELDS, straddling: "rewrite" });
    addFile("cpu", 40, 1);
    const report = upkeep.retention.run(policyId, "preview");
    expect(report).toMatchObject({ rowCount: 10, fileCount: 1, rewriteCount: 1, jobIds: [] });
    expect(keysOf(file)).toHaveLength(2);
    expect(upkeep.retention.runs(policyId, 10)).toEqual([]);
    expect(upkeep.jobs.list(null, 10)).toEqual([]);
  });

  test("tells those who watch nothing, and from when on a table is complete", () => {
    const file = addFile("cpu", 40, 39);
    store.exec("INSERT INTO watch VALUES (1, ?)", file.tableId);
    expect(upkeep.retention.retainedFromMs(file.tableId)).toBeNull();
    const { policyId } = upkeep.retention.create(FIELDS);
    upkeep.retention.run(policyId, "asked");
    expect(store.exec("SELECT * FROM changed_range")).toEqual([]);
    expect(upkeep.retention.retainedFromMs(file.tableId)).toBe(file.timeMaxMs + 1);
  });

  test("leaves the objects to readers of older versions until the grace period ends", async () => {
    addFile("cpu", 40, 39);
    const { policyId } = upkeep.retention.create(FIELDS);
    upkeep.retention.run(policyId, "asked");
    expect(store.exec("SELECT key FROM removed_file")).toHaveLength(1);
    clock.advance(LIMITS.replacedGraceMs + 2_000);
    await upkeep.onAlarm();
    expect(store.exec("SELECT key FROM removed_file")).toEqual([]);
  });

  test("is refused for a policy that is not active or not there", () => {
    const { policyId } = upkeep.retention.create({ ...FIELDS, isActive: false });
    const codeOf = (id: number) => refusalOf(() => upkeep.retention.run(id, "asked")).code;
    expect([codeOf(policyId), codeOf(99)]).toEqual(["policy_inactive", "policy_unknown"]);
  });
});

describe("a file with older and younger rows", () => {
  test("is rewritten by a job, whose end raises the mark", () => {
    const file = addFile("cpu", 40, 1);
    const { policyId } = upkeep.retention.create({ ...FIELDS, straddling: "rewrite" });
    const { jobIds, rewriteCount, cutoffMs } = upkeep.retention.run(policyId, "asked");
    expect([jobIds.length, rewriteCount]).toEqual([1, 1]);
    const { spec } = upkeep.jobs.find(jobIds[0]!);
    expect(spec).toEqual({
      kind: "retention",
      tableId: file.tableId,
      policyId,
      keepFromMs: cutoffMs,
    });
    expect(upkeep.retention.run(policyId, "asked").jobIds).toEqual([]);
    const { job, files } = upkeep.startJob(jobIds[0]!)!;
    expect(upkeep.retention.retainedFromMs(file.tableId)).toBeNull();
    const removes = files.map(({ fileId }) => fileId);
    upkeep.finishJob(job, { removes, adds: [], changed: [] }, {});
    expect(upkeep.retention.retainedFromMs(file.tableId)).toBe(cutoffMs);
  });

  test("is dropped and not rewritten when all of its rows are too old", () => {
    const file = addFile("cpu", 32, 31.2);
    const { policyId } = upkeep.retention.create({ ...FIELDS, straddling: "rewrite" });
    const report = upkeep.retention.run(policyId, "timer");
    expect(report).toMatchObject({ fileCount: 1, rewriteCount: 0, jobIds: [] });
    expect(keysOf(file)).toEqual([]);
  });

  test("is rewritten by the timer once a day at most", () => {
    addFile("cpu", 31.1, 30.9);
    const { policyId } = upkeep.retention.create({ ...FIELDS, straddling: "rewrite" });
    expect(upkeep.retention.run(policyId, "preview").rewriteCount).toBe(1);
    expect(upkeep.retention.run(policyId, "timer").rewriteCount).toBe(0);
    addFile("cpu", 33, 29);
    const { jobIds } = upkeep.retention.run(policyId, "timer");
    const { spec } = upkeep.jobs.find(jobIds[0]!);
    expect(spec).toMatchObject({ keepFromMs: Date.UTC(2026, 4, 15) });
  });
});

describe("the timer", () => {
  test("runs an active policy soon after it was made, and then every hour", async () => {
    const file = addFile("cpu", 40, 39);
    const { policyId } = upkeep.retention.create(FIELDS);
    upkeep.arm();
    clock.advance(LIMITS.retentionFirstRunMs);
    expect(alarm.takeIfDue(clock.nowMs())).toBe(true);
    await upkeep.onAlarm();
    expect(keysOf(file)).toEqual([]);
    expect(events).toContainEqual({
      event: "task_done",
      task: `retention:${policyId}`,
      result: { files: 1, rows: 10, rewrites: 0 },
    });
    const task = upkeep.schedule.tasks().find(({ name }) => name === `retention:${policyId}`);
    expect(task).toMatchObject({ nextMs: clock.nowMs() + LIMITS.retentionEveryMs });
  });

  test("leaves alone what is not active any more, or gone", async () => {
    const file = addFile("cpu", 40, 39);
    const first = upkeep.retention.create(FIELDS);
    const second = upkeep.retention.create({ ...FIELDS, name: "another" });
    upkeep.retention.update(first.policyId, { isActive: false });
    upkeep.retention.remove(second.policyId);
    clock.advance(10 * LIMITS.retentionEveryMs);
    await upkeep.onAlarm();
    expect(keysOf(file)).toEqual([file.key]);
  });
});

describe("the alarm", () => {
  test("forgets tasks of what was removed or put to rest when they were due already", async () => {
    addFile("cpu", 1, 1);
    const { policyId } = upkeep.retention.create({ ...FIELDS, isActive: false });
    const names = [`retention:${policyId}`, "retention:99", "rollup:99"];
    for (const name of names) upkeep.schedule.set(name, clock.nowMs());
    await upkeep.onAlarm();
    expect(upkeep.schedule.tasks().filter(({ name }) => names.includes(name))).toEqual([]);
  });

  test("does not plan again what was forgotten while it ran", async () => {
    addFile("cpu", 1, 1);
    upkeep.schedule.set("garbage", clock.nowMs());
    const running = upkeep.runTask("garbage");
    catalog.erase();
    await running;
    expect(upkeep.schedule.tasks()).toEqual([]);
  });
});

describe("policies", () => {
  test("keep what a change does not name", () => {
    const { policyId } = upkeep.retention.create(FIELDS);
    clock.advance(5);
    const changed = upkeep.retention.update(policyId, { retentionDays: 90 });
    expect(changed).toMatchObject({ ...FIELDS, retentionDays: 90, updatedMs: clock.nowMs() });
  });

  test("of which the days or the name are wrong are refused", () => {
    const { policyId } = upkeep.retention.create(FIELDS);
    upkeep.retention.create({ ...FIELDS, name: "another" });
    const codeOf = (work: () => unknown) => refusalOf(work).code;
    expect(codeOf(() => upkeep.retention.create(FIELDS))).toBe("policy_exists");
    expect(codeOf(() => upkeep.retention.update(policyId, { name: "another" }))).toBe(
      "policy_exists",
    );
    const few = { ...FIELDS, name: "few", retentionDays: 1 };
    expect(codeOf(() => upkeep.retention.create(few))).toBe("parameter_invalid");
    expect(codeOf(() => upkeep.retention.update(policyId, { bufferDays: 30 }))).toBe(
      "parameter_invalid",
    );
    expect(upkeep.retention.list().map(({ name }) => name)).toEqual(["another", "a month"]);
  });

  test("remember so many runs, each its own", () => {
    const [first, second] = [
      upkeep.retention.create(FIELDS),
      upkeep.retention.create({ ...FIELDS, name: "another" }),
    ];
    upkeep.retention.run(second.policyId, "asked");
    for (let n = 0; n < LIMITS.retentionRunsKept + 3; n++) {
      upkeep.retention.run(first.policyId, "asked");
    }
    expect(upkeep.retention.runs(first.policyId, 10_000)).toHaveLength(LIMITS.retentionRunsKept);
    expect(upkeep.retention.runs(second.policyId, 10_000)).toHaveLength(1);
    upkeep.retention.remove(second.policyId);
    expect(store.exec("SELECT 1 FROM retention_run WHERE policy_id = ?", second.policyId)).toEqual(
      [],
    );
  });

  test("are no more than so many", () => {
    for (let n = 0; n < LIMITS.retentionPoliciesMax; n++) {
      upkeep.retention.create({ ...FIELDS, name: `policy ${n}` });
    }
    expect(refusalOf(() => upkeep.retention.create(FIELDS)).code).toBe("parameter_invalid");
  });
});
