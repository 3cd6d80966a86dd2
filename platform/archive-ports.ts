// How archived events get to their stream: the one of the database `default`, which is made when
// there is none.

import type { ArchivePorts } from "#lib/archive/archive.ts";
import type { OutboxEvent } from "#lib/archive/archive-tables.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, SqlStore } from "#lib/base/ports.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import { archived } from "#lib/telemetry/metrics/events.ts";
import { sleep, systemClock } from "./clock.ts";
import { positiveInteger } from "./config.ts";
import { createLog } from "./log.ts";
import { postEvents } from "./post-events.ts";
import { unwrap } from "./rpc.ts";
import { goOnInObject, meter, reportSoon } from "./telemetry.ts";

/** `target`: the kind of object that speaks in the log. */
export function archivePorts(
  target: string,
  store: SqlStore,
  alarm: Alarm,
  env: IngestEnv,
  ensureDefault: () => Promise<Database> = () => ensureDefaultDatabase(env),
): ArchivePorts {
  const post = async (event: OutboxEvent) => {
    const { isDuplicate } = await postEvents(
      await ensureDefault(),
      event.id,
      [event],
      env.EVENT_STREAM,
    );
    if (!isDuplicate) meter.add(archived, 1);
    reportSoon("front-door", env, goOnInObject);
  };
  return {
    store,
    clock: systemClock,
    alarm,
    newId: () => crypto.randomUUID(),
    post: (event) => Promise.race([post(event), lateAfter(LIMITS.archivePostTimeoutMs)]),
    report: ({ event, error }) => createLog(target, env.LOG_LEVEL).error(event, error),
  };
}

/** Not from the isolate's memory: it may have been dropped since. */
function ensureDefaultDatabase(env: IngestEnv): Promise<Database> {
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  const directory = env.DIRECTORY.getByName("directory");
  return unwrap(directory.ensureDatabase(DEFAULT_DATABASE, shardCount));
}

export async function lateAfter(ms: number): Promise<never> {
  await sleep(ms);
  throw new SluiceError("buffer_unavailable", "the stream of events did not answer in time");
}
