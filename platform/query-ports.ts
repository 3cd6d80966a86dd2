// Everything the query Worker asks of the Durable Objects and of R2.

import type { Tail, TailRequest } from "#lib/buffer/types.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { databaseIdOf } from "#lib/catalog/object-keys.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import type { QueryStatus } from "#lib/queries/types.ts";
import type { DatabaseReader } from "#lib/sql/consistent-read.ts";
import type { EngineHold } from "#lib/sql/engine.ts";
import { leasedReads } from "#lib/sql/leased-reads.ts";
import type { QueryRequest, Question } from "#lib/sql/types.ts";
import { fromStreamedRun } from "./byte-run.ts";
import { createLog } from "./log.ts";
import type { RangeMemory } from "#lib/sql/range-memory.ts";
import { r2FetchRange } from "./r2.ts";
import { openRangeCache } from "./range-cache.ts";
import { unwrap } from "./rpc.ts";
import { watchQuery } from "./watch-query.ts";

interface EngineSource {
  acquire(signal: AbortSignal): Promise<EngineHold>;
}

/** What the isolate keeps from query to query. */
export interface IsolateState {
  readonly engine: EngineSource;
  readonly rangeMemory: RangeMemory;
}

export function queryPorts(
  env: QueryEnv,
  { engine, rangeMemory }: IsolateState,
  inBackground: (work: Promise<void>) => void,
) {
  const directory = env.DIRECTORY.getByName("directory");
  const log = createLog("query", env.LOG_LEVEL);
  return {
    acquireEngine: (signal: AbortSignal) => engine.acquire(signal),
    nowMs: () => Date.now(),
    watch(request: QueryRequest, progress: QueryProgress, cancel: () => void) {
      const startedMs = Date.now();
      const statusNow = () => statusOf(request, startedMs, progress);
      return watchQuery(env.QUERY_REGISTRY, statusNow, cancel, inBackground, log);
    },
    fetchRange: leasedReads(r2FetchRange(env.LAKE), (key) => {
      return unwrap(env.DATABASE_CATALOG.getByName(`${databaseIdOf(key)}`).isLive(key));
    }),
    rangeCache: openRangeCache(rangeMemory, caches.default, inBackground),
    async listDatabases(): Promise<string[]> {
      return (await unwrap(directory.listDatabases())).map(({ name }) => name);
    },
    async openDatabase(name: string): Promise<DatabaseReader | null> {
      const database = await unwrap(directory.resolveDatabase(name));
      return database === null ? null : readerOf(database, env);
    },
  };
}

type QueryProgress = Pick<QueryStatus, "stage" | "rowCount">;

function statusOf(
  { queryId, tokenId, database, question }: QueryRequest,
  startedMs: number,
  progress: QueryProgress,
): QueryStatus {
  const sql = textOf(question);
  return {
    queryId,
    tokenId,
    database: database ?? DEFAULT_DATABASE,
    sql: sql.slice(0, LIMITS.querySqlShownChars),
    startedMs,
    ...progress,
  };
}

/** Databases of which the isolate remembers table ids; beyond it it starts anew. */
const DATABASES_MAX = 1_000;

const tableIds = new Map<number, Map<string, number>>();

function tableIdsOf(databaseId: number): Map<string, number> {
  if (tableIds.size >= DATABASES_MAX) tableIds.clear();
  const known = tableIds.get(databaseId) ?? new Map<string, number>();
  tableIds.set(databaseId, known);
  return known;
}

function textOf(question: Question): string {
  switch (question.kind) {
    case "sql":
      return question.sql;
    case "table":
      return `rows of ${question.measurement}`;
    case "match":
      return `rows where ${question.where}`;
  }
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
    tableIds: tableIdsOf(databaseId),
  };
}
