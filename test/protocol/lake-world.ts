// One database's lake in one process: the real catalog, its upkeep and its runners over stores in
// memory. Runners, readers and the alarm go on step by step, in an order drawn from a seed; any
// step may be the last of the process.

import { CatalogCore } from "#lib/catalog/catalog.ts";
import { isRefusal, isSluiceError, SluiceError, type Refusal } from "#lib/base/errors.ts";
import type { RowPredicate } from "#lib/catalog/row-predicate.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import type { Job, JobHint } from "#lib/upkeep/types.ts";
import { Upkeep } from "#lib/upkeep/upkeep.ts";
import { ManualAlarm, ManualClock, MemoryLake, MemorySqlStore } from "../helpers/memory-world.ts";
import { storeFile } from "../helpers/stored-files.ts";
import { type Outcome, runHint } from "./lake-runners.ts";
import { type Batch, EVENTS, type EventRow, HOURLY, type HourRow } from "./lake-tables.ts";
import { LakeReader, ROLLUP, tableOf } from "./lake-tables.ts";

export const EVENTS_ID = 1;

export interface LakeFaults {
  /** Probabilities, per call of a runner or of the alarm. */
  readonly failBefore: number;
  readonly failAfter: number;
}

export const NO_FAULTS: LakeFaults = { failBefore: 0, failAfter: 0 };

export class LakeWorld {
  readonly clock = new ManualClock();
  readonly lake = new MemoryLake(this.clock);
  readonly reader = new LakeReader(this.lake);
  readonly seen = { crashes: 0, failures: 0, done: 0, gaveWay: 0, lost: 0, failed: 0 };
  readonly #alarm = new ManualAlarm();
  readonly #store = new MemorySqlStore();
  readonly #random: () => number;
  readonly #compactAfterMs: number;
  faults: LakeFaults;
  /** The process dies at this moment: before (even) or after (odd) the work of a call. */
  dieAt: number | null = null;
  /** Moments so far. */
  moments = 0;
  /** What was under way when it died. */
  diedAt = "";
  #catalog!: CatalogCore;
  #upkeep!: Upkeep;
  #hints: JobHint[] = [];
  /** Those who wait for their next step. Readers are of other processes, and go on. */
  #waiting: (() => void)[] = [];
  readonly #readers: (() => void)[] = [];
  readonly #faults: unknown[] = [];
  #isAlarmRunning = false;
  #segments = 0;

