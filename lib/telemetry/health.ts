// How the system is, part by part, and why it is not well: made of the probes of its stores and of
// what it has counted. For operators and balancers, so a reason says how many and how long, and
// never whose: /health is open to everybody.
//
//   unhealthy   writes cannot be stored
//   degraded    they are stored and acknowledged, but something needs a look
//
// Shell: workers/ingest/health.ts.

import { LIMITS } from "#lib/base/limits.ts";
import type { MetricView } from "./metric-view.ts";
import * as buffer from "./metrics/buffer.ts";
import * as catalog from "./metrics/catalog.ts";
import * as upkeep from "./metrics/upkeep.ts";

export type HealthStatus = "ok" | "degraded" | "unhealthy";

export interface Check {
  readonly status: HealthStatus;
  /** null: it is well. */
  readonly reason: string | null;
}

/** What was asked right now; null: it answered. */
export interface Probes {
  readonly directory: string | null;
  readonly lake: string | null;
  readonly queries: string | null;
  readonly telemetry: string | null;
  /** How many objects did not say how they stand. */
  readonly silentBuffers: number;
  readonly silentCatalogs: number;
}

export type Checks = Readonly<
  Record<
    "directory" | "buffers" | "lake" | "catalog" | "queries" | "queue" | "upkeep" | "telemetry",
    Check
  >
>;

/** A segment is sealed after a minute at the latest, and then written. */
const OLDEST_UNFLUSHED_S_MAX = 300;
/** Of the room of all buffers of a database; past all of it writes are refused. */
const FULL_SHARE_MAX = 0.8;
const OLDEST_JOB_S_MAX = 3_600;

const OK: Check = { status: "ok", reason: null };

/** `view`: null when the counts could not be had, which `probes` tells. */
export function checksOf(view: MetricView | null, probes: Probes): Checks {
  return {
    directory: probed(probes.directory, "unhealthy"),
    buffers: checkBuffers(view, probes),
    lake: probed(probes.lake, "degraded"),
    catalog: silent(probes.silentCatalogs, "catalog"),
    queries: probed(probes.queries, "degraded"),
    queue: view === null ? OK : checkQueue(view),
    upkeep: view === null ? OK : checkUpkeep(view),
    telemetry: probed(probes.telemetry, "degraded"),
  };
}

export function worst(checks: Checks): HealthStatus {
  const statuses = Object.values(checks).map(({ status }) => status);
  if (statuses.includes("unhealthy")) return "unhealthy";
  return statuses.includes("degraded") ? "degraded" : "ok";
}

function probed(reason: string | null, status: HealthStatus): Check {
  return reason === null ? OK : { status, reason };
}

function silent(count: number, object: string): Check {
  return count === 0 ? OK : { status: "unhealthy", reason: `${count} ${object}(s) do not answer` };
}

function checkBuffers(view: MetricView | null, { silentBuffers }: Probes): Check {
  if (silentBuffers > 0 || view === null) return silent(silentBuffers, "buffer");
  const quarantined = view.total(buffer.segments, { state: "quarantined" });
  const oldestS = Math.round(view.max(buffer.oldestSeconds));
  const fullest = view.max(buffer.bytes) / LIMITS.bufferSoftBytesMax;
  if (fullest >= 1) return { status: "unhealthy", reason: "a buffer is full: writes are refused" };
  return degradedBy([
    [quarantined > 0, `${quarantined} segment(s) quarantined: writing them keeps failing`],
    [oldestS > OLDEST_UNFLUSHED_S_MAX, `rows wait for ${oldestS} s to be flushed`],
    [fullest > FULL_SHARE_MAX, `a buffer is ${Math.round(fullest * 100)} % full`],
  ]);
}

/** Hints that a queue lost are sent again, so that all goes on, but later. */
function checkQueue(view: MetricView): Check {
  const failed = view.growth(buffer.hintsFailed);
  const repeated = view.growth(buffer.hintsRepeated);
  const seconds = Math.round(view.windowSeconds ?? 0);
  return degradedBy([
    [failed > 0, `${failed} hint(s) not taken within ${seconds} s`],
    [repeated > 0, `${repeated} hint(s) lost or late within ${seconds} s`],
  ]);
}

function checkUpkeep(view: MetricView): Check {
  const failed = view.growth(catalog.gcFailures);
  const oldestS = Math.round(view.max(upkeep.oldestJobSeconds));
  return degradedBy([
    [failed > 0, `${failed} run(s) of the garbage collection failed`],
    [oldestS > OLDEST_JOB_S_MAX, `a job has waited for ${oldestS} s`],
  ]);
}

function degradedBy(faults: readonly (readonly [boolean, string])[]): Check {
  const reasons = faults.filter(([isSo]) => isSo).map(([, reason]) => reason);
  return reasons.length === 0 ? OK : { status: "degraded", reason: reasons.join("; ") };
}
