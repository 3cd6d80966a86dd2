// Continuous queries as Arc's clients manage them; here they are rollups (lib/upkeep/rollups.ts).

import { type ErrorCode, ERRORS, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { checkDatabaseName, DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { goDurationMs } from "#lib/http/durations.ts";
import { flagField, type JsonObject, readJsonObject } from "#lib/http/json-body.ts";
import { readOptionalJsonObject, textField, textListField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { measurementNameFault } from "#lib/protocol/walk-batch.ts";
import { describeRollup, rollupBody, rollupRunStatus } from "#lib/upkeep/artifacts.ts";
import { checkRollupQuery, fillRollupQuery, timeText } from "#lib/upkeep/rollup-query.ts";
import { slotMsOf, type TimeRange, widen } from "#lib/upkeep/rollup-slots.ts";
import type { Rollup, RollupFields } from "#lib/upkeep/rollup-types.ts";
import type { Job } from "#lib/upkeep/types.ts";
import { askRowCount } from "#platform/ask-query.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, databaseNamed, databasesAsked, globalId, named } from "./catalogs.ts";
import { ended, globalJobId, limitOf } from "./catalogs.ts";
import { flush } from "./flush.ts";

const BODY_BYTES_MAX = 6 * LIMITS.sqlBytesMax + 10_000;
const NAME_CHARS_MAX = 128;
const DESCRIPTION_CHARS_MAX = 1_000;
const EXECUTIONS_DEFAULT = 50;

/** GET /api/v1/continuous_queries?database= */
export async function list(arrival: AdmittedArrival): Promise<Response> {
  const { env } = arrival;
  const databases = await databasesAsked(arrival, "read");
  const lists = await Promise.all(
    databases.map(async (database) => {
      const rollups = await unwrap(catalogOf(database, env).listRollups());
      return Promise.all(rollups.map((rollup) => describe(rollup, database, env)));
    }),
  );
  return json(lists.flat());
}

/** POST /api/v1/continuous_queries */
export async function create({ request, env, principal }: AdmittedArrival): Promise<Response> {
  const fields = fieldsOf(await readJsonObject(request, BODY_BYTES_MAX));
  demand(principal, "admin", fields.database);
  const database = await databaseNamed(fields.database, env);
  const rollup = await unwrap(catalogOf(database, env).createRollup(database, fields));
  return json(await describe(rollup, database, env), 201);
}

/** GET /api/v1/continuous_queries/:id */
export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "read", "rollup_unknown");
  const rollup = await unwrap(catalogOf(database, arrival.env).findRollup(id));
  return json(await describe(rollup, database, arrival.env));
}

/** PUT /api/v1/continuous_queries/:id: what the body does not name stays as it is. */
export async function update(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "rollup_unknown");
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  const catalog = catalogOf(database, arrival.env);
  const fields = fieldsOf({ ...rollupBody(await unwrap(catalog.findRollup(id))), ...body });
  if (fields.database !== database.name) throw wrongParameter("database", "the one that it is of");
  const rollup = await unwrap(catalog.updateRollup(database, id, fields));
  return json(await describe(rollup, database, arrival.env));
}

/** DELETE /api/v1/continuous_queries/:id */
export async function remove(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "rollup_unknown");
  await unwrap(catalogOf(database, arrival.env).removeRollup(database, id));
  return json({ success: true, message: "Continuous query deleted" });
}

/** POST /api/v1/continuous_queries/:id/execute {"start_time","end_time","dry_run"} */
export async function execute(arrival: AdmittedArrival): Promise<Response> {
  const { env, request } = arrival;
  const { database, id } = await named(arrival, "admin", "rollup_unknown");
  const body = await readOptionalJsonObject(request, BODY_BYTES_MAX);
  const catalog = catalogOf(database, env);
  const rollup = await unwrap(catalog.findRollup(id));
  const startedMs = Date.now();
  const range = rangeOf(body, rollup, startedMs);
  if (flagField(body, "dry_run", false)) {
    return preview(arrival, database, rollup, range, startedMs);
  }
  // Rows that wait in buffers have not changed anything yet.
  await flush(database, env);
  const span = range === null ? null : { timeMinMs: range.fromMs, timeMaxMs: range.toMs - 1 };
  const created = await unwrap(catalog.computeRollup(id, span));
  const job = await ended(created, database, env);
  if (job.state === "failed" || job.state === "cancelled") {
    throw new SluiceError(endCode(job), job.errorMessage ?? `the execution was ${job.state}`);
  }
  const { rows_read = 0, rows_written = 0 } = job.result ?? job.progress;
  const executed = executionOf(rollup, database, range, startedMs, {
    execution_id: globalJobId(database, job.jobId),
    status: rollupRunStatus(job),
    records_read: rows_read,
    records_written: rows_written,
    dry_run: false,
  });
  return json(executed, job.state === "done" ? 200 : 202);
}

/** GET /api/v1/continuous_queries/:id/executions?limit= */
export async function executions(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "read", "rollup_unknown");
  const limit = limitOf(arrival, EXECUTIONS_DEFAULT);
  const runs = await unwrap(catalogOf(database, arrival.env).rollupRuns(id, limit));
  const queryId = globalId(database, id);
  return json({
    query_id: queryId,
    executions: runs.map((job) => describeRun(job, queryId, database)),
  });
}