  constructor(random: () => number, faults: LakeFaults, compactAfterMs = 1_000) {
    this.#random = random;
    this.#compactAfterMs = compactAfterMs;
    this.faults = faults;
    this.#start();
    const columns = ["time", "id"].map((name) => ({
      name,
      nullCount: 0,
      kinds: name === "time" ? KIND.timestamp : KIND.int,
      firstRows: {},
    }));
    unwrap(this.#catalog.extendSchema(1, EVENTS, columns));
  }

  get upkeep(): Upkeep {
    return this.#upkeep;
  }

  get catalog(): CatalogCore {
    return this.#catalog;
  }

  /** Batches of one day, as one segment. */
  async commit(batches: readonly Batch[]): Promise<void> {
    const segmentId = `0.1.${++this.#segments}`;
    const day = new Date(batches[0]!.timeMs).toISOString().slice(0, 10);
    const key = `db/1/t1/${day}/${segmentId}.parquet`;
    const file = await storeFile(this.lake, key, tableOf(batches), 1_000);
    unwrap(this.#catalog.commit(1, { segmentId, files: [file] }));
    this.#upkeep.noteSegment();
  }

  /** A delete of all rows of these batches. */
  remove(ids: readonly number[]): Job {
    const nothing = { text: null, bool: null, time: null };
    const predicate: RowPredicate = {
      op: "or",
      of: ids.map((number) => {
        return { op: "=", column: "id", value: { ...nothing, number, isExact: true } };
      }),
    };
    const spec = { tableId: EVENTS_ID, where: ids.join(","), nowMs: this.clock.nowMs(), predicate };
    const options = { isDryRun: false, isConfirmed: true };
    const job = this.#upkeep.jobs.create({ kind: "delete", ...spec, ...options });
    this.#upkeep.arm();
    return job;
  }

  createRollup(): void {
    this.#upkeep.rollups.create(1, ROLLUP);
    this.#upkeep.arm();
  }

  /** Its id. */
  createPolicy(retentionDays: number): number {
    const fields = { name: "old", measurement: EVENTS, retentionDays, bufferDays: 0 };
    const modes = { straddling: "rewrite", isActive: true } as const;
    const { policyId } = this.#upkeep.retention.create({ ...fields, ...modes });
    this.#upkeep.arm();
    return policyId;
  }

  /** Runs the policy; returns from when on rows are to stay. */
  retain(policyId: number): number {
    const { cutoffMs } = this.#upkeep.retention.run(policyId, "asked");
    this.#upkeep.arm();
    return cutoffMs;
  }

  /** One thing happens: somebody goes on, or a hint arrives. False: nothing waits. */
  async step(): Promise<boolean> {
    const [going, reading, hinted] = [this.#waiting, this.#readers, this.#hints];
    const at = Math.floor(this.#random() * (going.length + reading.length + hinted.length));
    const readerAt = at - going.length;
    const hintAt = readerAt - reading.length;
    if (readerAt < 0) going.splice(at, 1)[0]!();
    else if (hintAt < 0) reading.splice(readerAt, 1)[0]!();
    else if (hintAt < hinted.length) this.#deliver(hintAt);
    else return false;
    await settled();
    if (this.#faults.length > 0) throw this.#faults[0];
    return true;
  }

  /** Begins to run a job; it goes on with `step`. */
  run(hint: Pick<JobHint, "jobId" | "kind">): void {
    const ports = {
      upkeep: this.#upkeep,
      clock: this.clock,
      lake: this.lake,
      reader: this.reader,
      events: () => this.eventsNow(),
      call: <T>(name: string, work: () => Promise<T>) => this.#call(`${hint.kind} ${name}`, work),
    };
    this.#begin(async () => {
      const outcome = await runHint(hint, ports);
      if (outcome !== null) this.seen[SEEN[outcome]]++;
    });
  }

  /** Begins what is due; it goes on with `step`. */
  async ringAlarm(): Promise<void> {
    if (this.#isAlarmRunning || !this.#alarm.takeIfDue(this.clock.nowMs())) return;
    this.#isAlarmRunning = true;
    const upkeep = this.#upkeep;
    this.#begin(async () => {
      await upkeep.onAlarm();
      this.#isAlarmRunning = false;
    });
    await settled();
  }

  /** The process dies: whoever was under way never goes on. */
  crash(): void {
    this.seen.crashes++;
    this.#start();
  }

  /** Everything that was begun comes to its end. */
  async heal(rounds = 100): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      while (await this.step());
      this.clock.advance(STEP_MS_MAX);
      await this.ringAlarm();
    }
    while (await this.step());
  }

  /** The same, and no time passes. */
  async settle(): Promise<void> {
    do await this.ringAlarm();
    while (await this.step());
  }

  /** Replaced files have had their time, and what nobody needs is removed. */
  async collect(): Promise<void> {
    this.clock.advance(LIMITS.replacedGraceMs + 1);
    this.collectSome();
    while (await this.step());
  }

  /** Whatever the time is. */
  collectSome(): void {
    const upkeep = this.#upkeep;
    this.#begin(() => upkeep.runTask("garbage"));
  }

