// Things of one database that have an id of their own in the API: policies, rollups, jobs.
//
// Such an id says which database it is of (lib/base/global-ids.ts); that of a job with room for a
// billion in a database, since clocks make jobs, every few seconds, for years.

import { SluiceError } from "#lib/base/errors.ts";
import { globalIdOf, splitGlobalId } from "#lib/base/global-ids.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { checkDatabaseName, unknownDatabase } from "#lib/directory/names.ts";
import { demand, matchesAny, mayDo } from "#lib/directory/permissions.ts";
import type { Database, Permission } from "#lib/directory/types.ts";
import { isActive } from "#lib/upkeep/jobs.ts";
import type { Job } from "#lib/upkeep/types.ts";
import { sleep } from "#platform/clock.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

const JOB_IDS_PER_DATABASE = 1_000_000_000;
const FIRST_LOOK_MS = 50;
const LOOK_MS_MAX = 1_000;

export function globalId({ databaseId }: Database, id: number): number {
  return globalIdOf(databaseId, id);
}

export function globalJobId({ databaseId }: Database, jobId: number): number {
  return databaseId * JOB_IDS_PER_DATABASE + jobId;
}

/**
 * The database of the path's id, and the id in it; throws `unknown` where there is no such
 * database, and where there is one that the caller's token is not for: the refusal would tell its
 * name.
 */
export async function named(
  { env, params, principal }: AdmittedArrival,
  permission: Permission,
  unknown:
    | "policy_unknown"
    | "rollup_unknown"
    | "job_unknown"
    | "trigger_unknown"
    | "alert_unknown",
): Promise<{ database: Database; id: number }> {
  const text = params["id"]!;
  const asked = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  const { databaseId, id } = unknown === "job_unknown" ? splitJobId(asked) : splitGlobalId(asked);
  const database = (await listDatabases(env)).find((one) => one.databaseId === databaseId);
  const isInSight = database !== undefined && matchesAny(principal.databases, database.name);
  if (!isInSight) throw new SluiceError(unknown, `there is no ${text}`, { id: text });
  demand(principal, permission, database.name);
  return { database, id };
}

function splitJobId(jobId: number): { databaseId: number; id: number } {
  const databaseId = Math.floor(jobId / JOB_IDS_PER_DATABASE);
  return { databaseId, id: jobId % JOB_IDS_PER_DATABASE };
}

/** Those of `?database=`, or all, for which the caller has the permission. */
export async function databasesAsked(
  { env, request, principal }: AdmittedArrival,
  permission: Permission,
): Promise<Database[]> {
  const name = new URL(request.url).searchParams.get("database") || null;
  if (name === null) {
    return (await listDatabases(env)).filter((one) => mayDo(principal, permission, one.name));
  }
  demand(principal, permission, checkDatabaseName(name));
  return [await databaseNamed(name, env)];
}

/** Throws `database_unknown`. */
export async function databaseNamed(name: string, env: IngestEnv): Promise<Database> {
  const found = await findDatabase(name, env.DIRECTORY);
  if (found === null) throw unknownDatabase(name);
  return found;
}

export function catalogOf({ databaseId }: Database, env: IngestEnv) {
  return env.DATABASE_CATALOG.getByName(`${databaseId}`);
}

/** A job as it is when it has ended, or after a while: then it goes on by itself. */
export async function ended(job: Job, database: Database, env: IngestEnv): Promise<Job> {
  const catalog = catalogOf(database, env);
  const untilMs = Date.now() + LIMITS.jobWaitMs;
  let found = job;
  let waitMs = FIRST_LOOK_MS;
  while (isActive(found) && Date.now() < untilMs) {
    await sleep(waitMs);
    waitMs = Math.min(2 * waitMs, LOOK_MS_MAX);
    found = await unwrap(catalog.findJob(job.jobId));
  }
  return found;
}

/** How many of a list the request wants. */
export function limitOf({ request }: AdmittedArrival, fallback: number): number {
  const text = new URL(request.url).searchParams.get("limit") || String(fallback);
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw wrongParameter("limit", "a whole number above zero");
}

export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function listDatabases(env: IngestEnv): Promise<Database[]> {
  return unwrap(env.DIRECTORY.getByName("directory").listDatabases());
}
