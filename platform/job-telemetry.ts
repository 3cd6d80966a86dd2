// What the runners of jobs say of themselves: the only place where a try becomes metrics and spans.

import * as metrics from "#lib/telemetry/metrics/upkeep.ts";
import type { JobKind } from "#lib/upkeep/types.ts";
import { createTracer, meter } from "./telemetry.ts";

/** Jobs are few and long: each is a trace that is recorded. */
const tracer = createTracer("jobs", "1");

export interface JobName {
  readonly kind: JobKind;
  readonly databaseId: number;
  readonly jobId: number;
}

/** Runs one try; `work` returns its outcome, and throws when it failed. */
export async function countJob(
  { kind, databaseId, jobId }: JobName,
  work: () => Promise<string>,
): Promise<string> {
  meter.add(metrics.jobsStarted, 1, kind);
  const startMs = Date.now();
  const attributes = { "sluice.database_id": databaseId, "sluice.job": jobId };
  const span = tracer.start(`job ${kind}`, null, { kind: "consumer", attributes });
  let outcome = "failed";
  try {
    outcome = await work();
    return outcome;
  } finally {
    span.note({ "sluice.outcome": outcome });
    span.end(outcome === "failed" ? "failed" : undefined);
    meter.observe(metrics.jobSeconds, (Date.now() - startMs) / 1_000, kind);
    if (outcome === "gave_way") meter.add(metrics.jobsGivenWay, 1, kind);
    else meter.add(metrics.jobsFinished, 1, kind, outcome);
  }
}
