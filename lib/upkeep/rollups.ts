// Rollups: measurements that are made from others by a query over stretches of time, and kept equal
// to it.
//
// What is computed is what has changed: the catalog tells a rollup at which event times the rows of
// its source became others, late ones and deleted ones too. These times, widened to slots
// (rollup-slots.ts), are computed anew from all rows that there are, and the rows of the
// destination in those slots are replaced. So nothing is ever added to a result, and nothing can be
// counted twice. The files of a chunk of slots and that its changes are dealt with are one
// transaction; a crash anywhere leaves slots that are computed again.
//
// A run computes what had changed when it was started. Its query may see younger rows: they have
// changed their slots after that version, and the next run computes these again.
//
// Slots of which retention has taken rows are never computed again: what they held stays.
//
// Runner: rollup-run.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { CatalogCore } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { unknownMeasurement } from "#lib/catalog/table-changes.ts";
import type { LiveFile, TimeSpanMs } from "#lib/catalog/types.ts";
import { Watches } from "#lib/catalog/watches.ts";
import type { ScannedColumn } from "#lib/columnar/kinds.ts";
import type { Jobs, JobTicket } from "./jobs.ts";
import type { Retention } from "./retention.ts";
import { clip, coalesce, firstSlots, firstWholeSlot } from "./rollup-slots.ts";
import { slotMsOf, type TimeRange, widen, without } from "./rollup-slots.ts";
import { openRollupTables, type RollupTables } from "./rollup-tables.ts";
import type { Rollup, RollupChange, RollupChunk, RollupFields } from "./rollup-types.ts";
import type { StartedRollup } from "./rollup-types.ts";
import type { Schedule } from "./schedule.ts";
import type { Job, RollupSpec } from "./types.ts";

export interface RollupsPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly catalog: Pick<
    CatalogCore,
    | "version"
    | "schemas"
    | "findSchema"
    | "liveFiles"
    | "replaceFiles"
    | "claimForRollup"
    | "releaseFromRollup"
    | "extendDerived"
  >;
  readonly jobs: Jobs;
  readonly schedule: Pick<Schedule, "setBy" | "forget">;
  readonly retention: Pick<Retention, "retainedFromMs">;
}

type RollupJob = Job & { readonly spec: RollupSpec };

export class Rollups {
  readonly #ports: RollupsPorts;
  readonly #tables: RollupTables;
  readonly #watches: Watches;

  constructor(ports: RollupsPorts) {
    this.#ports = ports;
    this.#tables = openRollupTables(ports.store);
    this.#watches = new Watches(ports.store);
  }

  list(): Rollup[] {
    return this.#tables.rollups();
  }

  /** Throws `rollup_unknown`. */
  find(rollupId: number): Rollup {
    const rollup = this.#tables.rollup(rollupId);
    if (rollup !== null) return rollup;
    const message = `Continuous query ${rollupId} not found`;
    throw new SluiceError("rollup_unknown", message, { id: rollupId });
  }

