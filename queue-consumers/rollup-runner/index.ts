// Rollups are computed here: apart from the compactor, so that a long merge does not hold them up.
//
// A hint is a wake-up and no more: the catalog is asked for the job, and when it has nothing,
// someone else was faster. Every message is acknowledged; the catalog repeats hints for what is
// still to do. While the query Worker works the catalog is told that the runner lives.

import { isSluiceError, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { JobTicket } from "#lib/upkeep/jobs.ts";
import { runRollup } from "#lib/upkeep/rollup-run.ts";
import type { StartedRollup } from "#lib/upkeep/rollup-types.ts";
import type { JobHint } from "#lib/upkeep/types.ts";
import { queueMessages } from "#lib/telemetry/metrics/flush.ts";
import { createLog, type Log } from "#platform/log.ts";
import { rollupPorts } from "#platform/rollup-ports.ts";
import { countJob } from "#platform/job-telemetry.ts";
import { unwrap } from "#platform/rpc.ts";
import { meter, reportNow } from "#platform/telemetry.ts";

export default {
  async queue(batch, env, ctx) {
    const log = createLog("rollup-runner", env.LOG_LEVEL);
    for (const message of batch.messages) {
      const hint = message.body;
      if (isRollupHint(hint)) await handleHint(hint, env, log);
      else log.error("a message on the rollup queue is not a hint", new Error("unknown message"));
      message.ack();
      meter.add(queueMessages, 1, batch.queue, "acknowledged");
    }
    ctx.waitUntil(reportNow("rollup-runner", env));
  },
} satisfies ExportedHandler<RollupRunnerEnv, unknown>;

async function handleHint(hint: JobHint, env: RollupRunnerEnv, log: Log): Promise<void> {
  const { databaseId, jobId } = hint;
  const fields = { database_id: databaseId, job_id: jobId };
  const startedMs = Date.now();
  try {
    const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
    const started = await unwrap(catalog.startRollup(jobId));
    if (started === null) return log.debug("hint for a job that is not to be started", fields);
    const rollup = { ...fields, rollup: started.rollup.name };
    const stopKeeping = keep(started, catalog, log);
    try {
      const ports = rollupPorts(started, databaseId, env);
      const outcome = await countJob(hint, () => runRollup(started, databaseId, ports));
      log.info("rollup computed", { ...rollup, outcome, duration_ms: Date.now() - startedMs });
    } finally {
      stopKeeping();
    }
  } catch (error) {
    log.error("rollup not computed", error, fields);
  }
}

/** Until the returned function is called. */
function keep(
  { jobId, attempt }: StartedRollup,
  catalog: { keepRollup(ticket: JobTicket): Promise<Refusal | null> },
  log: Log,
): () => void {
  const say = async () => {
    try {
      await unwrap(catalog.keepRollup({ jobId, attempt }));
    } catch (error) {
      // Whoever lost its job hears of it at the next commit.
      const isLost = isSluiceError(error) && ["job_lost", "job_cancelled"].includes(error.code);
      if (!isLost) log.error("runner could not say that it lives", error, { job_id: jobId });
    }
  };
  const timer = setInterval(() => void say(), LIMITS.jobProgressEveryMs);
  return () => clearInterval(timer);
}

function isRollupHint(body: unknown): body is JobHint {
  return (
    typeof body === "object" &&
    body !== null &&
    typeof (body as JobHint).databaseId === "number" &&
    typeof (body as JobHint).jobId === "number" &&
    (body as JobHint).kind === "rollup"
  );
}
