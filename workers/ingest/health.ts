// Health, for machines that ask: is it alive, can it take writes, and if not, why.

import { json } from "#lib/http/respond.ts";
import { sleep } from "#platform/clock.ts";
import type { Arrival } from "./arrival.ts";

let firstSeenMs: number | null = null;

/** The isolate answers. Says nothing about storage; that is what /ready is for. */
export async function health(_: Arrival): Promise<Response> {
  firstSeenMs ??= Date.now();
  const uptimeS = Math.floor((Date.now() - firstSeenMs) / 1_000);
  const time = new Date().toISOString();
  return json({ status: "ok", time, uptime: `${uptimeS}s`, uptime_sec: uptimeS });
}

export async function live(_: Arrival): Promise<Response> {
  return json({ status: "live" });
}

/** 200 only when a write could be stored and flushed: both kinds of storage take one right now. */
export async function ready({ env, log }: Arrival): Promise<Response> {
  const reason = await unreadyReason(env);
  const time = new Date().toISOString();
  if (reason === null) return json({ status: "ready", time });
  log.warn("not ready", { reason });
  return json({ status: "not_ready", time, reason }, 503);
}

/** R2 takes one write a second under one key, and probes come from many places. */
const PROBE_EVERY_MS = 2_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBE_KEY = "_ready";

let probe: { readonly reason: Promise<string | null>; readonly atMs: number } | null = null;

export function unreadyReason(env: IngestEnv): Promise<string | null> {
  if (probe === null || Date.now() - probe.atMs > PROBE_EVERY_MS) {
    probe = { reason: probeStorage(env), atMs: Date.now() };
  }
  return probe.reason;
}

async function probeStorage(env: IngestEnv): Promise<string | null> {
  const reasons = await Promise.all([
    failureOf("directory", () => env.DIRECTORY.getByName("directory").probe()),
    failureOf("lake", () => env.LAKE.put(PROBE_KEY, new Date().toISOString())),
  ]);
  const failed = reasons.filter((reason) => reason !== null);
  return failed.length === 0 ? null : failed.join("; ");
}

async function failureOf(component: string, call: () => Promise<unknown>): Promise<string | null> {
  const late = sleep(PROBE_TIMEOUT_MS).then(() => `no answer in ${PROBE_TIMEOUT_MS} ms`);
  const failure = call().then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const reason = await Promise.race([failure, late]);
  return reason === null ? null : `${component}: ${reason}`;
}
