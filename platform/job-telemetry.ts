// What the runners of jobs say of themselves: the only place where a try becomes metrics.

import * as metrics from "#lib/telemetry/metrics/upkeep.ts";
import type { JobKind } from "#lib/upkeep/types.ts";
import { meter } from "./telemetry.ts";

/** Runs one try; `work` returns its outcome, and throws when it failed. */
export async function countJob(kind: JobKind, work: () => Promise<string>): Promise<string> {
  meter.add(metrics.jobsStarted, 1, kind);
  const startMs = Date.now();
  let outcome = "failed";
  try {
    outcome = await work();
    return outcome;
  } finally {
    meter.observe(metrics.jobSeconds, (Date.now() - startMs) / 1_000, kind);
    if (outcome === "gave_way") meter.add(metrics.jobsGivenWay, 1, kind);
    else meter.add(metrics.jobsFinished, 1, kind, outcome);
  }
}
