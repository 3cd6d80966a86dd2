// Step 8 of a batch's life: the commit, after which its rows are files.
//
// The catalog is the only commit point. One transaction makes all files of a segment visible and
// notes the segment's id; a repeat finds the id and changes nothing, so it does not matter how
// often or by whom a segment is written. Readers get a snapshot: one version's files.
//
// It also holds the types of all columns: a batch that brings new columns has them added here,
// whole or not at all, before it is stored.
//
// Objects in the lake that no commit names are orphans of crashed writers. They are removed after a
// grace period, tombstone first: a writer so slow that its object was removed under it is refused
// at commit, and puts the file again under another name.
//
// Tables: catalog-tables.ts. Shell: durable-objects/database-catalog.ts. Next:
// workers/query/run-query.ts.

import { assert } from "#lib/base/assert.ts";
import { isRefusal, isSluiceError, refusal, SluiceError } from "#lib/base/errors.ts";
import type { Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, ObjectStore, SqlStore } from "#lib/base/ports.ts";
import type { ScannedColumn } from "#lib/columnar/kinds.ts";
import { type CatalogTables, openCatalogTables } from "./catalog-tables.ts";
import { databasePrefix } from "./object-keys.ts";
import { growSchema } from "./schema-rules.ts";
import type { SchemaColumn, TableSchema } from "./schema.ts";
import type { CommitRequest, CommitResult, Snapshot, SnapshotRequest } from "./types.ts";
import type { SnapshotTable, TableSummary } from "./types.ts";

export interface CatalogPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly lake: ObjectStore;
}

/** One measurement of a request: what its batch says of the columns. */
export interface BatchColumns {
  readonly measurement: string;
  readonly columns: readonly ScannedColumn[];
}

export class CatalogCore {
  readonly #ports: CatalogPorts;
  readonly #tables: CatalogTables;

  constructor(ports: CatalogPorts) {
    this.#ports = ports;
    this.#tables = openCatalogTables(ports.store);
  }

  /**
   * Makes the measurement's schema take a batch with these columns, and returns it.
   * Refuses a conflict of types naming column, both types and the first row; then nothing changed.
   */
  extendSchema(
    databaseId: number,
    measurement: string,
    scanned: readonly ScannedColumn[],
  ): TableSchema | Refusal {
    const schemas = this.extendSchemas(databaseId, [{ measurement, columns: scanned }]);
    return isRefusal(schemas) ? schemas : schemas[0]!;
  }

  /** The same for all measurements of a request, or for none; a refusal names the measurement. */
  extendSchemas(databaseId: number, batches: readonly BatchColumns[]): TableSchema[] | Refusal {
    this.#identify(databaseId);
    try {
      return this.#ports.store.transact(() => batches.map((batch) => this.#extend(batch)));
    } catch (error) {
      if (isSluiceError(error)) return refusal(error);
      throw error;
    }
  }

  /** Same order as asked; null for an id that does not exist. */
  schemas(tableIds: readonly number[]): (TableSchema | null)[] {
    return tableIds.map((tableId) => this.#tables.schemaById(tableId));
  }

  /** Refuses (`object_tombstoned`) when garbage collection has claimed one of the objects. */
  commit(databaseId: number, request: CommitRequest): CommitResult | Refusal {
    this.#identify(databaseId);
    const { segmentId, files } = request;
    const earlier = this.#tables.segmentVersion(segmentId);
    if (earlier !== null) return { version: earlier, isRepeat: true };
    const claimed = files.find((file) => this.#tables.isTombstone(file.key));
    if (claimed !== undefined) {
      const message = `object ${claimed.key} was removed as an orphan before the commit`;
      return refusal(new SluiceError("object_tombstoned", message, { key: claimed.key }));
    }
    return this.#ports.store.transact(() => {
      const version = this.#tables.nextVersion();
      this.#tables.insertSegment(segmentId, version);
      for (const file of files) this.#tables.insertFile(segmentId, file, version);
      return { version, isRepeat: false };
    });
  }

  /** One version's files. Read the tails first and this second, or rows can be missed. */
  snapshot(request: SnapshotRequest): Snapshot {
    const tables = request.tables.map(({ measurement, time }): SnapshotTable | null => {
      const schema = this.#tables.schema(measurement);
      if (schema === null) return null;
      const files = this.#tables.files(schema.tableId, time);
      return { schema, files, fileCount: this.#tables.fileCount(schema.tableId) };
    });
    const isCommitted = (id: string) => this.#tables.segmentVersion(id) !== null;
    const committedSegmentIds = request.tailSegmentIds.filter(isCommitted);
    return { version: this.#tables.head()?.version ?? 0, tables, committedSegmentIds };
  }

  listTables(): TableSummary[] {
    return this.#tables.summaries();
  }

  /** Removes objects that no commit names and that are older than the grace period. */
  async removeOrphans(): Promise<{ removed: number }> {
    const head = this.#tables.head();
    if (head === null) return { removed: 0 };
    const { clock, lake, store } = this.#ports;
    const olderThanMs = clock.nowMs() - LIMITS.orphanGraceMs;
    let removed = 0;
    let cursor: string | undefined;
    do {
      const page = await lake.list(databasePrefix(head.databaseId), cursor);
      const old = page.objects.filter((object) => object.uploadedMs < olderThanMs);
      // Looked up and claimed in one transaction: a commit comes either before it or is refused.
      const claimed = store.transact(() => {
        const orphans = old.map(({ key }) => key).filter((key) => !this.#tables.hasFile(key));
        for (const key of orphans) this.#tables.insertTombstone(key, clock.nowMs());
        return orphans;
      });
      if (claimed.length > 0) {
        await store.sync();
        await lake.remove(claimed);
      }
      removed += claimed.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    this.#tables.forgetTombstones(clock.nowMs() - LIMITS.tombstoneKeepMs);
    return { removed };
  }

  /** Inside a transaction, which a refusal undoes. */
  #extend({ measurement, columns }: BatchColumns): TableSchema {
    const current = this.#tables.schema(measurement);
    let grown: SchemaColumn[];
    try {
      grown = growSchema(current?.columns ?? [], columns);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      throw new SluiceError(error.code, error.message, { ...error.detail, measurement });
    }
    if (current !== null && grown.length === 0) return current;
    const tableId = current?.tableId ?? this.#tables.createMeasurement(measurement);
    this.#tables.putColumns(tableId, grown);
    return this.#tables.schemaById(tableId)!;
  }

  /** A catalog belongs to one database for ever; a request for another one is a bug of ours. */
  #identify(databaseId: number): void {
    const head = this.#tables.head();
    if (head === null) this.#tables.createHead(databaseId);
    else assert(head.databaseId === databaseId, `request for database ${databaseId} went astray`);
  }
}
