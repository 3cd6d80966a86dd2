// Once a minute every buffer is poked: the safety net under the alarms.
//
// A buffer whose alarm was lost, to a crash or to the platform, flushes again without waiting for
// somebody to write or to ask. One that is well does nothing.

import { createLog } from "#platform/log.ts";
import { unwrap } from "#platform/rpc.ts";

export async function wakeBuffers(env: IngestEnv): Promise<void> {
  const log = createLog("sweep", env.LOG_LEVEL);
  const databases = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
  for (const { databaseId, shardCount, name } of databases) {
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
