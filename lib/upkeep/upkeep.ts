// A database's upkeep: what is due when, and the jobs that come of it.
//
// It lives beside the catalog, over the same store, so that what a job does to the files and that
// the job is done are one transaction. Small things happen right here, in the object's alarm; what
// reads or writes files is a job for a runner (queue-consumers/).
//
// Shell: durable-objects/database-catalog.ts.

import { assert } from "#lib/base/assert.ts";
import { type ErrorCode, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm } from "#lib/base/ports.ts";
import type { CatalogCore } from "#lib/catalog/catalog.ts";
import type { FileChange, LiveFile, SearchedTable } from "#lib/catalog/types.ts";
import { createCompactions } from "./compaction.ts";
import { Jobs, type JobsPorts, type JobTicket } from "./jobs.ts";
import { policyOfTask, Retention } from "./retention.ts";
import type { RollupChange } from "./rollup-types.ts";
import { rollupOfTask, Rollups } from "./rollups.ts";
import { Schedule } from "./schedule.ts";
import type { Job, JobNumbers, StartedJob } from "./types.ts";

export interface UpkeepPorts extends JobsPorts {
  readonly alarm: Alarm;
  /** Goes on with drops and renames that a crash has left; returns how many. */
  finishTableChanges(): Promise<number>;
  report(event: UpkeepEvent): void;
}

export interface UpkeepSettings {
  /** From a commit to the merge of what it brought. */
  readonly compactAfterMs: number;
}

export type UpkeepEvent =
  | { readonly event: "task_done"; readonly task: string; readonly result: JobNumbers }
  | { readonly event: "task_failed"; readonly task: string; readonly error: unknown }
  | { readonly event: "hints_failed"; readonly error: unknown };

/** What a task did, and when it wants to run again; null: when something has happened. */
interface TaskResult {
  readonly nextMs: number | null;
  readonly result: JobNumbers;
}

/** What the task was for was removed, or put to rest, after it had become due. */
const NOT_DUE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "policy_unknown",
  "policy_inactive",
  "rollup_unknown",
]);

export class Upkeep {
  readonly jobs: Jobs;
  readonly schedule: Schedule;
  readonly retention: Retention;
  readonly rollups: Rollups;
  readonly #ports: UpkeepPorts;
  readonly #settings: UpkeepSettings;
  readonly #catalog: CatalogCore;

  constructor(ports: UpkeepPorts, settings: UpkeepSettings, catalog: CatalogCore) {
    this.#ports = ports;
    this.#settings = settings;
    this.#catalog = catalog;
    this.jobs = new Jobs(ports);
    this.schedule = new Schedule(ports.store);
    const { jobs, schedule } = this;
    this.retention = new Retention({ ...ports, catalog, jobs, schedule });
    const { retention } = this;
    this.rollups = new Rollups({ ...ports, catalog, jobs, schedule, retention });
    this.arm();
  }

  /** Called after every change that may make something due. An alarm that was lost comes back. */
  arm(): void {
    const times = [this.schedule.nextMs(), this.jobs.nextMs()].filter((ms) => ms !== null);
    if (times.length > 0) this.#ports.alarm.setMs(Math.min(...times));
  }

