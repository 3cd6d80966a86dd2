// Whether what the front door needs answers right now. Asked at most every two seconds: R2 takes
// one write a second under one key, and probes come from many places.

import { sleep } from "#platform/clock.ts";

const PROBE_EVERY_MS = 2_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBE_KEY = "_ready";

/** null: it answered; else what went wrong. */
export interface StorageProbe {
  readonly directory: string | null;
  readonly lake: string | null;
}

/** How long one asks at most, and a little: who has not come back by then was cancelled. */
const ASKER_LOST_MS = PROBE_TIMEOUT_MS + 500;
const LOOK_AGAIN_MS = 20;

let last: { readonly result: StorageProbe; readonly atMs: number } | null = null;
let askingSinceMs: number | null = null;

/**
 * Both kinds of storage take a write right now. Requests share the result and not the promise of
 * it: one must not wait for what another one resolves, which may be cancelled and never do so. So
 * who comes while somebody asks looks again until there is an answer.
 */
export async function probeStorage(env: IngestEnv): Promise<StorageProbe> {
  for (;;) {
    const nowMs = Date.now();
    if (last !== null && nowMs - last.atMs <= PROBE_EVERY_MS) return last.result;
    if (askingSinceMs === null || nowMs - askingSinceMs > ASKER_LOST_MS) break;
    await sleep(LOOK_AGAIN_MS);
  }
  askingSinceMs = Date.now();
  const result = await askStorage(env);
  last = { result, atMs: Date.now() };
  askingSinceMs = null;
  return result;
}

/** null: a write could be stored and flushed. */
export async function unreadyReason(env: IngestEnv): Promise<string | null> {
  const failed = Object.entries(await probeStorage(env)).filter(([, reason]) => reason !== null);
  if (failed.length === 0) return null;
  return failed.map(([component, reason]) => `${component}: ${reason}`).join("; ");
}

async function askStorage(env: IngestEnv): Promise<StorageProbe> {
  const [directory, lake] = await Promise.all([
    failureOf(env.DIRECTORY.getByName("directory").probe()),
    failureOf(env.LAKE.put(PROBE_KEY, new Date().toISOString())),
  ]);
  return { directory, lake };
}

/** null: it answered in time. */
export async function failureOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await within(call);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Throws when there is no answer after two seconds. */
export async function within<T>(call: Promise<T>): Promise<T> {
  const late = sleep(PROBE_TIMEOUT_MS).then(() => {
    throw new Error(`no answer in ${PROBE_TIMEOUT_MS} ms`);
  });
  return await Promise.race([call, late]);
}
