// The shell of a catalog round lib/catalog/catalog.ts, where the thinking is.
// One object per database, named `<databaseId>`.

import { DurableObject } from "cloudflare:workers";
import type { Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type BatchColumns, CatalogCore } from "#lib/catalog/catalog.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { CommitRequest, CommitResult, Snapshot } from "#lib/catalog/types.ts";
import type { SnapshotRequest, TableSummary } from "#lib/catalog/types.ts";
import { systemClock } from "#platform/clock.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { r2ObjectStore } from "#platform/r2.ts";

export class DatabaseCatalog extends DurableObject<IngestEnv> {
  readonly #core: CatalogCore;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const lake = r2ObjectStore(env.LAKE);
    this.#core = new CatalogCore({ store: sqlStore(ctx.storage), clock: systemClock, lake });
  }

  async extendSchemas(
    databaseId: number,
    batches: readonly BatchColumns[],
  ): Promise<TableSchema[] | Refusal> {
    return this.#core.extendSchemas(databaseId, batches);
  }

  async schemas(tableIds: readonly number[]): Promise<(TableSchema | null)[]> {
    return this.#core.schemas(tableIds);
  }

  async commit(databaseId: number, request: CommitRequest): Promise<CommitResult | Refusal> {
    const result = this.#core.commit(databaseId, request);
    if ((await this.ctx.storage.getAlarm()) === null) this.#armGarbageCollection();
    return result;
  }

  async snapshot(request: SnapshotRequest): Promise<Snapshot> {
    return this.#core.snapshot(request);
  }

  async listTables(): Promise<TableSummary[]> {
    return this.#core.listTables();
  }

  /** Garbage collection. Never throws, or the platform would drop the alarm after six tries. */
  override async alarm(): Promise<void> {
    const log = createLog("database-catalog", this.env.LOG_LEVEL);
    const object = { catalog: this.ctx.id.name ?? this.ctx.id.toString() };
    try {
      const { removed } = await this.#core.removeOrphans();
      log.info("orphans removed", { ...object, removed });
    } catch (error) {
      log.error("orphans not removed", error, object);
    }
    this.#armGarbageCollection();
  }

  #armGarbageCollection(): void {
    alarm(this.ctx.storage).setMs(systemClock.nowMs() + LIMITS.orphanSweepEveryMs);
  }
}
