// Work on the lake that takes longer than one call: begun, followed, resumed, ended here; done by
// runners elsewhere (queue-consumers/).
//
// A runner that is to work on a job gets a hint, as the parquet-writer does: the row here is the
// truth, the hint is sent again until the job has ended. Each start has a number, the attempt. A
// runner that was taken for dead and is not finds its number old, and stops. What a job changes, it
// changes in one transaction together with its own end, so that a job is done once or not at all.
//
// Refuses (`job_lost`) a runner whose attempt is not the present one, (`job_cancelled`) one whose
// job was cancelled.

import { type ErrorCode, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import { type JobTables, openJobTables } from "./job-tables.ts";
import type { Job, JobHint, JobKind, JobNumbers, JobSpec, JobState, JobStep } from "./types.ts";

export interface JobsPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  /** May fail, and may lose or repeat the hint. */
  sendJobHint(hint: JobHint): Promise<void>;
}

/** Which start of which job somebody speaks for. */
export interface JobTicket {
  readonly jobId: number;
  readonly attempt: number;
}

export class Jobs {
  readonly #ports: JobsPorts;
  readonly #tables: JobTables;
  /** The last job that was called, of merges (true) and of all others. */
  readonly #lastCalled = new Map<boolean, number>();

  constructor(ports: JobsPorts) {
    this.#ports = ports;
    this.#tables = openJobTables(ports.store);
  }

  /**
   * Inside a transaction of the caller's, or alone. `fileIds` are those it is about, if it says.
   */
  create(spec: JobSpec, fileIds: readonly number[] = []): Job {
    const jobId = this.#tables.insertJob(spec, this.#ports.clock.nowMs());
    for (const fileId of fileIds) this.#tables.insertJobFile(jobId, fileId);
    return this.#tables.job(jobId)!;
  }

  /** Throws `job_unknown`. */
  find(jobId: number): Job {
    const job = this.#tables.job(jobId);
    if (job !== null) return job;
    throw new SluiceError("job_unknown", `there is no job ${jobId}`, { job_id: jobId });
  }

  /** Newest first; `kind` null: of every kind. */
  list(kind: JobKind | null, countMax: number): Job[] {
    return this.#tables.jobs(kind, countMax);
  }

  /** Newest first. */
  listOfTable(kind: JobKind, tableId: number, countMax: number): Job[] {
    return this.#tables.jobsOfTable(kind, tableId, countMax);
  }

  active(): Job[] {
    return this.#tables.activeJobs();
  }

  fileIds(jobId: number): number[] {
    return this.#tables.jobFileIds(jobId);
  }

  steps(jobId: number): JobStep[] {
    return this.#tables.steps(jobId);
  }

  /** Files that a planner must leave alone: in work, or what a job failed over not long ago. */
  claimedFileIds(): Set<number> {
    return this.#tables.claimedFileIds(this.#ports.clock.nowMs() - LIMITS.jobFailedRestMs);
  }

