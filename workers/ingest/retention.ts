// Retention policies in Arc's shapes; what they do: lib/upkeep/retention.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { checkDatabaseName } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import { flagField, type JsonObject, readJsonObject, textField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { measurementNameFault } from "#lib/protocol/walk-batch.ts";
import { describePolicy, policyRunStatus } from "#lib/upkeep/artifacts.ts";
import type { PolicyFields, PolicyRun } from "#lib/upkeep/retention-tables.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, databaseNamed, databasesAsked, globalId, isoTime, named } from "./catalogs.ts";
import { globalJobId, limitOf } from "./catalogs.ts";

const BODY_BYTES_MAX = 10_000;
const NAME_CHARS_MAX = 128;
const RUNS_DEFAULT = 50;

/** GET /api/v1/retention?database= */
export async function list(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const lists = await Promise.all(
    databases.map(async (database) => {
      const policies = await unwrap(catalogOf(database, arrival.env).listPolicies());
      return policies.map((policy) => describePolicy(policy, database));
    }),
  );
  return json(lists.flat());
}

/** POST /api/v1/retention */
export async function create({ request, env, principal }: AdmittedArrival): Promise<Response> {
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const name = checkDatabaseName(textField(body, "database"));
  demand(principal, "admin", name);
  const database = await databaseNamed(name, env);
  const fields = {
    name: nameField(body),
    measurement: measurementField(body),
    retentionDays: daysField(body, "retention_days", 1),
    bufferDays: daysField(body, "buffer_days", 0, 0),
    straddling: straddlingField(body),
    isActive: flagField(body, "is_active", true),
  };
  const policy = await unwrap(catalogOf(database, env).createPolicy(database, fields));
  return json(describePolicy(policy, database), 201);
}

/** GET /api/v1/retention/:id */
export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "read", "policy_unknown");
  const policy = await unwrap(catalogOf(database, arrival.env).findPolicy(id));
  return json(describePolicy(policy, database));
}

/** PUT /api/v1/retention/:id: what the body does not name stays as it is. */
export async function update(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "policy_unknown");
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  if (textField(body, "database", database.name) !== database.name) {
    throw wrongParameter("database", "the one that the policy is of");
  }
  const catalog = catalogOf(database, arrival.env);
  const policy = await unwrap(catalog.updatePolicy(database, id, changeOf(body)));
  return json(describePolicy(policy, database));
}

/** DELETE /api/v1/retention/:id */
export async function remove(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "policy_unknown");
  await unwrap(catalogOf(database, arrival.env).removePolicy(database, id));
  return json({ success: true, message: "Retention policy deleted successfully" });
}

/** POST /api/v1/retention/:id/execute {"dry_run", "confirm"} */
export async function execute(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "policy_unknown");
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  const isDryRun = flagField(body, "dry_run", false);
  if (!isDryRun && !flagField(body, "confirm", false)) {
    const message = "Confirmation required for retention policy execution. Set confirm=true";
    throw new SluiceError("confirmation_required", message, { field: "confirm" });
  }
  const catalog = catalogOf(database, arrival.env);
  const report = await unwrap(catalog.runPolicy(id, isDryRun ? "preview" : "asked"));
  return json({
    policy_id: globalId(database, id),
    policy_name: report.policy.name,
    deleted_count: report.rowCount,
    files_deleted: report.fileCount,
    execution_time_ms: report.durationMs,
    dry_run: isDryRun,
    cutoff_date: isoTime(report.cutoffMs),
    affected_measurements: report.measurements,
    files_to_rewrite: report.rewriteCount,
    job_ids: report.jobIds.map((jobId) => globalJobId(database, jobId)),
  });
}

/** GET /api/v1/retention/:id/executions?limit= */
export async function executions(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "read", "policy_unknown");
  const limit = limitOf(arrival, RUNS_DEFAULT);
  const runs = await unwrap(catalogOf(database, arrival.env).policyRuns(id, limit));
  const policyId = globalId(database, id);
  return json({ policy_id: policyId, executions: runs.map((run) => describeRun(run, policyId)) });
}

function describeRun(run: PolicyRun, policyId: number) {
  return {
    id: run.runId,
    policy_id: policyId,
    execution_time: isoTime(run.startedMs),
    status: policyRunStatus(run),
    deleted_count: run.rowCount,
    files_deleted: run.fileCount,
    cutoff_date: isoTime(run.cutoffMs),
    execution_duration_ms: run.durationMs,
    error_message: run.error,
  };
}

function changeOf(body: JsonObject): Partial<PolicyFields> {
  const has = (field: string) => body[field] !== undefined;
  return {
    ...(has("name") ? { name: nameField(body) } : {}),
    ...(has("measurement") ? { measurement: measurementField(body) } : {}),
    ...(has("retention_days") ? { retentionDays: daysField(body, "retention_days", 1) } : {}),
    ...(has("buffer_days") ? { bufferDays: daysField(body, "buffer_days", 0) } : {}),
    ...(has("straddling") ? { straddling: straddlingField(body) } : {}),
    ...(has("is_active") ? { isActive: flagField(body, "is_active", true) } : {}),
  };
}

function nameField(body: JsonObject): string {
  const name = textField(body, "name").trim();
  if (name !== "" && name.length <= NAME_CHARS_MAX) return name;
  throw wrongParameter("name", `a text of 1 to ${NAME_CHARS_MAX} characters`);
}

/** null, or empty: all of the database. */
function measurementField(body: JsonObject): string | null {
  const name = textField(body, "measurement", "");
  if (name === "") return null;
  const fault = measurementNameFault(name);
  if (fault !== null) throw new SluiceError("name_invalid", fault, { field: "measurement" });
  return name;
}

function daysField(body: JsonObject, field: string, min: number, fallback?: number): number {
  const days = body[field] ?? fallback;
  const max = LIMITS.retentionDaysMax;
  if (Number.isInteger(days) && (days as number) >= min && (days as number) <= max) {
    return days as number;
  }
  throw wrongParameter(field, `a whole number from ${min} to ${max}`);
}

function straddlingField(body: JsonObject): PolicyFields["straddling"] {
  const value = body["straddling"] ?? "keep";
  if (value === "keep" || value === "rewrite") return value;
  throw wrongParameter("straddling", "keep or rewrite");
}
