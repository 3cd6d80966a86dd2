// Tells the registry of a query that lasts, and the query that somebody wants its end.
//
// Most queries are over before it begins; they cost the registry nothing.

import { LIMITS } from "#lib/base/limits.ts";
import type { QueryStatus } from "#lib/queries/types.ts";
import type { Log } from "./log.ts";

export interface Watch {
  /** `done` or an error's code. Only the first time counts. */
  end(outcome: string): void;
}

/** `inBackground` lets the query's last word be said after its answer. */
export function watchQuery(
  registries: QueryEnv["QUERY_REGISTRY"],
  statusNow: () => QueryStatus,
  cancel: () => void,
  inBackground: (work: Promise<void>) => void,
  log: Log,
): Watch {
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  const work = async () => {
    let outcome = await outcomeWithin(ended, LIMITS.queryListedAfterMs);
    if (outcome !== null) return;
    const registry = registries.getByName("queries");
    while (outcome === null) {
      const { isCancelled } = await registry.report(statusNow());
      if (isCancelled) cancel();
      outcome = await outcomeWithin(ended, LIMITS.queryReportEveryMs);
    }
    await registry.end(statusNow(), outcome);
  };
  const report = (error: unknown) =>
    log.error("query not listed", error, { query_id: statusNow().queryId });
  inBackground(work().catch(report));
  return { end };
}

/** null: it lasts on. */
async function outcomeWithin(ended: Promise<string>, ms: number): Promise<string | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