  /** null: it has ended, or a runner has it, or enough others run. */
  start(jobId: number): Job | null {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#tables.job(jobId)?.state !== "queued") return null;
    if (this.#tables.runningCount() >= LIMITS.jobsRunningMax) return null;
    this.#tables.startJob(jobId, nowMs, nowMs + LIMITS.jobLeaseMs);
    return this.#tables.job(jobId);
  }

  /** The runner lives. Throws `job_lost`, `job_cancelled`: then it must stop. */
  noteProgress(ticket: JobTicket, progress: JobNumbers): void {
    this.check(ticket);
    const hintMs = this.#ports.clock.nowMs() + LIMITS.jobLeaseMs;
    this.#tables.noteProgress(ticket.jobId, progress, hintMs);
  }

  /** A part that need not be done again. Throws as `noteProgress`. */
  noteStep(ticket: JobTicket, step: JobStep): void {
    this.check(ticket);
    this.#tables.putStep(ticket.jobId, step);
  }

  /** Inside the transaction that does what the job is for. Throws as `noteProgress`. */
  finish(ticket: JobTicket, result: JobNumbers): void {
    this.check(ticket);
    this.#end(ticket.jobId, "done", result);
  }

  /** Somebody else changed its files first. */
  giveWay(ticket: JobTicket): void {
    this.check(ticket);
    this.#end(ticket.jobId, "gave_way", null);
  }

  /** Tried again later, unless it cannot help or has failed too often. */
  fail(ticket: JobTicket, code: ErrorCode, message: string, isFinal: boolean): void {
    this.check(ticket);
    const nowMs = this.#ports.clock.nowMs();
    this.#tables.noteFailure(ticket.jobId, code, message);
    const { failureCount } = this.find(ticket.jobId);
    if (isFinal || failureCount >= LIMITS.jobAttemptsMax) {
      this.#end(ticket.jobId, "failed", null);
    } else {
      this.#tables.requeueJob(ticket.jobId, nowMs + LIMITS.jobRetryMs * 2 ** (failureCount - 1));
    }
  }

  /**
   * Nothing that it has not committed will be. Throws `job_unknown`; an ended job stays as it is.
   */
  cancel(jobId: number): Job {
    if (isActive(this.find(jobId))) {
      this.#end(jobId, "cancelled", null);
    }
    return this.find(jobId);
  }

  /** Throws unless the ticket is that of the present start. */
  check({ jobId, attempt }: JobTicket): Job {
    const job = this.find(jobId);
    const detail = { job_id: jobId, attempt };
    if (job.state === "cancelled") {
      throw new SluiceError("job_cancelled", `job ${jobId} was cancelled`, detail);
    }
    if (job.state === "running" && job.attempt === attempt) return job;
    throw new SluiceError("job_lost", `job ${jobId} is somebody else's, or has ended`, detail);
  }

  /** When `sendHints` has something to do; null: never, as things are. */
  nextMs(): number | null {
    return this.#tables.nextHintMs();
  }

  /** Hints for jobs that wait, as many as may run. A silent runner's job waits again. */
  async sendHints(databaseId: number): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    const due = this.#tables.dueJobs(nowMs);
    const waiting = due.filter((job) => job.state === "queued" || !this.#giveUp(job));
    for (const { jobId } of waiting) {
      this.#tables.requeueJob(jobId, nowMs + LIMITS.jobHintIntervalMs);
    }
    for (const { jobId, spec } of this.#chooseCalled(waiting)) {
      await this.#ports.sendJobHint({ databaseId, jobId, kind: spec.kind });
    }
  }

  /**
   * As many as may run, in turn: those before them may be ones that cannot start yet. Merges have
   * turns of their own, since all of them wait while flushes are behind.
   */
  #chooseCalled(waiting: readonly Job[]): Job[] {
    const free = Math.max(0, LIMITS.jobsRunningMax - this.#tables.runningCount());
    return [false, true].flatMap((areMerges) => {
      const group = waiting.filter(({ spec }) => (spec.kind === "compaction") === areMerges);
      const lastId = this.#lastCalled.get(areMerges) ?? 0;
      const isBehind = ({ jobId }: Job) => jobId > lastId;
      const inTurn = [...group.filter(isBehind), ...group.filter((job) => !isBehind(job))];
      const called = inTurn.slice(0, free);
      if (called.length > 0) this.#lastCalled.set(areMerges, called.at(-1)!.jobId);
      return called;
    });
  }

  /** What ends each of its runners, as by their memory, must not keep its place for ever. */
  #giveUp({ jobId, attempt }: Job): boolean {
    if (attempt < LIMITS.jobStartsMax) return false;
    const message = `${attempt} runners began it, and the last one fell silent`;
    this.#tables.noteFailure(jobId, "job_lost", message);
    this.#end(jobId, "failed", null);
    return true;
  }

  /** Its place is free, and who waits for one need not wait for the next hint. */
  #end(jobId: number, state: JobState, result: JobNumbers | null): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#tables.endJob(jobId, state, result, nowMs);
    this.#tables.forgetJobs(this.find(jobId).spec.kind, LIMITS.jobsKept);
    this.#tables.callWaiting(LIMITS.jobsRunningMax, nowMs);
  }
}

export function isActive({ state }: Job): boolean {
  return state === "queued" || state === "running";
}
