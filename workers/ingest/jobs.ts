// Jobs of every kind, as all that shows them tells of them; one job, and its end by request.

import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { isActive } from "#lib/upkeep/jobs.ts";
import type { Job } from "#lib/upkeep/types.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, globalJobId, isoTime, named } from "./catalogs.ts";

/** GET /api/v1/compaction/jobs/:id */
export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "read", "job_unknown");
  const job = await unwrap(catalogOf(database, arrival.env).findJob(id));
  return json(describeJob(job, database));
}

/** DELETE /api/v1/compaction/jobs/:id: what it has not committed will not be. */
export async function cancel(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "job_unknown");
  const job = await unwrap(catalogOf(database, arrival.env).cancelJob(id));
  return json(describeJob(job, database));
}

export function describeJob(job: Job, database: Database) {
  const { spec, startedMs, finishedMs } = job;
  const endMs = finishedMs ?? (isActive(job) ? Date.now() : null);
  return {
    id: globalJobId(database, job.jobId),
    kind: spec.kind,
    database: database.name,
    table_id: spec.tableId,
    ...(spec.kind === "compaction" ? { day: spec.day } : {}),
    ...(spec.kind === "delete" ? { where: spec.where, dry_run: spec.isDryRun } : {}),
    state: job.state,
    attempt: job.attempt,
    failures: job.failureCount,
    progress: job.progress,
    result: job.result,
    error: job.errorMessage,
    error_code: job.errorCode,
    created_at: isoTime(job.createdMs),
    started_at: isoTime(startedMs),
    finished_at: isoTime(finishedMs),
    duration_ms: startedMs === null || endMs === null ? null : endMs - startedMs,
  };
}
