// The shell of the registry of queries round lib/queries/registry.ts. One object, named `queries`.

import { DurableObject } from "cloudflare:workers";
import type { Refusal } from "#lib/base/errors.ts";
import { QueryRegistryCore } from "#lib/queries/registry.ts";
import type { EndedQuery, QueryStatus, QueryViewer } from "#lib/queries/types.ts";
import { systemClock } from "#platform/clock.ts";
import { sqlStore } from "#platform/durable-storage.ts";

export class QueryRegistry extends DurableObject<IngestEnv> {
  readonly #core: QueryRegistryCore;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    this.#core = new QueryRegistryCore({ store: sqlStore(ctx.storage), clock: systemClock });
  }

  async report(status: QueryStatus): Promise<{ isCancelled: boolean }> {
    return this.#core.report(status);
  }

  async end(status: QueryStatus, outcome: string): Promise<void> {
    this.#core.end(status, outcome);
  }

  async listActive(viewer: QueryViewer): Promise<QueryStatus[]> {
    return this.#core.listActive(viewer);
  }

  async listEnded(viewer: QueryViewer): Promise<EndedQuery[]> {
    return this.#core.listEnded(viewer);
  }

  async find(
    queryId: string,
    viewer: QueryViewer,
  ): Promise<{ query: QueryStatus | EndedQuery } | Refusal> {
    return this.#core.find(queryId, viewer);
  }

  async cancel(queryId: string, viewer: QueryViewer): Promise<Refusal | null> {
    return this.#core.cancel(queryId, viewer);
  }
}
