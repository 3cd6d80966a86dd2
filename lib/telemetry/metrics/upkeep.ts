// Jobs on the lake: compaction, retention, deletes, rollups.

import { counter, gauge, histogram } from "#lib/telemetry/metric.ts";

const JOB_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

export const jobsStarted = counter(
  "sluice_upkeep_jobs_started_total",
  "Jobs taken up by a runner, each try counted.",
  ["kind"],
);
export const jobsFinished = counter(
  "sluice_upkeep_jobs_finished_total",
  "Tries of jobs that have ended, by outcome: done, failed, lost (it is somebody else's now).",
  ["kind", "outcome"],
);
export const jobsGivenWay = counter(
  "sluice_upkeep_jobs_given_way_total",
  "Tries that stopped because another change of the same files was faster.",
  ["kind"],
);
export const jobSeconds = histogram(
  "sluice_upkeep_job_seconds",
  "Time of one try of a job.",
  JOB_BUCKETS,
  ["kind"],
);
export const filesRead = counter(
  "sluice_upkeep_files_read_total",
  "Files that jobs have replaced or removed.",
  ["kind"],
);
export const filesWritten = counter(
  "sluice_upkeep_files_written_total",
  "Files that jobs have put in their place.",
  ["kind"],
);
export const bytesWritten = counter("sluice_upkeep_written_bytes_total", "Bytes of those files.", [
  "kind",
]);
export const rowsRemoved = counter(
  "sluice_upkeep_rows_removed_total",
  "Rows that deletes and retention have removed.",
  ["kind"],
);
export const rollupRows = counter(
  "sluice_upkeep_rollup_rows_total",
  "Rows that rollups have computed.",
);
export const tasks = counter(
  "sluice_upkeep_tasks_total",
  "Scheduled tasks run, by task and outcome.",
  ["task", "outcome"],
);
export const hintsFailed = counter(
  "sluice_upkeep_hints_failed_total",
  "Hints of jobs that a queue did not take.",
);

export const jobs = gauge("sluice_upkeep_jobs", "Jobs that wait or run, by kind.", [
  "database",
  "kind",
  "state",
]);
export const oldestJobSeconds = gauge(
  "sluice_upkeep_oldest_job_seconds",
  "Age of the oldest job that has not ended.",
  ["database"],
  "max",
);
