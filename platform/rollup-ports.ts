// Everything that a rollup's runner asks of the database's catalog, the query Worker and R2.

import { LIMITS } from "#lib/base/limits.ts";
import type { RollupPorts } from "#lib/upkeep/rollup-run.ts";
import type { StartedRollup } from "#lib/upkeep/rollup-types.ts";
import { askArrow } from "./ask-query.ts";
import { r2FetchRange, r2ObjectStore } from "./r2.ts";
import { unwrap } from "./rpc.ts";

export function rollupPorts(
  { jobId, attempt, rollup, version }: StartedRollup,
  databaseId: number,
  env: RollupRunnerEnv,
): RollupPorts {
  const ticket = { jobId, attempt };
  const asked = { database: rollup.database, requestId: `rollup-${databaseId}-${jobId}` };
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  return {
    nextChunk: (slotCountMax) => unwrap(catalog.nextRollupChunk(ticket, version, slotCountMax)),
    extendSchema: (columns) => unwrap(catalog.extendRollupSchema(ticket, columns)),
    commit: async (change) => void (await unwrap(catalog.commitRollup(ticket, change))),
    finish: async () => void (await unwrap(catalog.finishRollup(ticket))),
    fail: async (code, message, isFinal) =>
      void (await unwrap(catalog.failJob(ticket, code, message, isFinal))),
    query: (sql) => askArrow({ ...asked, sql }, LIMITS.rollupAnswerBytesMax, env.QUERY),
    fetchRange: r2FetchRange(env.LAKE),
    lake: r2ObjectStore(env.LAKE),
  };
}
