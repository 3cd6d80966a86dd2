// The tables of jobs: schema, row types and every SQL statement, and nothing else.
// The protocol that uses them: jobs.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { Job, JobNumbers, JobSpec, JobState, JobStep } from "./types.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS job (
  job_id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  table_id INTEGER NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  failure_count INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  finished_ms INTEGER,
  next_hint_ms INTEGER,
  progress TEXT NOT NULL,
  result TEXT,
  error_code TEXT,
  error_message TEXT
);
CREATE INDEX IF NOT EXISTS job_by_hint ON job (next_hint_ms) WHERE next_hint_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS job_by_table ON job (kind, table_id, job_id);
CREATE INDEX IF NOT EXISTS job_by_end ON job (kind, finished_ms, job_id)
  WHERE next_hint_ms IS NULL;
CREATE TABLE IF NOT EXISTS job_file (
  job_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL,
  PRIMARY KEY (job_id, file_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_step (
  job_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL,
  rows_removed INTEGER NOT NULL,
  adds TEXT NOT NULL,
  PRIMARY KEY (job_id, file_id)
) WITHOUT ROWID;
`;

interface JobRow extends Omit<Job, "spec" | "progress" | "result"> {
  readonly spec: string;
  readonly progress: string;
  readonly result: string | null;
}

const JOB_COLUMNS = `job_id AS jobId, spec, state, attempt, failure_count AS failureCount,
  created_ms AS createdMs, started_ms AS startedMs, finished_ms AS finishedMs, progress, result,
  error_code AS errorCode, error_message AS errorMessage`;

export type JobTables = ReturnType<typeof openJobTables>;

/** Statements over `store`, which is made ready on the way. */
export function openJobTables(store: SqlStore) {
  store.exec(SCHEMA);
  return { ...jobTable(store), ...jobLists(store), ...fileTables(store) };
}

function jobTable(store: SqlStore) {
  return {
    insertJob(spec: JobSpec, nowMs: number): number {
      const sql = `INSERT INTO job (kind, table_id, spec, state, attempt, failure_count, created_ms,
          next_hint_ms, progress)
        VALUES (?, ?, ?, 'queued', 0, 0, ?, ?, '{}') RETURNING job_id AS jobId`;
      const values = [spec.kind, spec.tableId, JSON.stringify(spec), nowMs, nowMs] as const;
      return store.exec<{ jobId: number }>(sql, ...values)[0]!.jobId;
    },
    job(jobId: number): Job | null {
      const sql = `SELECT ${JOB_COLUMNS} FROM job WHERE job_id = ?`;
      const row = store.exec<JobRow>(sql, jobId)[0];
      return row === undefined ? null : toJob(row);
    },
    /** `hintMs` is when the runner is taken for dead. */
    startJob(jobId: number, nowMs: number, hintMs: number): void {
      const sql = `UPDATE job SET state = 'running', attempt = attempt + 1, next_hint_ms = ?,
          started_ms = coalesce(started_ms, ?), progress = '{}' WHERE job_id = ?`;
      store.exec(sql, hintMs, nowMs, jobId);
    },
    noteProgress(jobId: number, progress: JobNumbers, hintMs: number): void {
      const sql = "UPDATE job SET progress = ?, next_hint_ms = ? WHERE job_id = ?";
      store.exec(sql, JSON.stringify(progress), hintMs, jobId);
    },
    requeueJob(jobId: number, hintMs: number): void {
      const sql = "UPDATE job SET state = 'queued', next_hint_ms = ? WHERE job_id = ?";
      store.exec(sql, hintMs, jobId);
    },
    /** The oldest of those that wait for a place and not for another try are due now. */
    callWaiting(countMax: number, nowMs: number): void {
      store.exec(
        `UPDATE job SET next_hint_ms = ?1 WHERE job_id IN (SELECT job_id FROM job
           WHERE next_hint_ms > ?1 AND state = 'queued' AND failure_count = 0
           ORDER BY job_id LIMIT ?2)`,
        nowMs,
        countMax,
      );
    },
    noteFailure(jobId: number, code: string, message: string): void {
      const sql = `UPDATE job SET failure_count = failure_count + 1, error_code = ?,
          error_message = ? WHERE job_id = ?`;
      store.exec(sql, code, message, jobId);
    },
    endJob(jobId: number, state: JobState, result: JobNumbers | null, nowMs: number): void {
      const sql = `UPDATE job SET state = ?, result = ?, finished_ms = ?, next_hint_ms = NULL
        WHERE job_id = ?`;
      const text = result === null ? null : JSON.stringify(result);
      store.exec(sql, state, text, nowMs, jobId);
      store.exec("DELETE FROM job_step WHERE job_id = ?", jobId);
      // A planner leaves alone what a job failed over.
      if (state !== "failed") store.exec("DELETE FROM job_file WHERE job_id = ?", jobId);
    },
  };
}

function jobLists(store: SqlStore) {
  return {
    /** Newest first. */
    jobs(kind: string | null, countMax: number): Job[] {
      const sql = `SELECT ${JOB_COLUMNS} FROM job WHERE ?1 IS NULL OR kind = ?1
        ORDER BY job_id DESC LIMIT ?2`;
      return store.exec<JobRow>(sql, kind, countMax).map(toJob);
    },
    /** Newest first. */
    jobsOfTable(kind: string, tableId: number, countMax: number): Job[] {
      const sql = `SELECT ${JOB_COLUMNS} FROM job WHERE kind = ? AND table_id = ?
        ORDER BY job_id DESC LIMIT ?`;
      return store.exec<JobRow>(sql, kind, tableId, countMax).map(toJob);
    },
    /** Queued or running, oldest first. */
    activeJobs(): Job[] {
      const sql = `SELECT ${JOB_COLUMNS} FROM job WHERE next_hint_ms IS NOT NULL ORDER BY job_id`;
      return store.exec<JobRow>(sql).map(toJob);
    },
    /** Those whose hint is due, oldest first. */
    dueJobs(nowMs: number): Job[] {
      const sql = `SELECT ${JOB_COLUMNS} FROM job WHERE next_hint_ms <= ? ORDER BY job_id`;
      return store.exec<JobRow>(sql, nowMs).map(toJob);
    },
    runningCount(): number {
      const sql = "SELECT count(*) AS n FROM job WHERE state = 'running'";
      return store.exec<{ n: number }>(sql)[0]!.n;
    },
    nextHintMs(): number | null {
      return store.exec<{ ms: number | null }>("SELECT min(next_hint_ms) AS ms FROM job")[0]!.ms;
    },
    /** Leaves the `countKept` of the kind that have ended last, and the last one of each table. */
    forgetJobs(kind: string, countKept: number): void {
      const old = store.exec<{ jobId: number }>(
        `DELETE FROM job WHERE kind = ?1 AND next_hint_ms IS NULL AND (finished_ms, job_id) <= (
           SELECT finished_ms, job_id FROM job WHERE kind = ?1 AND next_hint_ms IS NULL
           ORDER BY finished_ms DESC, job_id DESC LIMIT 1 OFFSET ?2)
         AND job_id < (SELECT max(job_id) FROM job AS of_table
           WHERE of_table.kind = job.kind AND of_table.table_id = job.table_id)
         RETURNING job_id AS jobId`,
        kind,
        countKept,
      );
      for (const { jobId } of old) store.exec("DELETE FROM job_file WHERE job_id = ?", jobId);
    },
  };
}

function fileTables(store: SqlStore) {
  return {
    insertJobFile(jobId: number, fileId: number): void {
      store.exec("INSERT INTO job_file VALUES (?, ?)", jobId, fileId);
    },
    jobFileIds(jobId: number): number[] {
      const sql = "SELECT file_id AS fileId FROM job_file WHERE job_id = ? ORDER BY file_id";
      return store.exec<{ fileId: number }>(sql, jobId).map(({ fileId }) => fileId);
    },
    /** Files of jobs that are active, or that failed after `failedSinceMs`. */
    claimedFileIds(failedSinceMs: number): Set<number> {
      const sql = `SELECT file_id AS fileId FROM job_file JOIN job USING (job_id)
        WHERE next_hint_ms IS NOT NULL OR (state = 'failed' AND finished_ms > ?)`;
      const rows = store.exec<{ fileId: number }>(sql, failedSinceMs);
      return new Set(rows.map(({ fileId }) => fileId));
    },
    putStep(jobId: number, { fileId, rowsRemoved, adds }: JobStep): void {
      const sql = "INSERT OR REPLACE INTO job_step VALUES (?, ?, ?, ?)";
      store.exec(sql, jobId, fileId, rowsRemoved, JSON.stringify(adds));
    },
    steps(jobId: number): JobStep[] {
      const sql = `SELECT file_id AS fileId, rows_removed AS rowsRemoved, adds FROM job_step
        WHERE job_id = ? ORDER BY file_id`;
      const rows = store.exec<Omit<JobStep, "adds"> & { adds: string }>(sql, jobId);
      return rows.map((row) => ({ ...row, adds: JSON.parse(row.adds) as JobStep["adds"] }));
    },
  };
}

function toJob(row: JobRow): Job {
  return {
    ...row,
    spec: JSON.parse(row.spec) as JobSpec,
    progress: JSON.parse(row.progress) as JobNumbers,
    result: row.result === null ? null : (JSON.parse(row.result) as JobNumbers),
  };
}
