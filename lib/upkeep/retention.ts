// How long rows are kept: policies of one database, and what a run of one does.
//
// Files of which all rows are too old leave the catalog in one transaction, at once and without
// being read; whoever reads an older version has them until the grace period ends. A file that
// also has younger rows is kept, or it is rewritten by a job, as the policy says.
//
// Rollups keep what they made of rows that retention drops: no change is told to them. What they
// must know is from when on a table is complete (`retainedFromMs`), so that they do not compute
// windows again of which rows are gone.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { CatalogCore } from "#lib/catalog/catalog.ts";
import type { LiveFile, TableSummary } from "#lib/catalog/types.ts";
import type { Jobs } from "./jobs.ts";
import { openRetentionTables, type Policy, type PolicyFields } from "./retention-tables.ts";
import type { PolicyRun, RetentionTables } from "./retention-tables.ts";
import type { Schedule } from "./schedule.ts";
import type { RetentionSpec } from "./types.ts";

export interface RetentionPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly catalog: Pick<CatalogCore, "listTables" | "filesBefore" | "replaceFiles">;
  readonly jobs: Pick<Jobs, "create" | "claimedFileIds">;
  readonly schedule: Pick<Schedule, "set" | "setBy" | "forget">;
}

/** `preview`: changes nothing. `timer`: rewrites a file once a day at most. */
export type RunMode = "preview" | "asked" | "timer";

export interface RunReport {
  readonly policy: Policy;
  readonly cutoffMs: number;
  readonly durationMs: number;
  readonly rowCount: number;
  readonly fileCount: number;
  readonly measurements: readonly string[];
  /** Files that share older and younger rows, and that are rewritten or would be. */
  readonly rewriteCount: number;
  /** Of the rewrites that have begun. */
  readonly jobIds: readonly number[];
}

const DAY_MS = 86_400_000;

