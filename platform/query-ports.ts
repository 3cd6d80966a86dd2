// Everything the query Worker asks of the Durable Objects and of R2.

import { SluiceError } from "#lib/base/errors.ts";
import type { Tail, TailRequest } from "#lib/buffer/types.ts";
import type { Database } from "#lib/directory/types.ts";
import type { DatabaseReader } from "#lib/sql/consistent-read.ts";
import type { EngineHold } from "#lib/sql/engine.ts";
import type { FetchRange } from "#lib/sql/read-ahead.ts";
import { fromStreamedRun } from "./byte-run.ts";
import { unwrap } from "./rpc.ts";

interface EngineSource {
  acquire(signal: AbortSignal): Promise<EngineHold>;
}

export function queryPorts(env: QueryEnv, engine: EngineSource) {
  const directory = env.DIRECTORY.getByName("directory");
  return {
    acquireEngine: (signal: AbortSignal) => engine.acquire(signal),
    nowMs: () => Date.now(),
    fetchRange: fetchFrom(env.LAKE),
    async listDatabases(): Promise<string[]> {
      return (await unwrap(directory.listDatabases())).map(({ name }) => name);
    },
    async openDatabase(name: string): Promise<DatabaseReader | null> {
      const database = await unwrap(directory.resolveDatabase(name));
      return database === null ? null : readerOf(database, env);
    },
  };
}

function readerOf({ databaseId, shardCount }: Database, env: QueryEnv): DatabaseReader {
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  const shards = Array.from({ length: shardCount }, (_, shard) =>
    env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`),
  );
  return {
    readTails(request: TailRequest): Promise<Tail[]> {
      const bytesMax = Math.floor(request.bytesMax / shardCount);
      return Promise.all(
        shards.map(async (shard) => {
          const tail = await unwrap(shard.readTail({ ...request, bytesMax }));
          const { segmentIds, isOverBudget } = tail;
          return { segmentIds, isOverBudget, run: await fromStreamedRun(tail) };
        }),
      );
    },
    async flush(): Promise<void> {
      await Promise.all(shards.map((shard) => unwrap(shard.flush())));
    },
    snapshot: (request) => unwrap(catalog.snapshot(request)),
    listTables: () => unwrap(catalog.listTables()),
  };
}

function fetchFrom(lake: R2Bucket): FetchRange {
  return async (key, offset, byteLength) => {
    const range = { offset, length: byteLength };
    let bytes: ArrayBuffer | undefined;
    try {
      const object = await lake.get(key, { range });
      bytes = await object?.arrayBuffer();
    } catch (cause) {
      const message = "the object store did not answer";
      throw new SluiceError("store_unavailable", message, { key }, { cause });
    }
    if (bytes?.byteLength !== byteLength) {
      const message = `object ${key} is gone or cut short`;
      throw new SluiceError("object_missing", message, { key });
    }
    return new Uint8Array(bytes);
  };
}