  /** A segment was committed: there are small files now. */
  noteSegment(): void {
    const nowMs = this.#ports.clock.nowMs();
    this.schedule.setBy("compaction", nowMs + this.#settings.compactAfterMs);
    this.schedule.setBy("garbage", nowMs + LIMITS.garbageEveryMs);
    this.arm();
  }

  /** A measurement is being dropped or renamed: should that stop in the middle, it goes on soon. */
  noteTableChange(): void {
    const nowMs = this.#ports.clock.nowMs();
    this.schedule.setBy("table_changes", nowMs + LIMITS.tableChangeResumeMs);
    this.schedule.setBy("garbage", nowMs + LIMITS.replacedGraceMs + LIMITS.taskRetryMs);
    this.arm();
  }

  /** Never throws: after six throws the platform would drop the alarm for good. */
  async onAlarm(): Promise<void> {
    for (const { name } of this.schedule.due(this.#ports.clock.nowMs())) await this.runTask(name);
    try {
      const databaseId = this.#catalog.databaseId;
      if (databaseId !== null) await this.jobs.sendHints(databaseId);
    } catch (error) {
      this.#ports.report({ event: "hints_failed", error });
    }
    this.arm();
  }

  /** Runs a task now, whatever its time; its failure is told and kept, not thrown. */
  async runTask(name: string): Promise<void> {
    const { clock, report } = this.#ports;
    try {
      const { nextMs, result } = await this.#run(name);
      this.schedule.planAgain(name, nextMs);
      this.schedule.noteRun(name, clock.nowMs(), null);
      report({ event: "task_done", task: name, result });
    } catch (error) {
      if (isSluiceError(error) && NOT_DUE.has(error.code)) return this.schedule.forget(name);
      this.schedule.planAgain(name, clock.nowMs() + LIMITS.taskRetryMs);
      this.schedule.noteRun(name, clock.nowMs(), String(error));
      report({ event: "task_failed", task: name, error });
    }
  }

  /** null: nothing to do for who asks. */
  startJob(jobId: number): StartedJob | null {
    const job = this.jobs.start(jobId);
    this.arm();
    if (job === null) return null;
    const schema = this.#catalog.schemas([job.spec.tableId])[0] ?? null;
    if (schema === null) {
      this.jobs.giveWay(job);
      return null;
    }
    const files = this.#filesOf(job);
    if (files === null) {
      this.jobs.giveWay(job);
      return null;
    }
    return { job, schema, files, steps: this.jobs.steps(jobId) };
  }

  /**
   * The job's change and its end, in one transaction. Throws `files_changed`, `object_tombstoned`,
   * `job_lost`, `job_cancelled`; then nothing has changed. Returns the catalog's version.
   */
  finishJob(ticket: JobTicket, change: FileChange | null, result: JobNumbers): number {
    const version = this.#ports.store.transact(() => {
      const { spec } = this.jobs.find(ticket.jobId);
      this.jobs.finish(ticket, result);
      if (spec.kind === "retention") this.retention.noteRewritten(spec);
      return change === null ? this.#catalog.version : this.#catalog.replaceFiles(change);
    });
    this.#noteReplaced(change?.removes.length ?? 0);
    return version;
  }

  /** One of a rollup job's changes; throws as `finishJob`. */
  commitRollup(ticket: JobTicket, change: RollupChange): void {
    this.rollups.commit(ticket, change);
    this.#noteReplaced(change.chunk.files.length);
  }

  #noteReplaced(fileCount: number): void {
    if (fileCount > 0) {
      const graceMs = LIMITS.replacedGraceMs + 1_000;
      this.schedule.setBy("garbage", this.#ports.clock.nowMs() + graceMs);
    }
    this.noteSegment();
  }

  /** What the job of a delete is to look through now. Throws `files_changed` for a lost table. */
  searchedFiles(ticket: JobTicket): SearchedTable {
    const { spec } = this.jobs.check(ticket);
    assert(spec.kind === "delete", `job ${ticket.jobId} is no delete`);
    const found = this.#catalog.searchedFiles(spec.tableId, spec.predicate);
    if (found !== null) return found;
    throw new SluiceError("files_changed", "the measurement was dropped meanwhile");
  }

  /** The job's own files, null when one of them is gone; all of its table when it has none. */
  #filesOf({ jobId, spec }: Job): LiveFile[] | null {
    // It asks for those that may have rows to delete, perhaps more than once.
    if (spec.kind === "delete") return [];
    const files = this.#catalog.liveFiles(spec.tableId);
    const own = new Set(this.jobs.fileIds(jobId));
    if (own.size === 0) return files;
    const found = files.filter(({ fileId }) => own.has(fileId));
    return found.length === own.size ? found : null;
  }

  async #run(name: string): Promise<TaskResult> {
    const nowMs = this.#ports.clock.nowMs();
    const policyId = policyOfTask(name);
    if (policyId !== null) {
      const { fileCount, rowCount, rewriteCount } = this.retention.run(policyId, "timer");
      const result = { files: fileCount, rows: rowCount, rewrites: rewriteCount };
      return { nextMs: nowMs + LIMITS.retentionEveryMs, result };
    }
    const rollupId = rollupOfTask(name);
    if (rollupId !== null) return this.rollups.runTask(rollupId);
    switch (name) {
      case "garbage": {
        const { orphanCount, replacedCount } = await this.#catalog.collectGarbage();
        const result = { orphans: orphanCount, replaced: replacedCount };
        return { nextMs: nowMs + LIMITS.garbageEveryMs, result };
      }
      case "compaction":
        return createCompactions(this.#ports, this.#catalog, this.jobs);
      case "table_changes":
        return { nextMs: null, result: { changes: await this.#ports.finishTableChanges() } };
      default:
        throw new SluiceError("bug", `there is no task ${name}`);
    }
  }
}