  /** Reads one version's files, a step each, while other things happen. */
  read(onRows: (rows: EventRow[]) => void, onSnapshot: () => void): void {
    this.#begin(async () => {
      const keys = this.keys(EVENTS);
      onSnapshot();
      const rows: EventRow[] = [];
      for (const key of keys) {
        await this.#turn(this.#readers);
        rows.push(...this.reader.events(key));
      }
      onRows(rows);
    }, this.#readers);
  }

  eventsNow(): EventRow[] {
    return this.keys(EVENTS).flatMap((key) => this.reader.events(key));
  }

  hoursNow(): HourRow[] {
    const rows = this.keys(HOURLY).flatMap((key) => this.reader.hours(key));
    return rows.toSorted((a, b) => a.timeMs - b.timeMs);
  }

  keys(measurement: string): string[] {
    const schema = this.#catalog.findSchema(measurement);
    if (schema === null) return [];
    return this.#catalog.liveFiles(schema.tableId).map(({ key }) => key);
  }

  /** Objects older than `ageMs` that no version needs. */
  orphans(ageMs: number): string[] {
    const named = new Set([...this.keys(EVENTS), ...this.keys(HOURLY)]);
    const beforeMs = this.clock.nowMs() - ageMs;
    return [...this.lake.objects.entries()]
      .filter(([key, { uploadedMs }]) => !named.has(key) && uploadedMs < beforeMs)
      .map(([key]) => key);
  }

  /** Waits for its turn, and may fail, or end with its process, before or after its work. */
  async #call<T>(name: string, work: () => Promise<T>): Promise<T> {
    await this.#turn();
    if (this.#dies(`before ${name}`)) return await NEVER;
    this.#maybeFail(this.faults.failBefore);
    const result = await work();
    if (this.#dies(`after ${name}`)) return await NEVER;
    this.#maybeFail(this.faults.failAfter);
    return result;
  }

  #dies(moment: string): boolean {
    if (this.moments++ !== this.dieAt) return false;
    this.diedAt = moment;
    this.crash();
    return true;
  }

  #maybeFail(probability: number): void {
    if (this.#random() >= probability) return;
    this.seen.failures++;
    throw new SluiceError("store_unavailable", "planted");
  }

  #deliver(at: number): void {
    const hint = this.#hints[at]!;
    // A queue may deliver twice.
    if (this.#random() < 0.8) this.#hints.splice(at, 1);
    this.run(hint);
  }

  /** What it throws ends the simulation. */
  #begin(work: () => Promise<void>, waiting = this.#waiting): void {
    void this.#turn(waiting)
      .then(work)
      .catch((error: unknown) => this.#faults.push(error));
  }

  #turn(waiting = this.#waiting): Promise<void> {
    return new Promise((resolve) => waiting.push(resolve));
  }

  #start(): void {
    this.#waiting = [];
    this.#hints = [];
    this.#isAlarmRunning = false;
    const { clock, lake } = this;
    const collected: ObjectStore = {
      putIfAbsent: (...object) => lake.putIfAbsent(...object),
      createInParts: (key) => lake.createInParts(key),
      head: (key) => lake.head(key),
      list: (...page) => this.#call("garbage list", () => lake.list(...page)),
      remove: (keys) => this.#call("garbage remove", () => lake.remove(keys)),
    };
    const ports = {
      store: this.#store,
      clock,
      lake: collected,
      alarm: this.#alarm,
      sendJobHint: async (hint: JobHint) => void this.#hints.push(hint),
      finishTableChanges: async () => 0,
      report: (event: { readonly event: string; readonly error?: unknown }) => {
        if ("error" in event && !isSluiceError(event.error)) throw event.error;
      },
    };
    this.#catalog = new CatalogCore(ports);
    this.#upkeep = new Upkeep(ports, { compactAfterMs: this.#compactAfterMs }, this.#catalog);
  }
}

const SEEN = { done: "done", gave_way: "gaveWay", lost: "lost", failed: "failed" } as const;
SEEN satisfies Record<Outcome, string>;

/** Longer than any reader or runner may take, shorter than replaced files stay. */
export const STEP_MS_MAX = LIMITS.jobLeaseMs;

const NEVER = new Promise<never>(() => {});

/** All that can go on without a further step has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function unwrap<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new SluiceError(answer.refused, answer.message, answer.detail);
  return answer;
}
