// Deletes in Arc's shapes: a condition, and a job that removes the rows that meet it
// (lib/upkeep/delete.ts).
//
// What is wrong with the condition is told before there is a job. What was acknowledged before is
// flushed first, so that it is in the files that the job looks through.

import { type ErrorCode, ERRORS, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { checkDatabaseName, DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { flagField, readJsonObject, textField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import type { Job } from "#lib/upkeep/types.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, databaseNamed, ended, globalJobId } from "./catalogs.ts";
import { flush } from "./flush.ts";

const BODY_BYTES_MAX = 100_000;

/** POST /api/v1/delete {"database", "measurement", "where", "dry_run", "confirm"} */
export async function deleteRows(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, principal } = arrival;
  const startedMs = Date.now();
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const name = textField(body, "database", arrival.database ?? DEFAULT_DATABASE);
  demand(principal, "delete", checkDatabaseName(name));
  const measurement = textField(body, "measurement");
  const where = whereOf(textField(body, "where", ""));
  const isDryRun = flagField(body, "dry_run", false);
  const isConfirmed = flagField(body, "confirm", false);
  const database = await databaseNamed(name, env);
  await flush(database, env);
  const catalog = catalogOf(database, env);
  const schema = await unwrap(catalog.findSchema(measurement));
  if (schema === null) return answer(null, isDryRun, database, startedMs);
  const condition = { schema, where, nowMs: startedMs };
  const { where: predicate } = await unwrap(env.QUERY.examineCondition(condition));
  const { tableId } = schema;
  const asked = { tableId, where, nowMs: startedMs, predicate, isDryRun, isConfirmed };
  const job = await unwrap(catalog.createDelete({ kind: "delete", ...asked }));
  arrival.log.info("delete begun", {
    request_id: arrival.requestId,
    database: name,
    measurement,
    job_id: globalJobId(database, job.jobId),
    dry_run: isDryRun,
  });
  return answer(await ended(job, database, env), isDryRun, database, startedMs);
}

/** GET /api/v1/delete/config */
export async function deleteConfig(): Promise<Response> {
  return json({
    enabled: true,
    confirmation_threshold: LIMITS.deleteUnconfirmedRowsMax,
    max_rows_per_delete: Number.MAX_SAFE_INTEGER,
    implementation: "rewrite-based",
    performance_impact: {
      writes: "zero overhead",
      queries: "zero overhead",
      deletes: "expensive (file rewrites)",
    },
  });
}

function whereOf(text: string): string {
  if (text.trim() === "") {
    const message = "WHERE clause is required. To delete all rows, use 'true' with confirm=true";
    throw new SluiceError("parameter_invalid", message, { field: "where" });
  }
  const limit = LIMITS.deleteWhereCharsMax;
  if (text.length > limit) throw wrongParameter("where", `a text of up to ${limit} characters`);
  return text;
}

/** null: there is no such measurement, so no such rows. Throws what the job failed of. */
function answer(
  job: Job | null,
  isDryRun: boolean,
  database: Database,
  startedMs: number,
): Response {
  const jobId = job === null ? null : globalJobId(database, job.jobId);
  refuseFailed(job, jobId);
  const result = job?.result ?? {};
  const isOver = job === null || job.state === "done";
  const body = {
    success: true,
    deleted_count: result["rows"] ?? 0,
    affected_files: result["files_affected"] ?? 0,
    rewritten_files: result["files_written"] ?? 0,
    execution_time_ms: Date.now() - startedMs,
    dry_run: isDryRun,
    // Names of objects mean nothing outside.
    files_processed: [],
    status: isOver ? "completed" : job.state,
    job_id: jobId,
  };
  return json(body, isOver ? 200 : 202);
}

function refuseFailed(job: Job | null, jobId: number | null): void {
  const detail = { job_id: jobId };
  if (job?.state === "failed") {
    const { errorCode } = job;
    const isOurs = errorCode !== null && errorCode in ERRORS;
    const code = isOurs ? (errorCode as ErrorCode) : "bug";
    throw new SluiceError(code, job.errorMessage ?? "the delete failed", detail);
  }
  if (job?.state === "cancelled") {
    throw new SluiceError("job_cancelled", `job ${jobId} was cancelled`, detail);
  }
  if (job?.state !== "gave_way") return;
  const message = "the measurement was dropped or rewritten all the while; nothing was deleted";
  throw new SluiceError("files_changed", message, detail);
}
