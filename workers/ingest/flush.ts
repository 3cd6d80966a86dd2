// Flush on request: everything acknowledged before is in Parquet when the answer comes.

import { unknownDatabase } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

export async function flushDatabase({ env, database }: AdmittedArrival): Promise<Response> {
  const found = await findDatabase(database!, env.DIRECTORY);
  if (found === null) throw unknownDatabase(database!);
  await flush(found, env);
  return json({ status: "success", message: `Database ${found.name} flushed` });
}

/** Arc's path and answer. */
export async function flushAll({ env }: AdmittedArrival): Promise<Response> {
  const databases = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
  for (const database of databases) await flush(database, env);
  return json({ status: "success", message: "All buffers flushed" });
}

export async function flush({ databaseId, shardCount }: Database, env: IngestEnv): Promise<void> {
  for (let shard = 0; shard < shardCount; shard++) {
    await unwrap(env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`).flush());
  }
}