export class Retention {
  readonly #ports: RetentionPorts;
  readonly #tables: RetentionTables;

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
    this.#tables = openRetentionTables(ports.store);
  }

  list(): Policy[] {
    return this.#tables.policies();
  }

  /** Throws `policy_unknown`. */
  find(policyId: number): Policy {
    const policy = this.#tables.policy(policyId);
    if (policy !== null) return policy;
    const message = `Retention policy ${policyId} not found`;
    throw new SluiceError("policy_unknown", message, { id: policyId });
  }

  /** Throws `policy_exists`, `parameter_invalid`. */
  create(fields: PolicyFields): Policy {
    this.#check(fields, null);
    if (this.#tables.policyCount() >= LIMITS.retentionPoliciesMax) {
      const limit = LIMITS.retentionPoliciesMax;
      const message = `a database has ${limit} retention policies at most`;
      throw new SluiceError("parameter_invalid", message, { limit });
    }
    const policyId = this.#tables.insertPolicy(fields, this.#ports.clock.nowMs());
    this.#plan(policyId, fields);
    return this.find(policyId);
  }

  /** What `change` does not name stays. Throws `policy_unknown` and as `create`. */
  update(policyId: number, change: Partial<PolicyFields>): Policy {
    const fields = { ...this.find(policyId), ...change };
    this.#check(fields, policyId);
    this.#tables.updatePolicy(policyId, fields, this.#ports.clock.nowMs());
    this.#plan(policyId, fields);
    return this.find(policyId);
  }

  /** Throws `policy_unknown`. */
  remove(policyId: number): void {
    this.find(policyId);
    this.#tables.deletePolicy(policyId);
    this.#ports.schedule.forget(taskOf(policyId));
  }

  /** Newest first. Throws `policy_unknown`. */
  runs(policyId: number, countMax: number): PolicyRun[] {
    this.find(policyId);
    return this.#tables.runs(policyId, countMax);
  }

  /** Throws `policy_unknown`, `policy_inactive`. */
  run(policyId: number, mode: RunMode): RunReport {
    const policy = this.find(policyId);
    if (!policy.isActive) {
      const message = "Retention policy is not active";
      throw new SluiceError("policy_inactive", message, { id: policyId });
    }
    const startedMs = this.#ports.clock.nowMs();
    const cutoffMs = startedMs - (policy.retentionDays + policy.bufferDays) * DAY_MS;
    if (mode === "preview") return this.#carryOut(policy, cutoffMs, startedMs, mode);
    try {
      return this.#ports.store.transact(() => {
        const report = this.#carryOut(policy, cutoffMs, startedMs, mode);
        this.#remember(report, startedMs, null);
        return report;
      });
    } catch (error) {
      const nothing = { policy, cutoffMs, durationMs: 0, rowCount: 0, fileCount: 0 };
      this.#remember(nothing, startedMs, isSluiceError(error) ? error.message : String(error));
      throw error;
    }
  }

  /** Rows of earlier times may be missing. null: none was dropped yet. */
  retainedFromMs(tableId: number): number | null {
    return this.#tables.retainedFromMs(tableId);
  }

  /** Inside the transaction that puts the rewritten files in their places. */
  noteRewritten({ tableId, keepFromMs }: RetentionSpec): void {
    this.#tables.raiseRetainedFrom(tableId, keepFromMs);
  }

  #carryOut(policy: Policy, cutoffMs: number, startedMs: number, mode: RunMode): RunReport {
    const tables = this.#tablesOf(policy);
    // Retention is counted in days; at the timer's pace each file would be rewritten hourly.
    const keepFromMs = mode === "timer" ? Math.floor(cutoffMs / DAY_MS) * DAY_MS : cutoffMs;
    const old = tables.map((table) => ({
      ...table,
      files: this.#ports.catalog.filesBefore(table.tableId, cutoffMs),
    }));
    const isExpired = ({ timeMaxMs }: LiveFile) => timeMaxMs < cutoffMs;
    const expired = old.flatMap(({ files }) => files.filter(isExpired));
    const straddling =
      policy.straddling === "keep"
        ? []
        : this.#straddling(old, keepFromMs).filter((file) => !isExpired(file));
    if (mode !== "preview") this.#drop(expired);
    const jobIds =
      mode === "preview"
        ? []
        : straddling
            .slice(0, LIMITS.retentionRewritesPerRunMax)
            .map((file) => this.#rewrite(file, policy.policyId, keepFromMs));
    return {
      policy,
      cutoffMs,
      durationMs: this.#ports.clock.nowMs() - startedMs,
      rowCount: expired.reduce((sum, { rowCount }) => sum + rowCount, 0),
      fileCount: expired.length,
      measurements: old
        .filter(({ files }) => files.some((file) => isExpired(file) || straddling.includes(file)))
        .map(({ measurement }) => measurement),
      rewriteCount: straddling.length,
      jobIds,
    };
  }

  #tablesOf({ measurement }: Policy): TableSummary[] {
    const all = this.#ports.catalog.listTables();
    return measurement === null ? all : all.filter((table) => table.measurement === measurement);
  }

  #straddling(tables: readonly { files: LiveFile[] }[], keepFromMs: number): LiveFile[] {
    const claimed = this.#ports.jobs.claimedFileIds();
    return tables.flatMap(({ files }) =>
      files.filter(
        ({ fileId, timeMinMs, timeMaxMs }) =>
          timeMinMs < keepFromMs && timeMaxMs >= keepFromMs && !claimed.has(fileId),
      ),
    );
  }

  #drop(files: readonly LiveFile[]): void {
    if (files.length === 0) return;
    const removes = files.map(({ fileId }) => fileId);
    this.#ports.catalog.replaceFiles({ removes, adds: [], changed: [] });
    for (const { tableId, timeMaxMs } of files) {
      this.#tables.raiseRetainedFrom(tableId, timeMaxMs + 1);
    }
    const graceMs = LIMITS.replacedGraceMs + 1_000;
    this.#ports.schedule.setBy("garbage", this.#ports.clock.nowMs() + graceMs);
  }

  #rewrite({ tableId, fileId }: LiveFile, policyId: number, keepFromMs: number): number {
    const spec = { kind: "retention", tableId, policyId, keepFromMs } as const;
    return this.#ports.jobs.create(spec, [fileId]).jobId;
  }

  #remember(
    report: Omit<RunReport, "measurements" | "rewriteCount" | "jobIds">,
    startedMs: number,
    error: string | null,
  ): void {
    const { policy, durationMs, cutoffMs, rowCount, fileCount } = report;
    const { policyId } = policy;
    const run = { policyId, startedMs, durationMs, cutoffMs, rowCount, fileCount, error };
    this.#tables.insertRun(run, LIMITS.retentionRunsKept);
  }

  /** What no single field tells; a mistake in the days must not drop everything. */
  #check({ name, retentionDays, bufferDays }: PolicyFields, ownId: number | null): void {
    if (retentionDays <= bufferDays) {
      const message = "retention_days must be greater than buffer_days";
      throw new SluiceError("parameter_invalid", message, { field: "retention_days" });
    }
    const other = this.#tables.policyIdOf(name);
    if (other === null || other === ownId) return;
    const message = `Retention policy with name '${name}' already exists`;
    throw new SluiceError("policy_exists", message, { field: "name", name });
  }

  /** The first run comes soon, so that a policy that does the wrong thing shows it soon. */
  #plan(policyId: number, { isActive }: PolicyFields): void {
    const { clock, schedule } = this.#ports;
    if (isActive) schedule.setBy(taskOf(policyId), clock.nowMs() + LIMITS.retentionFirstRunMs);
    else schedule.set(taskOf(policyId), null);
  }
}

const TASK = /^retention:(\d+)$/;

function taskOf(policyId: number): string {
  return `retention:${policyId}`;
}

/** The policy that a task of the schedule is for; null: it is another kind of task. */
export function policyOfTask(name: string): number | null {
  const match = TASK.exec(name);
  return match === null ? null : Number(match[1]);
}