  /**
   * Throws `rollup_exists` for a name that is taken, `measurement_unknown` for the source,
   * `measurement_exists` for a destination that others have written.
   */
  create(databaseId: number, fields: RollupFields): Rollup {
    return this.#ports.store.transact(() => {
      const sourceTableId = this.#check(fields, null);
      const nowMs = this.#ports.clock.nowMs();
      const rollupId = this.#tables.insertRollup(fields, sourceTableId, nowMs);
      const { catalog } = this.#ports;
      const { tableId } = catalog.claimForRollup(databaseId, fields.destination, rollupId);
      this.#tables.setDestination(rollupId, tableId);
      return this.#begin(rollupId, null);
    });
  }

  /**
   * All of it is computed again if its query, interval or source is another, or if it was not
   * active. Throws as `create`, `rollup_unknown`, and `parameter_invalid` for another destination.
   */
  update(rollupId: number, fields: RollupFields): Rollup {
    return this.#ports.store.transact(() => {
      const before = this.find(rollupId);
      if (fields.destination !== before.destination) {
        const message = "a rollup keeps its destination; make another rollup";
        throw new SluiceError("parameter_invalid", message, { field: "destination_measurement" });
      }
      const sourceTableId = this.#check(fields, rollupId);
      this.#tables.updateRollup(rollupId, fields, sourceTableId, this.#ports.clock.nowMs());
      const isSame =
        fields.isActive &&
        before.isActive &&
        fields.query === before.query &&
        fields.intervalMs === before.intervalMs &&
        sourceTableId === before.sourceTableId;
      if (isSame) return this.find(rollupId);
      this.#end(rollupId);
      return this.#begin(rollupId, before);
    });
  }

  /** The destination and its rows stay. Throws `rollup_unknown`. */
  remove(rollupId: number): void {
    this.#ports.store.transact(() => {
      this.find(rollupId);
      this.#end(rollupId);
      this.#ports.catalog.releaseFromRollup(rollupId);
      this.#tables.deleteRollup(rollupId);
    });
  }

  /** Its runs that are remembered, newest first. Throws `rollup_unknown`. */
  runs(rollupId: number, countMax: number): Job[] {
    const { destinationTableId } = this.find(rollupId);
    const jobs = this.#ports.jobs.listOfTable("rollup", destinationTableId, LIMITS.jobsKept);
    return jobs.filter((job) => isRunOf(job, rollupId)).slice(0, countMax);
  }

  /**
   * A job that computes the slots of these times anew that files reach into, changed or not; null:
   * what has changed. Throws `rollup_unknown`, `rollup_inactive` when nothing is told of changes.
   */
  compute(rollupId: number, span: TimeSpanMs | null): Job {
    return this.#ports.store.transact(() => {
      const rollup = this.find(rollupId);
      if (span === null && !rollup.isActive) {
        const message = "it is not active, so start_time and end_time must be given";
        throw new SluiceError("rollup_inactive", message, { id: rollupId });
      }
      if (span === null) return this.#createJob(rollup, null);
      const range = widen(span, slotMsOf(rollup.intervalMs));
      const filled = this.#filledSlots(rollup, [rollup.sourceTableId, rollup.destinationTableId]);
      this.#watches.mark(rollupId, clip(filled, range).map(spanOf));
      return this.#createJob(rollup, range);
    });
  }

  /** What the timer does: makes a job, if something has changed and none is at it. */
  runTask(rollupId: number) {
    const { jobs, catalog, clock } = this.#ports;
    const rollup = this.find(rollupId);
    const isBusy = jobs.active().some((job) => isRunOf(job, rollupId));
    const isDue = !isBusy && this.#watches.changes(rollupId, catalog.version).length > 0;
    if (isDue) this.#createJob(rollup, null);
    const nextMs = clock.nowMs() + Math.max(rollup.intervalMs, LIMITS.rollupEveryMsMin);
    return { nextMs, result: { jobs: isDue ? 1 : 0 } };
  }

  /** null: nothing to do for who asks; of one rollup only one job runs at a time. */
  start(jobId: number): StartedRollup | null {
    return this.#ports.store.transact(() => {
      const { jobs, catalog } = this.#ports;
      const { spec, progress } = jobs.find(jobId);
      if (spec.kind !== "rollup") return null;
      const isBusy = jobs
        .active()
        .some((job) => isRunOf(job, spec.rollupId) && job.state === "running");
      const job = isBusy ? null : jobs.start(jobId);
      if (job === null) return null;
      const { attempt } = job;
      // What earlier starts have committed counts, too.
      jobs.noteProgress({ jobId, attempt }, progress);
      const rollup = this.find(spec.rollupId);
      const { version } = catalog;
      // Neighbouring changes become one row, so that a rollup that fails for long stays small.
      const ranges = this.#dirty(rollup, version);
      this.#watches.settle(rollup.rollupId, version, ranges.map(spanOf));
      return { jobId, attempt, rollup, version };
    });
  }

  /**
   * What to compute next, `slotCountMax` slots at most; null: the job has nothing left. Throws
   * `job_lost`, `job_cancelled`, `measurement_unknown` when source or destination is not what it
   * was.
   */
  nextChunk(ticket: JobTicket, version: number, slotCountMax: number): RollupChunk | null {
    return this.#ports.store.transact(() => {
      const { spec } = this.#ports.jobs.check(ticket) as RollupJob;
      const rollup = this.find(spec.rollupId);
      this.#checkTables(rollup);
      const slotMs = slotMsOf(rollup.intervalMs);
      const ranges = this.#skipRetained(ticket, rollup, version);
      const [first] = spec.range === null ? ranges : clip(ranges, spec.range);
      if (first === undefined) return null;
      const range = firstSlots(first, slotMs, slotCountMax);
      const slotCount = Math.ceil((range.toMs - range.fromMs) / slotMs);
      return { range, slotCount, files: this.#filesOf(rollup, range) };
    });
  }

  /**
   * Replaces the rows of a chunk and forgets its changes. Throws `files_changed` when the
   * destination's files are not those of the chunk any more, or rows of the source were dropped
   * meanwhile: then the chunk is to be asked for again.
   */
  commit(ticket: JobTicket, change: RollupChange): void {
    const { jobs, catalog } = this.#ports;
    const { chunk, adds, version } = change;
    this.#ports.store.transact(() => {
      const { spec, progress } = jobs.check(ticket) as RollupJob;
      const rollup = this.find(spec.rollupId);
      this.#checkFiles(rollup, chunk);
      const removes = chunk.files.map(({ fileId }) => fileId);
      if (removes.length + adds.length > 0) {
        const changed = [{ tableId: rollup.destinationTableId, ...spanOf(chunk.range) }];
        catalog.replaceFiles({ removes, adds, changed });
      }
      const left = without(this.#dirty(rollup, version), chunk.range);
      this.#watches.settle(rollup.rollupId, version, left.map(spanOf));
      const added = {
        slots: chunk.slotCount,
        rows_read: change.rowsRead,
        rows_written: change.rowsWritten,
      };
      jobs.noteProgress(ticket, sums(progress, added));
    });
  }

  /** The destination's columns, grown for rows of these. Throws what a conflict of types throws. */
  extendSchema(ticket: JobTicket, columns: readonly ScannedColumn[]): TableSchema {
    const { spec } = this.#ports.jobs.check(ticket) as RollupJob;
    return this.#ports.catalog.extendDerived(spec.tableId, columns);
  }

  /** The runner lives. */
  keep(ticket: JobTicket): void {
    this.#ports.jobs.noteProgress(ticket, this.#ports.jobs.check(ticket).progress);
  }

  /** The job has nothing left to compute. */
  finish(ticket: JobTicket): void {
    const { slots = 0, slots_skipped = 0, ...rest } = this.#ports.jobs.check(ticket).progress;
    const none = { rows_read: 0, rows_written: 0 };
    this.#ports.jobs.finish(ticket, { slots, slots_skipped, ...none, ...rest });
  }

  #createJob({ rollupId, destinationTableId }: Rollup, range: TimeRange | null): Job {
    return this.#ports.jobs.create({
      kind: "rollup",
      tableId: destinationTableId,
      rollupId,
      range,
    });
  }

  /** Returns the source's id. `rollupId`: of the rollup that has the name already. */
  #check({ name, source, destination }: RollupFields, rollupId: number | null): number {
    const taken = this.#tables.rollupIdOf(name);
    if (taken !== null && taken !== rollupId) {
      const message = `a continuous query named "${name}" exists already`;
      throw new SluiceError("rollup_exists", message, { name });
    }
    const others = this.list().filter((one) => one.rollupId !== rollupId);
    const rival = others.find((one) => one.destination === destination);
    if (rival !== undefined) {
      const message = `measurement "${destination}" is made by "${rival.name}"`;
      throw new SluiceError("measurement_exists", message, { measurement: destination });
    }
    const sources = new Map(others.map((one) => [one.destination, one.source]));
    for (let at: string | undefined = source; at !== undefined; at = sources.get(at)) {
      if (at !== destination) continue;
      const message = `"${destination}" would be made from itself`;
      throw new SluiceError("parameter_invalid", message, { field: "source_measurement" });
    }
    const schema = this.#ports.catalog.findSchema(source);
    if (schema === null) throw unknownMeasurement(source);
    return schema.tableId;
  }

  /**
   * If it is active, all that its source has now is to be computed, and what changes from now on;
   * also what it has made itself, of which the source may have lost the rows while nobody watched.
   */
  #begin(rollupId: number, before: Rollup | null): Rollup {
    const { schedule, clock } = this.#ports;
    const rollup = this.find(rollupId);
    const { isActive, sourceTableId, destinationTableId } = rollup;
    if (!isActive) return rollup;
    // What was made from a table that is gone stays: there is nothing to make it from again.
    const isSameSource = before?.sourceTableId === sourceTableId;
    const tableIds = isSameSource ? [sourceTableId, destinationTableId] : [sourceTableId];
    this.#watches.watch(rollupId, sourceTableId);
    this.#watches.mark(rollupId, this.#filledSlots(rollup, tableIds).map(spanOf));
    schedule.setBy(taskOf(rollupId), clock.nowMs());
    return rollup;
  }

  /** Those that files of the tables reach into: all others have nothing to compute or replace. */
  #filledSlots({ intervalMs }: Rollup, tableIds: readonly number[]): TimeRange[] {
    const files = tableIds.flatMap((tableId) => this.#ports.catalog.liveFiles(tableId));
    return coalesce(files.map((file) => widen(file, slotMsOf(intervalMs))));
  }

  /** Nobody commits any more what was computed before. */
  #end(rollupId: number): void {
    const active = this.#ports.jobs.active().filter((job) => isRunOf(job, rollupId));
    for (const { jobId } of active) this.#ports.jobs.cancel(jobId);
    this.#watches.unwatch(rollupId);
    this.#ports.schedule.forget(taskOf(rollupId));
  }

  #dirty({ rollupId, intervalMs }: Rollup, version: number): TimeRange[] {
    const slotMs = slotMsOf(intervalMs);
    return coalesce(this.#watches.changes(rollupId, version).map((span) => widen(span, slotMs)));
  }

  /** What is left to compute, without the slots of which rows are gone: these are forgotten. */
  #skipRetained(ticket: JobTicket, rollup: Rollup, version: number): TimeRange[] {
    const ranges = this.#dirty(rollup, version);
    const slotMs = slotMsOf(rollup.intervalMs);
    const firstMs = this.#computableFromMs(rollup);
    const rest = clip(ranges, { fromMs: firstMs, toMs: Infinity });
    const skipped = clip(ranges, { fromMs: -Infinity, toMs: firstMs });
    if (skipped.length === 0) return rest;
    this.#watches.settle(rollup.rollupId, version, rest.map(spanOf));
    const slotsSkipped = skipped.reduce(
      (sum, { fromMs, toMs }) => sum + (toMs - fromMs) / slotMs,
      0,
    );
    const { progress } = this.#ports.jobs.check(ticket);
    this.#ports.jobs.noteProgress(ticket, sums(progress, { slots_skipped: slotsSkipped }));
    return rest;
  }

  /** Slots that begin earlier lack rows. */
  #computableFromMs({ sourceTableId, intervalMs }: Rollup): number {
    const retainedFromMs = this.#ports.retention.retainedFromMs(sourceTableId);
    if (retainedFromMs === null) return -Infinity;
    return firstWholeSlot(retainedFromMs, slotMsOf(intervalMs));
  }

  /**
   * Dropped or renamed: a query over nothing has no rows, which must not replace those there are.
   */
  #checkTables({ sourceTableId, destinationTableId, source, destination }: Rollup): void {
    const [from, to] = this.#ports.catalog.schemas([sourceTableId, destinationTableId]);
    if (from?.measurement !== source) throw unknownMeasurement(source);
    if (to?.measurement !== destination) throw unknownMeasurement(destination);
  }

  #checkFiles(rollup: Rollup, { range, files }: RollupChunk): void {
    const live = new Set(this.#filesOf(rollup, range).map(({ fileId }) => fileId));
    const isSame = live.size === files.length && files.every(({ fileId }) => live.has(fileId));
    if (isSame && range.fromMs >= this.#computableFromMs(rollup)) return;
    const message = `files of ${rollup.destination} or ${rollup.source} have changed meanwhile`;
    throw new SluiceError("files_changed", message, { measurement: rollup.destination });
  }

  #filesOf({ destinationTableId }: Rollup, { fromMs, toMs }: TimeRange): LiveFile[] {
    const files = this.#ports.catalog.liveFiles(destinationTableId);
    return files.filter(({ timeMinMs, timeMaxMs }) => timeMaxMs >= fromMs && timeMinMs < toMs);
  }
}

/** Its task in the schedule. */
function taskOf(rollupId: number): string {
  return `rollup:${rollupId}`;
}

/** null: the task is not a rollup's. */
export function rollupOfTask(name: string): number | null {
  const id = /^rollup:(\d+)$/.exec(name)?.[1];
  return id === undefined ? null : Number(id);
}

function isRunOf({ spec }: Job, rollupId: number): boolean {
  return spec.kind === "rollup" && spec.rollupId === rollupId;
}

function spanOf({ fromMs, toMs }: TimeRange): TimeSpanMs {
  return { timeMinMs: fromMs, timeMaxMs: toMs - 1 };
}

function sums(totals: Job["progress"], added: Job["progress"]): Job["progress"] {
  const names = new Set([...Object.keys(totals), ...Object.keys(added)]);
  return Object.fromEntries(
    [...names].map((name) => [name, (totals[name] ?? 0) + (added[name] ?? 0)]),
  );
}
