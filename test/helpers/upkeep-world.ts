// The upkeep of a QueryDatabase, with runners that work in this process: what the compactor does,
// without queues.

import type { FileChange } from "#lib/catalog/types.ts";
import { runCompaction } from "#lib/upkeep/compaction.ts";
import { runDelete } from "#lib/upkeep/delete.ts";
import { type JobLine, settleJob } from "#lib/upkeep/job-line.ts";
import { isActive } from "#lib/upkeep/jobs.ts";
import { runRetention } from "#lib/upkeep/retention-rewrite.ts";
import type { DeleteSpec, Job } from "#lib/upkeep/types.ts";
import { Upkeep } from "#lib/upkeep/upkeep.ts";
import { examineCondition, matchRows } from "../../workers/query/match-rows.ts";
import { newProgress } from "../../workers/query/run-query.ts";
import { ManualAlarm } from "./memory-world.ts";
import type { QueryDatabase, QueryWorld } from "./query-world.ts";

/** Of the database `default`. */
export class UpkeepWorld {
  readonly upkeep: Upkeep;
  readonly alarm = new ManualAlarm();
  readonly #world: QueryWorld;
  readonly #database: QueryDatabase;
  /** Called before every file is asked for its rows; may throw what a crash would. */
  beforeMatch: () => Promise<void> | void = () => {};
  /** Files that were asked. */
  matches = 0;

  constructor(world: QueryWorld) {
    this.#world = world;
    this.#database = world.get();
    const ports = {
      store: this.#database.store,
      clock: world.clock,
      alarm: this.alarm,
      sendJobHint: async () => {},
      finishTableChanges: async () => 0,
      report: () => {},
    };
    this.upkeep = new Upkeep(ports, { compactAfterMs: 60_000 }, this.#database.catalog);
  }

  /** A delete as the front door makes it. Throws what is wrong with the condition. */
  async createDelete(
    measurement: string,
    where: string,
    options: Partial<DeleteSpec> = {},
  ): Promise<Job> {
    const schema = this.#database.catalog.findSchema(measurement)!;
    const nowMs = this.#world.clock.nowMs();
    const wanted = await examineCondition(
      { schema, where, nowMs },
      this.#world.ports,
      newProgress(),
    );
    const { tableId } = schema;
    const spec = { kind: "delete", tableId, where, nowMs, predicate: wanted.where } as const;
    return this.upkeep.jobs.create({ ...spec, isDryRun: false, isConfirmed: true, ...options });
  }

  /** Attempts until the job has ended, however many others run. */
  async settle(jobId: number): Promise<Job> {
    for (;;) {
      const job = await this.attempt(jobId);
      if (!isActive(job)) return job;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** One attempt, if it may be started now; resolves to how the job is then. */
  async attempt(jobId: number): Promise<Job> {
    const started = this.upkeep.startJob(jobId);
    if (started === null) return this.upkeep.jobs.find(jobId);
    const { attempt } = started.job;
    const line = this.#lineOf({ jobId, attempt });
    const lake = { lake: this.#world.lake, fetchRange: this.#world.ports.fetchRange };
    const work = () => {
      const { spec } = started.job;
      if (spec.kind === "retention") return runRetention(started, 1, line, lake);
      if (spec.kind === "compaction") return runCompaction(started, 1, line, lake);
      const { where, nowMs } = spec as DeleteSpec;
      return runDelete(started, 1, line, {
        ...lake,
        searchedFiles: async () => this.upkeep.searchedFiles({ jobId, attempt }),
        matchRows: async (schema, file) => {
          await this.beforeMatch();
          this.matches++;
          return matchRows({ schema, where, nowMs }, file, this.#world.ports, newProgress());
        },
      });
    };
    await settleJob(line, work).catch(() => {});
    return this.upkeep.jobs.find(jobId);
  }

  #lineOf(ticket: { jobId: number; attempt: number }): JobLine {
    const { jobs } = this.upkeep;
    return {
      noteProgress: async (progress) => jobs.noteProgress(ticket, progress),
      noteStep: async (step) => jobs.noteStep(ticket, step),
      finish: async (change: FileChange | null, result) =>
        void this.upkeep.finishJob(ticket, change, result),
      giveWay: async () => jobs.giveWay(ticket),
      fail: async (code, message, isFinal) => jobs.fail(ticket, code, message, isFinal),
    };
  }
}