/** What an execution would do: nothing is written. */
async function preview(
  { env, requestId }: AdmittedArrival,
  database: Database,
  rollup: Rollup,
  asked: TimeRange | null,
  nowMs: number,
): Promise<Response> {
  const { intervalMs, query, source } = rollup;
  const last = { timeMinMs: nowMs - intervalMs, timeMaxMs: nowMs };
  const range = asked ?? widen(last, slotMsOf(intervalMs));
  const sql = fillRollupQuery(query, range);
  const [from, to] = [timeText(range.fromMs), timeText(range.toMs)];
  const rows = `SELECT time FROM "${source}" WHERE time >= '${from}' AND time < '${to}'`;
  const ask = { database: database.name, requestId };
  const rowsWritten = await askRowCount({ ...ask, sql }, env.QUERY);
  const rowsRead = await askRowCount({ ...ask, sql: rows }, env.QUERY);
  const executed = executionOf(rollup, database, range, nowMs, {
    execution_id: null,
    status: "completed",
    records_read: rowsRead,
    records_written: rowsWritten,
    dry_run: true,
  });
  return json({ ...executed, executed_query: sql });
}

function executionOf(
  { rollupId, name, destination }: Rollup,
  database: Database,
  range: TimeRange | null,
  startedMs: number,
  outcome: Readonly<Record<string, unknown>>,
) {
  return {
    query_id: globalId(database, rollupId),
    query_name: name,
    ...outcome,
    start_time: range === null ? null : timeText(range.fromMs),
    end_time: range === null ? null : timeText(range.toMs),
    execution_time_seconds: (Date.now() - startedMs) / 1_000,
    destination_measurement: destination,
    executed_at: new Date(startedMs).toISOString(),
  };
}

function endCode({ state, errorCode }: Job): ErrorCode {
  if (state === "cancelled") return "job_cancelled";
  return errorCode !== null && errorCode in ERRORS ? (errorCode as ErrorCode) : "bug";
}

/** Widened to whole slots; null: the body names no times. */
function rangeOf(body: JsonObject, { intervalMs }: Rollup, nowMs: number): TimeRange | null {
  const [start, end] = [timeField(body, "start_time"), timeField(body, "end_time")];
  if (start === null && end === null) return null;
  if (start === null) throw wrongParameter("start_time", "given where end_time is");
  const timeMaxMs = (end ?? nowMs) - 1;
  if (timeMaxMs < start) throw wrongParameter("end_time", "later than start_time");
  return widen({ timeMinMs: start, timeMaxMs }, slotMsOf(intervalMs));
}

function timeField(body: JsonObject, field: string): number | null {
  const value = body[field] ?? null;
  if (value === null || value === "") return null;
  const ms = typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw wrongParameter(field, "a time like 2026-01-31T00:00:00Z");
  return ms;
}

function fieldsOf(body: JsonObject): RollupFields {
  const name = textField(body, "name").trim();
  if (name === "" || name.length > NAME_CHARS_MAX) {
    throw wrongParameter("name", `a text of 1 to ${NAME_CHARS_MAX} characters`);
  }
  const query = textField(body, "query");
  checkRollupQuery(query);
  if (Buffer.byteLength(query) > LIMITS.sqlBytesMax) {
    throw wrongParameter("query", `of ${LIMITS.sqlBytesMax} bytes at most`);
  }
  const interval = textField(body, "interval");
  return {
    name,
    description: descriptionField(body),
    database: checkDatabaseName(textField(body, "database", DEFAULT_DATABASE)),
    source: measurementField(body, "source_measurement"),
    destination: measurementField(body, "destination_measurement"),
    query,
    interval,
    intervalMs: goDurationMs("interval", interval, LIMITS.rollupIntervalMsMax),
    tagColumns: textListField(body, "tag_columns", []),
    retentionDays: daysField(body, "retention_days"),
    deleteSourceAfterDays: daysField(body, "delete_source_after_days"),
    isActive: flagField(body, "is_active", true),
  };
}

function descriptionField(body: JsonObject): string {
  const text = textField(body, "description", "");
  if (text.length <= DESCRIPTION_CHARS_MAX) return text;
  throw wrongParameter("description", `a text of up to ${DESCRIPTION_CHARS_MAX} characters`);
}

function measurementField(body: JsonObject, field: string): string {
  const name = textField(body, field);
  const fault = measurementNameFault(name);
  if (fault !== null) throw new SluiceError("name_invalid", fault, { field });
  return name;
}

function daysField(body: JsonObject, field: string): number | null {
  const days = body[field] ?? null;
  if (days === null || (Number.isInteger(days) && (days as number) > 0))
    return days as number | null;
  throw wrongParameter(field, "a whole number of days above zero");
}

async function describe(rollup: Rollup, database: Database, env: IngestEnv) {
  const [last] = await unwrap(catalogOf(database, env).rollupRuns(rollup.rollupId, 1));
  return describeRollup(rollup, last, database);
}

function describeRun(job: Job, queryId: number, database: Database) {
  const { spec, startedMs, finishedMs, progress, result } = job;
  const range = spec.kind === "rollup" ? spec.range : null;
  const numbers = result ?? progress;
  return {
    execution_id: globalJobId(database, job.jobId),
    query_id: queryId,
    execution_time: new Date(startedMs ?? job.createdMs).toISOString(),
    status: rollupRunStatus(job),
    start_time: range === null ? null : timeText(range.fromMs),
    end_time: range === null ? null : timeText(range.toMs),
    records_read: numbers["rows_read"] ?? 0,
    records_written: numbers["rows_written"] ?? 0,
    windows: numbers["slots"] ?? 0,
    windows_skipped: numbers["slots_skipped"] ?? 0,
    attempts: job.attempt,
    execution_duration_seconds:
      startedMs === null || finishedMs === null ? null : (finishedMs - startedMs) / 1_000,
    error_message: job.errorMessage,
  };
}
