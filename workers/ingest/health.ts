// Health, for machines that ask: is it alive, can it take writes, and if not, why.

import { json } from "#lib/http/respond.ts";
import { checksOf, type Checks, type HealthStatus, worst } from "#lib/telemetry/health.ts";
import { MetricView } from "#lib/telemetry/metric-view.ts";
import { SERVICE_VERSION } from "#lib/telemetry/otlp.ts";
import type { Arrival } from "./arrival.ts";
import { isDraining } from "./draining.ts";
import { type Gathered, gatherFamilies } from "./metrics.ts";
import { failureOf, probeStorage, unreadyReason, within } from "./probes.ts";

/** Each look asks every object of the database, so it is shown to more than one. */
const LOOK_EVERY_MS = 2_000;
/** What fails now and then is told for this long. */
const WINDOW_MS = 600_000;

let firstSeenMs: number | null = null;
let last: { readonly checks: Checks; readonly atMs: number } | null = null;

/**
 * How every part is, and why: 200 when it is well or degraded, 503 when writes cannot be stored.
 * Arc's fields first. `uptime`: of this isolate; that of the system is among the metrics.
 */
export async function health(arrival: Arrival): Promise<Response> {
  const { status, checks } = await currentHealth(arrival);
  firstSeenMs ??= Date.now();
  const uptimeS = Math.floor((Date.now() - firstSeenMs) / 1_000);
  const time = new Date().toISOString();
  const arc = { status, time, uptime: `${uptimeS}s`, uptime_sec: uptimeS };
  const isStoring = status !== "unhealthy";
  return json({ ...arc, version: SERVICE_VERSION, checks }, isStoring ? 200 : 503);
}

export async function currentHealth(
  arrival: Arrival,
): Promise<{ readonly status: HealthStatus; readonly checks: Checks }> {
  if (last === null || Date.now() - last.atMs > LOOK_EVERY_MS) {
    last = { checks: await look(arrival), atMs: Date.now() };
  }
  return { status: worst(last.checks), checks: last.checks };
}

export async function live(_: Arrival): Promise<Response> {
  return json({ status: "live" });
}

/** 200 only when a write could be stored and flushed: both kinds of storage take one right now. */
export async function ready({ env, log }: Arrival): Promise<Response> {
  const time = new Date().toISOString();
  if (isDraining()) return json({ status: "draining", time, reason: "the server ends" }, 503);
  const reason = await unreadyReason(env);
  if (reason === null) return json({ status: "ready", time });
  log.warn("not ready", { reason });
  return json({ status: "not_ready", time, reason }, 503);
}

/** Six seconds at most: every answer that does not come in time is a finding, too. */
async function look(arrival: Arrival): Promise<Checks> {
  const { env } = arrival;
  const nowMs = Date.now();
  const hub = env.TELEMETRY_HUB.getByName("hub");
  const [storage, queries, samples, gathered] = await Promise.all([
    probeStorage(env),
    failureOf(env.QUERY.fetch("http://query/health")),
    within(hub.samples(nowMs - WINDOW_MS)).catch(() => null),
    gatherFamilies(arrival).catch(() => null),
  ]);
  const isCounted = samples !== null && gathered !== null;
  const view = isCounted ? new MetricView(gathered.families, samples, nowMs, WINDOW_MS) : null;
  return checksOf(view, {
    ...storage,
    queries,
    telemetry: isCounted ? null : "the counts cannot be had",
    silentBuffers: silentCount(gathered, "buffer"),
    silentCatalogs: silentCount(gathered, "catalog"),
  });
}

function silentCount(gathered: Gathered | null, object: string): number {
  return gathered?.silent.filter((one) => one === object).length ?? 0;
}
