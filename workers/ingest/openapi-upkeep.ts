// Retention, delete, compaction, jobs and schedulers in words, as openapi.ts has the rest.

const ONE_DATABASE = { database: "one database; all that the token reaches when missing" };
const LIMIT = (fallback: number) => ({ limit: `at most so many; ${fallback} when missing` });
const POLICY = { 200: "the policy", 404: "no such policy" };
const POLICY_BODY = {
  "application/json": {
    name: "thirty days",
    database: "events",
    measurement: "cpu",
    retention_days: 30,
    buffer_days: 1,
    straddling: "keep",
    is_active: true,
  },
};

export const UPKEEP_OPERATIONS = {
  "GET /api/v1/retention": {
    summary: "List the retention policies, as a bare array",
    query: ONE_DATABASE,
    answers: { 200: "the policies" },
  },
  "POST /api/v1/retention": {
    summary: "Make a policy; without a measurement it is for the whole database",
    body: POLICY_BODY,
    answers: {
      201: "the policy",
      400: "a field is wrong; names it",
      404: "no such database",
      409: "the name is taken",
    },
  },
  "GET /api/v1/retention/:id": { summary: "One policy", answers: POLICY },
  "PUT /api/v1/retention/:id": {
    summary: "Change a policy; what the body does not name stays as it is",
    body: POLICY_BODY,
    answers: { ...POLICY, 400: "a field is wrong; names it", 409: "the name is taken" },
  },
  "DELETE /api/v1/retention/:id": {
    summary: "Delete a policy; what it has dropped stays dropped",
    answers: { 200: "deleted", 404: "no such policy" },
  },
  "POST /api/v1/retention/:id/execute": {
    summary: "Run a policy now, or say what it would drop",
    body: { "application/json": { dry_run: true, confirm: false } },
    answers: {
      200: "rows and files that went, or would go",
      400: "not confirmed, or the policy is not active",
      404: "no such policy",
    },
  },
  "GET /api/v1/retention/:id/executions": {
    summary: "Past runs of a policy, newest first",
    query: LIMIT(50),
    answers: { 200: "the runs", 404: "no such policy" },
  },
  "POST /api/v1/delete": {
    summary: "Delete the rows of a measurement that meet a condition",
    headers: { "x-arc-database": "the database, where the body names none" },
    body: {
      "application/json": {
        database: "events",
        measurement: "cpu",
        where: "host = 'a' AND time < '2026-01-01'",
        dry_run: true,
        confirm: false,
      },
    },
    answers: {
      200: "how many rows went, or would go",
      202: "it takes longer; `job_id` says where to look",
      400: "the condition is wrong or not allowed, or so many rows need a confirmation",
      404: "no such database",
      409: "the job was cancelled",
      422: "the condition fails for a row",
      503: "others replaced the files all the while; nothing was deleted",
    },
  },
  "GET /api/v1/delete/config": {
    summary: "From how many rows on a delete has to be confirmed",
    answers: { 200: "the limits" },
  },
  "GET /api/v1/compaction/status": {
    summary: "Whether files are merged, and when next",
    query: ONE_DATABASE,
    answers: { 200: "counts of jobs, and the schedule" },
  },
  "GET /api/v1/compaction/stats": {
    summary: "What compaction has read and written, of the jobs that are remembered",
    query: ONE_DATABASE,
    answers: { 200: "counts of jobs, files and bytes" },
  },
  "GET /api/v1/compaction/candidates": {
    summary: "Files that would be merged now",
    query: ONE_DATABASE,
    answers: { 200: "measurements and days" },
  },
  "GET /api/v1/compaction/jobs": {
    summary: "Jobs of every kind that run or wait",
    query: ONE_DATABASE,
    answers: { 200: "the jobs, with progress and errors" },
  },
  "GET /api/v1/compaction/history": {
    summary: "Jobs of every kind that have ended, newest first",
    query: { ...ONE_DATABASE, ...LIMIT(10) },
    answers: { 200: "the jobs, with results and errors" },
  },
  "POST /api/v1/compaction/trigger": {
    summary: "Look for files to merge now",
    query: ONE_DATABASE,
    answers: { 200: "it begins", 409: "files are being merged" },
  },
  "GET /api/v1/compaction/jobs/:id": {
    summary: "One job, of any kind",
    answers: { 200: "the job", 404: "no such job" },
  },
  "DELETE /api/v1/compaction/jobs/:id": {
    summary: "Cancel a job: what it has not committed will not be",
    answers: { 200: "the job as it is then", 404: "no such job" },
  },
  "GET /api/v1/schedulers": {
    summary: "What runs by itself, when next, and how it went last",
    query: ONE_DATABASE,
    answers: { 200: "every task of every database" },
  },
  "POST /api/v1/schedulers/retention/trigger": {
    summary: "Run all active retention policies now",
    query: ONE_DATABASE,
    answers: { 200: "how many" },
  },
};
