// Once a minute every buffer and every catalog is poked: the safety net under the alarms.
//
// A buffer whose alarm was lost, to a crash or to the platform, flushes again without waiting for
// somebody to write or to ask; a catalog goes on with its tasks and jobs. One that is well does
// nothing. So is the directory poked, where drops of databases wait for their time, and every
// stream of events, where deliveries to triggers do, and every database's alert rules.

import { createLog } from "#platform/log.ts";
import { unwrap } from "#platform/rpc.ts";

export async function wakeBuffers(env: IngestEnv): Promise<void> {
  const log = createLog("sweep", env.LOG_LEVEL);
  const directory = env.DIRECTORY.getByName("directory");
  await unwrap(directory.wake());
  const databases = await unwrap(directory.listDatabases());
  for (const { databaseId, shardCount, name } of databases) {
    try {
      await unwrap(env.DATABASE_CATALOG.getByName(`${databaseId}`).wake());
    } catch (error) {
      log.error("catalog not woken", error, { database: name });
    }
    try {
      await unwrap(env.EVENT_STREAM.getByName(`${databaseId}`).wake());
    } catch (error) {
      log.error("event stream not woken", error, { database: name });
    }
    try {
      await unwrap(env.ALERT_RULES.getByName(`${databaseId}`).wake());
    } catch (error) {
      log.error("alert rules not woken", error, { database: name });
    }
    for (let shard = 0; shard < shardCount; shard++) {
      try {
        await unwrap(env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`).wake());
      } catch (error) {
        // The others are poked all the same; this one again in a minute.
        log.error("buffer not woken", error, { database: name, shard });
      }
    }
  }
}
