// Health, for machines that ask: is it alive, can it take writes, and if not, why.

import { json } from "#lib/http/respond.ts";
import { unwrap } from "#platform/rpc.ts";
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

/** 200 only when a write could be stored and flushed: objects and lake both answer. */
export async function ready({ env, log }: Arrival): Promise<Response> {
  const checks = {
    directory: await check(() => unwrap(env.DIRECTORY.getByName("directory").listDatabases())),
    lake: await check(() => env.LAKE.head("ready")),
  };
  const time = new Date().toISOString();
  const failed = Object.entries(checks).filter(([, error]) => error !== null);
  if (failed.length === 0) return json({ status: "ready", time });
  const reason = failed.map(([component, error]) => `${component}: ${error}`).join("; ");
  log.warn("not ready", { reason });
  return json({ status: "not_ready", time, reason }, 503);
}

async function check(call: () => Promise<unknown>): Promise<string | null> {
  try {
    await call();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
