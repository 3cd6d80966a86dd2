// Compaction as Arc's clients watch it: status, candidates, jobs, history, and a push.
//
// Arc compacts in cycles and in tiers, hourly and daily. Here there is a plan per database and day,
// and jobs: so there is one tier, `daily`, and the number of a cycle is that of the newest job.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { isActive } from "#lib/upkeep/jobs.ts";
import type { Job, JobKind } from "#lib/upkeep/types.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, databasesAsked, globalJobId, limitOf } from "./catalogs.ts";
import { describeJob } from "./jobs.ts";
import { tasksOf } from "./schedulers.ts";

const TIER = "daily";
const HISTORY_DEFAULT = 10;

/** GET /api/v1/compaction/status?database= */
export async function status(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const jobs = await jobsOf(databases, "compaction", arrival.env);
  const tasks = await tasksOf(databases, arrival.env);
  const { active_jobs, total_jobs_completed, total_jobs_failed } = totalsOf(jobs);
  const [next = null] = tasks
    .filter(({ name, next_run }) => name === "compaction" && next_run !== null)
    .map(({ next_run }) => next_run)
    .toSorted();
  return json({
    manager: {
      active_jobs,
      total_completed: total_jobs_completed,
      total_failed: total_jobs_failed,
    },
    schedulers: { [TIER]: { enabled: true, running: true, next_run: next } },
  });
}

/** GET /api/v1/compaction/stats?database=: of the jobs that are remembered. */
export async function stats(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const jobs = await jobsOf(databases, "compaction", arrival.env);
  const recent = jobs.slice(0, HISTORY_DEFAULT);
  return json({
    ...totalsOf(jobs),
    total_files_read: sumOf(jobs, "files_read"),
    total_files_written: sumOf(jobs, "files_written"),
    total_bytes_read: sumOf(jobs, "bytes_read"),
    total_bytes_written: sumOf(jobs, "bytes_written"),
    recent_jobs: recent.map(({ job, database }) => describeJob(job, database)),
  });
}

/** GET /api/v1/compaction/candidates?database= */
export async function candidates(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const lists = await Promise.all(
    databases.map(async (database) => {
      const found = await unwrap(catalogOf(database, arrival.env).listCandidates());
      return found.map(({ measurement, day, files }) => ({
        database: database.name,
        measurement,
        partition_path: `${database.name}/${measurement}/${day}`,
        file_count: files.length,
        total_bytes: files.reduce((sum, { byteLength }) => sum + byteLength, 0),
        tier: TIER,
      }));
    }),
  );
  const all = lists.flat();
  return json({ count: all.length, candidates: all });
}

/** GET /api/v1/compaction/jobs?database=: what runs or waits, of every kind. */
export async function jobs(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const active = (await jobsOf(databases, null, arrival.env)).filter(({ job }) => isActive(job));
  const list = active.map(({ job, database }) => describeJob(job, database));
  return json({ active_jobs: list.length, jobs: list });
}

/** GET /api/v1/compaction/history?database=&limit=: what has ended, of every kind. */
export async function history(arrival: AdmittedArrival): Promise<Response> {
  const limit = limitOf(arrival, HISTORY_DEFAULT);
  const databases = await databasesAsked(arrival, "read");
  const ended = (await jobsOf(databases, null, arrival.env)).filter(({ job }) => !isActive(job));
  const recent = ended.slice(0, limit).map(({ job, database }) => describeJob(job, database));
  return json({ total_jobs: ended.length, recent_jobs: recent });
}

/** POST /api/v1/compaction/trigger?database=: looks for candidates now and merges them. */
export async function trigger(arrival: AdmittedArrival): Promise<Response> {
  const { env, request } = arrival;
  const databases = await databasesAsked(arrival, "admin");
  const known = await jobsOf(databases, "compaction", env);
  const running = known.find(({ job }) => isActive(job));
  if (running !== undefined) {
    const message = "A compaction cycle is already in progress. Please wait for it to complete.";
    const cycleId = globalJobId(running.database, running.job.jobId);
    throw new SluiceError("compaction_running", message, { cycle_id: cycleId, is_running: true });
  }
  for (const database of databases) {
    await unwrap(catalogOf(database, env).planTask("compaction"));
  }
  const named = new URL(request.url).searchParams.get("database") || null;
  return json({
    message: "Compaction triggered",
    status: "running",
    tiers: [TIER],
    cycle_id: known.length === 0 ? 0 : globalJobId(known[0]!.database, known[0]!.job.jobId),
    ...(named === null ? {} : { database: named }),
  });
}

interface JobOf {
  readonly job: Job;
  readonly database: Database;
}

/** Newest first. */
async function jobsOf(
  databases: readonly Database[],
  kind: JobKind | null,
  env: IngestEnv,
): Promise<JobOf[]> {
  const lists = await Promise.all(
    databases.map(async (database) => {
      const found = await unwrap(catalogOf(database, env).listJobs(kind, LIMITS.jobsKept));
      return found.map((job) => ({ job, database }));
    }),
  );
  return lists.flat().toSorted((a, b) => b.job.createdMs - a.job.createdMs);
}

function totalsOf(all: readonly JobOf[]) {
  const count = (isMeant: (job: Job) => boolean) => all.filter(({ job }) => isMeant(job)).length;
  return {
    active_jobs: count(isActive),
    total_jobs_completed: count(({ state }) => state === "done"),
    total_jobs_failed: count(({ state }) => state === "failed"),
  };
}

function sumOf(all: readonly JobOf[], key: string): number {
  return all.reduce((sum, { job }) => sum + (job.result?.[key] ?? 0), 0);
}
