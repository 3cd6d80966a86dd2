// Files of the lake are rewritten here: merged into fewer (compaction), without rows that are too
// old (retention), without rows that somebody deleted.
//
// A hint is a wake-up and no more: the catalog is asked for the job, and when it has nothing,
// someone else was faster. Every message is acknowledged; the catalog repeats hints for what is
// still to do. While a buffer waits for its segments to be written, merging waits too: fresh rows
// go first. An isolate's memory is enough for one job at a time.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { runCompaction } from "#lib/upkeep/compaction.ts";
import { runDelete } from "#lib/upkeep/delete.ts";
import { type JobLine, joinedProgress, reportingPorts, settleJob } from "#lib/upkeep/job-line.ts";
import { runRetention } from "#lib/upkeep/retention-rewrite.ts";
import type { JobHint, StartedJob } from "#lib/upkeep/types.ts";
import { systemClock } from "#platform/clock.ts";
import { deletePorts } from "#platform/delete-ports.ts";
import { jobLine } from "#platform/job-line.ts";
import { queueMessages } from "#lib/telemetry/metrics/flush.ts";
import { createLog, type Log } from "#platform/log.ts";
import { r2FetchRange, r2ObjectStore } from "#platform/r2.ts";
import { countJob } from "#platform/job-telemetry.ts";
import { unwrap } from "#platform/rpc.ts";
import { meter, reportNow } from "#platform/telemetry.ts";

let isBusy = false;

export default {
  async queue(batch, env, ctx) {
    const log = createLog("compactor", env.LOG_LEVEL);
    for (const message of batch.messages) {
      const hint = message.body;
      if (isJobHint(hint)) await handleHint(hint, env, log);
      else
        log.error("a message on the compaction queue is not a hint", new Error("unknown message"));
      message.ack();
      meter.add(queueMessages, 1, batch.queue, "acknowledged");
    }
    ctx.waitUntil(reportNow("compactor", env));
  },
} satisfies ExportedHandler<CompactorEnv, unknown>;

async function handleHint(hint: JobHint, env: CompactorEnv, log: Log): Promise<void> {
  const { databaseId, jobId, kind } = hint;
  const fields = { database_id: databaseId, job_id: jobId, kind };
  const startedMs = systemClock.nowMs();
  if (isBusy) return log.debug("hint for an isolate that has a job", fields);
  isBusy = true;
  try {
    if (kind === "compaction" && (await isBehind(databaseId, env))) {
      log.info("job waits for flushes", fields);
      return;
    }
    const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
    const started = await unwrap(catalog.startJob(jobId));
    if (started === null) return log.debug("hint for a job that is not to be started", fields);
    const line = joinedProgress(jobLine(catalog, started.job));
    const settle = () => settleJob(line, () => run(started, databaseId, line, env));
    const outcome = await countJob(hint, settle);
    log.info("job ended", { ...fields, outcome, duration_ms: systemClock.nowMs() - startedMs });
  } catch (error) {
    log.error("job not done", error, fields);
  } finally {
    isBusy = false;
  }
}

function run(
  started: StartedJob,
  databaseId: number,
  line: JobLine,
  env: CompactorEnv,
): Promise<void> {
  const lake = { fetchRange: r2FetchRange(env.LAKE), lake: r2ObjectStore(env.LAKE) };
  const ports = reportingPorts(lake, line, systemClock);
  const { job } = started;
  switch (job.spec.kind) {
    case "compaction":
      return runCompaction(started, databaseId, line, ports);
    case "retention":
      return runRetention(started, databaseId, line, ports);
    case "delete": {
      const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
      const own = deletePorts(job, job.spec, catalog, env.QUERY, line, ports);
      return runDelete(started, databaseId, line, own);
    }
    case "rollup":
      throw new SluiceError("bug", `job ${job.jobId} is not for the compactor`);
  }
}

/** True: segments wait to be written, more than pass by in good times. */
async function isBehind(databaseId: number, env: CompactorEnv): Promise<boolean> {
  const databases = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
  const shardCount = databases.find((one) => one.databaseId === databaseId)?.shardCount ?? 0;
  for (let shard = 0; shard < shardCount; shard++) {
    const buffer = env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
    const { segments } = await unwrap(buffer.status());
    const waiting = segments.filter(({ state }) => state === "sealed");
    if (waiting.length > LIMITS.compactionLagSegmentsMax) return true;
  }
  return false;
}

function isJobHint(body: unknown): body is JobHint {
  return (
    typeof body === "object" &&
    body !== null &&
    typeof (body as JobHint).databaseId === "number" &&
    typeof (body as JobHint).jobId === "number" &&
    typeof (body as JobHint).kind === "string"
  );
}
