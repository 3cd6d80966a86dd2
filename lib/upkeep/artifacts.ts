// Retention policies and rollups as the API shows them and the archive keeps them.

import { type Change, nameOrId } from "#lib/archive/change.ts";
import { globalIdOf } from "#lib/base/global-ids.ts";
import type { Policy, PolicyRun } from "./retention-tables.ts";
import type { Rollup } from "./rollup-types.ts";
import type { Job } from "./types.ts";

/** The database that it is of. */
export interface Home {
  readonly databaseId: number;
  readonly name: string;
}

export function describePolicy(policy: Policy, { databaseId, name }: Home) {
  const { lastRun } = policy;
  return {
    id: globalIdOf(databaseId, policy.policyId),
    name: policy.name,
    database: name,
    measurement: policy.measurement,
    retention_days: policy.retentionDays,
    buffer_days: policy.bufferDays,
    straddling: policy.straddling,
    is_active: policy.isActive,
    last_execution_time: isoTime(lastRun?.startedMs ?? null),
    last_execution_status: lastRun === null ? null : policyRunStatus(lastRun),
    last_deleted_count: lastRun?.rowCount ?? null,
    created_at: isoTime(policy.createdMs),
    updated_at: isoTime(policy.updatedMs),
  };
}

export function policyRunStatus({ error }: PolicyRun): string {
  return error === null ? "completed" : "failed";
}

/** `last`: its latest run; undefined: it has had none. */
export function describeRollup(rollup: Rollup, last: Job | undefined, { databaseId }: Home) {
  return {
    id: globalIdOf(databaseId, rollup.rollupId),
    ...rollupBody(rollup),
    last_execution_time: isoTime(last?.finishedMs ?? null),
    last_execution_status: last === undefined ? null : rollupRunStatus(last),
    last_records_written: last?.result?.["rows_written"] ?? null,
    last_error: last?.errorMessage ?? null,
    created_at: isoTime(rollup.createdMs),
    updated_at: isoTime(rollup.updatedMs),
  };
}

/** As a body that would make it. */
export function rollupBody(rollup: Rollup) {
  return {
    name: rollup.name,
    description: rollup.description,
    database: rollup.database,
    source_measurement: rollup.source,
    destination_measurement: rollup.destination,
    query: rollup.query,
    interval: rollup.interval,
    tag_columns: rollup.tagColumns,
    retention_days: rollup.retentionDays,
    delete_source_after_days: rollup.deleteSourceAfterDays,
    is_active: rollup.isActive,
  };
}

export function rollupRunStatus({ state }: Job): string {
  return state === "done" ? "completed" : state;
}

export function policyChange(action: Change["action"], policy: Policy, home: Home): Change {
  const name = nameOrId(policy.name, globalIdOf(home.databaseId, policy.policyId));
  const artifact = describePolicy(policy, home);
  return { group: "retention", name, action, database: home.name, artifact };
}

export function rollupChange(
  action: Change["action"],
  rollup: Rollup,
  last: Job | undefined,
  home: Home,
): Change {
  const name = nameOrId(rollup.name, globalIdOf(home.databaseId, rollup.rollupId));
  const artifact = describeRollup(rollup, last, home);
  return { group: "continuous_queries", name, action, database: home.name, artifact };
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
