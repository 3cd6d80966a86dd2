// The shell of a catalog round lib/catalog/catalog.ts, and of the upkeep of its lake round
// lib/upkeep/upkeep.ts, where the thinking is. One object per database, named `<databaseId>`.

import { DurableObject } from "cloudflare:workers";
import { Archive } from "#lib/archive/archive.ts";
import { asRefusal, isRefusal, orRefusal, orRefusalLater } from "#lib/base/errors.ts";
import type { ErrorCode, Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import { type BatchColumns, CatalogCore } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { TableView } from "#lib/catalog/table-view.ts";
import { type ChangedDatabase, TableChanges } from "#lib/catalog/table-changes.ts";
import type {
  CommitRequest,
  CommitResult,
  FileChange,
  FilePage,
  Snapshot,
} from "#lib/catalog/types.ts";
import type { SnapshotRequest, TableSummary, TableTotals } from "#lib/catalog/types.ts";
import type { TimeSpanMs } from "#lib/catalog/types.ts";
import type { ScannedColumn } from "#lib/columnar/kinds.ts";
import type { SearchedTable } from "#lib/catalog/types.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { schemaChanges, snapshots } from "#lib/telemetry/metrics/catalog.ts";
import { ArchivedUpkeep } from "#lib/upkeep/archived-upkeep.ts";
import type { Home } from "#lib/upkeep/artifacts.ts";
import { type Candidate, findCandidates } from "#lib/upkeep/compaction.ts";
import type { JobTicket } from "#lib/upkeep/jobs.ts";
import type { RunMode, RunReport } from "#lib/upkeep/retention.ts";
import type { Policy, PolicyFields, PolicyRun } from "#lib/upkeep/retention-tables.ts";
import type { TaskRun } from "#lib/upkeep/schedule.ts";
import type { Rollup, RollupChange, RollupChunk } from "#lib/upkeep/rollup-types.ts";
import type { RollupFields, StartedRollup } from "#lib/upkeep/rollup-types.ts";
import type { Job, JobHint, JobKind, JobNumbers, JobStep } from "#lib/upkeep/types.ts";
import type { DeleteSpec, StartedJob } from "#lib/upkeep/types.ts";
import { Upkeep, type UpkeepEvent } from "#lib/upkeep/upkeep.ts";
import { archivePorts } from "#platform/archive-ports.ts";
import { sleep, systemClock } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { r2ObjectStore } from "#platform/r2.ts";
import { unwrap } from "#platform/rpc.ts";
import { goOnInObject, meter, reportSoon } from "#platform/telemetry.ts";
import { catalogGauges, countCommit, countJobEnd } from "./catalog-telemetry.ts";
import { countRollupChange, tellOfUpkeep } from "./catalog-telemetry.ts";

export class DatabaseCatalog extends DurableObject<IngestEnv> {
  readonly #core: CatalogCore;
  readonly #changes: TableChanges;
  readonly #upkeep: Upkeep;
  readonly #archived: ArchivedUpkeep;
  readonly #archive: Archive;
  readonly #alarm: SharedAlarm;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const lake = r2ObjectStore(env.LAKE);
    const store = sqlStore(ctx.storage);
    this.#alarm = new SharedAlarm(alarm(ctx.storage));
    this.#archive = new Archive(
      archivePorts("database-catalog", store, this.#alarm.of("archive"), env),
    );
    const ports = {
      store,
      clock: systemClock,
      lake,
      alarm: this.#alarm.of("upkeep"),
      archive: this.#archive,
      sendJobHint: async (hint: JobHint) => {
        await (hint.kind === "rollup" ? env.ROLLUP_QUEUE : env.COMPACTION_QUEUE).send(hint);
      },
      finishTableChanges: () => this.#changes.finishAll(),
      report: (event: UpkeepEvent) => this.#report(event),
    };
    const compactAfterMs = positiveInteger("COMPACT_AFTER_MS", env.COMPACT_AFTER_MS);
    const settings = { compactAfterMs };
    this.#core = new CatalogCore(ports);
    this.#changes = new TableChanges({
      ...ports,
      nameTable: (shard, { tableId, newName, changeNo }) =>
        unwrap(this.#bufferOf(shard).nameTable(tableId, newName, changeNo)),
      bufferedRows: (shard, tableId) => unwrap(this.#bufferOf(shard).rowsOfTable(tableId)),
    });
    this.#upkeep = new Upkeep(ports, settings, this.#core);
    this.#archived = new ArchivedUpkeep(this.#upkeep, this.#archive);
  }

  async extendSchemas(
    databaseId: number,
    batches: readonly BatchColumns[],
  ): Promise<TableSchema[] | Refusal> {
    meter.add(schemaChanges, 1);
    this.#reportSoon();
    return this.#core.extendSchemas(databaseId, batches);
  }

  async findSchema(measurement: string): Promise<TableSchema | null> {
    return this.#core.findSchema(measurement);
  }

  async schemas(tableIds: readonly number[]): Promise<(TableSchema | null)[]> {
    return this.#core.schemas(tableIds);
  }

  async commit(databaseId: number, request: CommitRequest): Promise<CommitResult | Refusal> {
    const result = this.#core.commit(databaseId, request);
    countCommit(request, result);
    this.#reportSoon();
    if (!isRefusal(result)) this.#upkeep.noteSegment();
    return result;
  }

  async snapshot(request: SnapshotRequest): Promise<Snapshot | Refusal> {
    meter.add(snapshots, 1);
    this.#reportSoon();
    return orRefusal(() => this.#core.snapshot(request));
  }

  async listFiles(
    measurement: string,
    afterId: number,
    countMax: number,
  ): Promise<FilePage | null> {
    return this.#core.listFiles(measurement, afterId, countMax);
  }

  async isLive(key: string): Promise<boolean> {
    return this.#core.isLive(key);
  }

  async viewTable(measurement: string): Promise<TableView | null> {
    return this.#core.viewTable(measurement);
  }

  /** What dropping the measurement would take away. */
  weighTable(measurement: string, shardCount: number): Promise<TableTotals | Refusal> {
    return orRefusalLater(() => this.#changes.weigh(measurement, shardCount));
  }

  async dropTable(measurement: string, database: ChangedDatabase): Promise<TableTotals | Refusal> {
    this.#upkeep.noteTableChange();
    return this.#told(await orRefusalLater(() => this.#changes.drop(measurement, database)));
  }

  async renameTable(
    measurement: string,
    newName: string,
    database: ChangedDatabase,
  ): Promise<Refusal | void> {
    this.#upkeep.noteTableChange();
    return this.#told(
      await orRefusalLater(() => this.#changes.rename(measurement, newName, database)),
    );
  }

  /** The database is dropped, and this object is to remember nothing but that. */
  async erase(): Promise<void> {
    this.#core.erase();
  }

  async listTables(): Promise<TableSummary[]> {
    return this.#core.listTables();
  }

  async startJob(jobId: number): Promise<StartedJob | null> {
    return this.#upkeep.startJob(jobId);
  }

  async noteJobProgress(ticket: JobTicket, progress: JobNumbers): Promise<Refusal | null> {
    return asRefusal(() => this.#upkeep.jobs.noteProgress(ticket, progress));
  }

  async noteJobStep(ticket: JobTicket, step: JobStep): Promise<Refusal | null> {
    return asRefusal(() => this.#upkeep.jobs.noteStep(ticket, step));
  }

  async finishJob(
    ticket: JobTicket,
    change: FileChange | null,
    result: JobNumbers,
  ): Promise<Refusal | null> {
    return asRefusal(() => {
      this.#upkeep.finishJob(ticket, change, result);
      countJobEnd(this.#upkeep.jobs.find(ticket.jobId), change, result);
      this.#reportSoon();
    });
  }

  async giveWay(ticket: JobTicket): Promise<Refusal | null> {
    return this.#armedAfter(() => this.#upkeep.jobs.giveWay(ticket));
  }

  async failJob(
    ticket: JobTicket,
    code: ErrorCode,
    message: string,
    isFinal: boolean,
  ): Promise<Refusal | null> {
    return this.#armedAfter(() => this.#upkeep.jobs.fail(ticket, code, message, isFinal));
  }

  async listJobs(kind: JobKind | null, countMax: number): Promise<Job[]> {
    return this.#upkeep.jobs.list(kind, countMax);
  }

  async cancelJob(jobId: number): Promise<Job | Refusal> {
    return this.#armed(() => this.#upkeep.jobs.cancel(jobId));
  }

  async createDelete(spec: DeleteSpec): Promise<Job> {
    const job = this.#upkeep.jobs.create(spec);
    this.#upkeep.arm();
    return job;
  }

  async searchedFiles(ticket: JobTicket): Promise<SearchedTable | Refusal> {
    return orRefusal(() => this.#upkeep.searchedFiles(ticket));
  }

  /** Days of measurements that could be compacted now. */
  async listCandidates(): Promise<Candidate[]> {
    return findCandidates(this.#core, this.#upkeep.jobs, systemClock.nowMs());
  }

  async listTasks(): Promise<TaskRun[]> {
    return this.#upkeep.schedule.tasks();
  }

  /** At once, in the alarm. */
  async planTask(name: string): Promise<void> {
    this.#upkeep.schedule.set(name, systemClock.nowMs());
    this.#upkeep.arm();
  }

  async listPolicies(): Promise<Policy[]> {
    return this.#upkeep.retention.list();
  }

  async findPolicy(policyId: number): Promise<Policy | Refusal> {
    return orRefusal(() => this.#upkeep.retention.find(policyId));
  }

  async createPolicy(home: Home, fields: PolicyFields): Promise<Policy | Refusal> {
    return this.#told(this.#armed(() => this.#archived.createPolicy(home, fields)));
  }

  async updatePolicy(
    home: Home,
    policyId: number,
    change: Partial<PolicyFields>,
  ): Promise<Policy | Refusal> {
    return this.#told(this.#armed(() => this.#archived.updatePolicy(home, policyId, change)));
  }

  async removePolicy(home: Home, policyId: number): Promise<Refusal | null> {
    return this.#told(asRefusal(() => this.#archived.removePolicy(home, policyId)));
  }

  async runPolicy(policyId: number, mode: RunMode): Promise<RunReport | Refusal> {
    return this.#armed(() => this.#upkeep.retention.run(policyId, mode));
  }

  async policyRuns(policyId: number, countMax: number): Promise<PolicyRun[] | Refusal> {
    return orRefusal(() => this.#upkeep.retention.runs(policyId, countMax));
  }

  async listRollups(): Promise<Rollup[]> {
    return this.#upkeep.rollups.list();
  }

  async findRollup(rollupId: number): Promise<Rollup | Refusal> {
    return orRefusal(() => this.#upkeep.rollups.find(rollupId));
  }

  async createRollup(home: Home, fields: RollupFields): Promise<Rollup | Refusal> {
    return this.#told(this.#armed(() => this.#archived.createRollup(home, fields)));
  }

  async updateRollup(
    home: Home,
    rollupId: number,
    fields: RollupFields,
  ): Promise<Rollup | Refusal> {
    return this.#told(this.#armed(() => this.#archived.updateRollup(home, rollupId, fields)));
  }

  async removeRollup(home: Home, rollupId: number): Promise<Refusal | null> {
    return this.#told(asRefusal(() => this.#archived.removeRollup(home, rollupId)));
  }

  async rollupRuns(rollupId: number, countMax: number): Promise<Job[] | Refusal> {
    return orRefusal(() => this.#upkeep.rollups.runs(rollupId, countMax));
  }

  async computeRollup(rollupId: number, span: TimeSpanMs | null): Promise<Job | Refusal> {
    return this.#armed(() => this.#upkeep.rollups.compute(rollupId, span));
  }

  async findJob(jobId: number): Promise<Job | Refusal> {
    return orRefusal(() => this.#upkeep.jobs.find(jobId));
  }

  async startRollup(jobId: number): Promise<StartedRollup | null | Refusal> {
    return this.#armed(() => this.#upkeep.rollups.start(jobId));
  }

  async nextRollupChunk(
    ticket: JobTicket,
    version: number,
    slotCountMax: number,
  ): Promise<RollupChunk | null | Refusal> {
    return orRefusal(() => this.#upkeep.rollups.nextChunk(ticket, version, slotCountMax));
  }

  async extendRollupSchema(
    ticket: JobTicket,
    columns: readonly ScannedColumn[],
  ): Promise<TableSchema | Refusal> {
    return orRefusal(() => this.#upkeep.rollups.extendSchema(ticket, columns));
  }

  async commitRollup(ticket: JobTicket, change: RollupChange): Promise<Refusal | null> {
    return asRefusal(() => {
      this.#upkeep.commitRollup(ticket, change);
      countRollupChange(change);
      this.#reportSoon();
    });
  }

  async keepRollup(ticket: JobTicket): Promise<Refusal | null> {
    return asRefusal(() => this.#upkeep.rollups.keep(ticket));
  }

  async finishRollup(ticket: JobTicket): Promise<Refusal | null> {
    return this.#armedAfter(() => this.#upkeep.rollups.finish(ticket));
  }

  /**
   * A poke from the sweep: the constructor has armed the alarm, unless the object was up already.
   */
  async wake(): Promise<void> {
    this.#upkeep.arm();
    this.#archive.arm();
  }

  async gauges(): Promise<FamilyValues[]> {
    const { databaseId, version } = this.#core;
    if (databaseId === null) return [];
    const jobs = this.#upkeep.jobs.list(null, LIMITS.jobsInGaugesMax);
    return catalogGauges(databaseId, version, this.#core.listTables(), jobs, systemClock.nowMs());
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    await Promise.all([this.#upkeep.onAlarm(), this.#archive.onAlarm()]);
  }

  /** After a change: its event is delivered before the answer, if that does not take long. */
  async #told<T>(result: T): Promise<T> {
    if (!isRefusal(result)) {
      await Promise.race([this.#archive.deliver(), sleep(LIMITS.archiveWaitMs)]);
    }
    return result;
  }

  /** Work that may make something due. */
  #armed<T>(work: () => T): T | Refusal {
    const result = orRefusal(work);
    this.#upkeep.arm();
    return result;
  }

  /** The same for work that answers nothing. */
  #armedAfter(work: () => void): Refusal | null {
    const refusal = asRefusal(work);
    this.#upkeep.arm();
    return refusal;
  }

  #bufferOf(shard: number) {
    return this.env.DATABASE_BUFFER.getByName(`${this.#core.databaseId}-${shard}`);
  }

  #report(event: UpkeepEvent): void {
    const log = createLog("database-catalog", this.env.LOG_LEVEL);
    tellOfUpkeep(event, this.ctx.id.name ?? this.ctx.id.toString(), log);
    this.#reportSoon();
  }

  #reportSoon(): void {
    reportSoon("front-door", this.env, goOnInObject);
  }
}
