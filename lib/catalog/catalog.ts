// Step 8 of a batch's life: the commit, after which its rows are files.
//
// The catalog is the only commit point. One transaction makes all files of a segment visible and
// notes the segment's id; a repeat finds the id and changes nothing, so it does not matter how
// often or by whom a segment is written. Readers get a snapshot: one version's files.
//
// It also holds the types of all columns: a batch that brings new columns has them added here,
// whole or not at all, before it is stored.
//
// Files are replaced by others (compaction, delete, rollups) in one transaction, too, and only
// while all of those to be replaced are live: of two who rewrite the same file one comes too late.
//
// Tables: catalog-tables.ts. Shell: durable-objects/database-catalog.ts. Next:
// workers/query/run-query.ts.

import { assert } from "#lib/base/assert.ts";
import { asRefusal, isRefusal, isSluiceError, orRefusal } from "#lib/base/errors.ts";
import { SluiceError } from "#lib/base/errors.ts";
import type { Refusal } from "#lib/base/errors.ts";
import type { Clock, ObjectStore, SqlStore } from "#lib/base/ports.ts";
import type { ScannedColumn } from "#lib/columnar/kinds.ts";
import { type CatalogTables, openCatalogTables } from "./catalog-tables.ts";
import { type ChangeTables, openChangeTables } from "./change-tables.ts";
import { Derived } from "./derived.ts";
import { type Garbage, removeOrphans, removeReplaced } from "./garbage.ts";
import { growSchema } from "./schema-rules.ts";
import type { SchemaColumn, TableSchema } from "./schema.ts";
import type { RowPredicate } from "./row-predicate.ts";
import { searchedFiles, snapshotTables } from "./snapshot.ts";
import { changing } from "./table-changes.ts";
import { type TableView, viewTable } from "./table-view.ts";
import type {
  CommitRequest,
  CommitResult,
  DataFile,
  FileChange,
  FilePage,
  LiveFile,
  Snapshot,
  SnapshotRequest,
} from "./types.ts";
import type { SearchedTable, TableSummary } from "./types.ts";

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
  readonly #changes: ChangeTables;
  readonly #derived: Derived;

  constructor(ports: CatalogPorts) {
    this.#ports = ports;
    this.#tables = openCatalogTables(ports.store);
    this.#changes = openChangeTables(ports.store);
    this.#derived = new Derived(ports.store);
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
    return orRefusal(() => {
      this.#demandContent();
      return this.#ports.store.transact(() => batches.map((batch) => this.#extend(batch)));
    });
  }

  /**
   * The measurement that a rollup writes from now on, made if there is none. Inside the caller's
   * transaction. Throws `measurement_exists` when it has been written by others.
   */
  claimForRollup(databaseId: number, measurement: string, rollupId: number): TableSchema {
    this.#identify(databaseId);
    this.#demandContent();
    if (this.#changes.changeOf(measurement) !== null) throw changing(measurement);
    const found = this.#tables.schema(measurement);
    if (found !== null && !this.#derived.has(found.tableId)) {
      const message = `measurement "${measurement}" exists; a rollup needs one of its own`;
      throw new SluiceError("measurement_exists", message, { measurement });
    }
    const schema = this.#grow(measurement, found, []);
    this.#derived.claim(schema.tableId, rollupId);
    return schema;
  }

  /** Its rows stay; clients may write to it, too. */
  releaseFromRollup(rollupId: number): void {
    this.#derived.release(rollupId);
  }

  /** As `extendSchema`, for the rollup that writes the table; throws what that refuses. */
  extendDerived(tableId: number, columns: readonly ScannedColumn[]): TableSchema {
    return this.#ports.store.transact(() => {
      const schema = this.#tables.schemaById(tableId);
      if (schema === null) throw new SluiceError("measurement_unknown", "it was dropped");
      return this.#grow(schema.measurement, schema, columns);
    });
  }

  /** null: there is no measurement of that name. */
  findSchema(measurement: string): TableSchema | null {
    return this.#tables.schema(measurement);
  }

  /** Same order as asked; null for an id that does not exist. */
  schemas(tableIds: readonly number[]): (TableSchema | null)[] {
    return tableIds.map((tableId) => this.#tables.schemaById(tableId));
  }

  /**
   * Refuses (`object_tombstoned`) when garbage collection has claimed one of the objects,
   * (`database_unknown`) when the database was dropped.
   */
  commit(databaseId: number, request: CommitRequest): CommitResult | Refusal {
    this.#identify(databaseId);
    const { segmentId, files } = request;
    const earlier = this.#tables.segmentVersion(segmentId);
    if (earlier !== null) return { version: earlier, isRepeat: true };
    const refused = asRefusal(() => {
      this.#demandContent();
      this.#refuseTombstoned(files);
    });
    if (refused !== null) return refused;
    return this.#ports.store.transact(() => {
      const version = this.#tables.nextVersion();
      this.#tables.insertSegment(segmentId, version);
      for (const file of files) {
        // Dropped while its rows were written: the object is an orphan now.
        if (!this.#tables.hasTable(file.tableId)) continue;
        this.#tables.insertFile(file, version, this.#ports.clock.nowMs());
        this.#tables.noteChange(file.tableId, version, file.timeMinMs, file.timeMaxMs);
      }
      return { version, isRepeat: false };
    });
  }

  /**
   * Files in the place of others, inside the caller's transaction; returns the new version.
   * Throws `files_changed` when one of those to remove is live no more, `object_tombstoned` when
   * one of those to add is already removed as an orphan: the transaction is to be undone then.
   */
  replaceFiles({ removes, adds, changed }: FileChange): number {
    const gone = removes.find((fileId) => !this.#tables.isLive(fileId));
    if (gone !== undefined) {
      const message = `file ${gone} was replaced or removed by someone else meanwhile`;
      throw new SluiceError("files_changed", message, { file_id: gone });
    }
    const homeless = adds.find(({ tableId }) => !this.#tables.hasTable(tableId));
    if (homeless !== undefined) {
      const message = `the measurement of ${homeless.key} was dropped meanwhile`;
      throw new SluiceError("files_changed", message, { key: homeless.key });
    }
    this.#refuseTombstoned(adds);
    const nowMs = this.#ports.clock.nowMs();
    const version = this.#tables.nextVersion();
    for (const fileId of removes) this.#tables.removeFile(fileId, version, nowMs);
    for (const file of adds) this.#tables.insertFile(file, version, nowMs);
    for (const { tableId, timeMinMs, timeMaxMs } of changed) {
      this.#tables.noteChange(tableId, version, timeMinMs, timeMaxMs);
    }
    return version;
  }

  /**
   * One version's files. Read the tails first and this second, or rows can be missed. Throws
   * `database_unknown` when the database was dropped.
   */
  snapshot(request: SnapshotRequest): Snapshot {
    this.#demandContent();
    const isCommitted = (id: string) => this.#tables.segmentVersion(id) !== null;
    return {
      version: this.#tables.head()?.version ?? 0,
      ...snapshotTables(this.#tables, request.tables),
      committedSegmentIds: request.tailSegmentIds.filter(isCommitted),
    };
  }

  /** null until the first request. */
  get databaseId(): number | null {
    return this.#tables.head()?.databaseId ?? null;
  }

  get version(): number {
    return this.#tables.head()?.version ?? 0;
  }

  /** In order of time; `day` null: of all days. */
  liveFiles(tableId: number, day: string | null = null): LiveFile[] {
    return this.#tables.liveFiles(tableId, day);
  }

  /** Those with rows of earlier times, in order of time. */
  filesBefore(tableId: number, beforeMs: number): LiveFile[] {
    return this.#tables.filesBefore(tableId, beforeMs);
  }

  /** A page of a measurement's files by id; null: there is no such measurement. */
  listFiles(measurement: string, afterId: number, countMax: number): FilePage | null {
    const schema = this.#tables.schema(measurement);
    if (schema === null) return null;
    const files = this.#tables.filesAfter(schema.tableId, afterId, countMax);
    return { version: this.version, files };
  }

  /** False: no version from now on has a file of that key. */
  isLive(key: string): boolean {
    return this.#tables.hasFile(key);
  }

  /** Those that may have rows that meet `where`; null: the table was dropped. */
  searchedFiles(tableId: number, where: RowPredicate): SearchedTable | null {
    const schema = this.#tables.schemaById(tableId);
    return schema && { schema, files: searchedFiles(this.#tables, schema, where) };
  }

  /** Of every measurement the days that it has files of below `bytesMax`, and how many. */
  days(bytesMax: number) {
    return this.#tables.days(bytesMax);
  }

  /** Without those that are being dropped. */
  listTables(): TableSummary[] {
    const leaving = this.#changes.changes().filter(({ newName }) => newName === null);
    const ids = new Set(leaving.map(({ tableId }) => tableId));
    return this.#tables.summaries().filter(({ tableId }) => !ids.has(tableId));
  }

  /** null: there is no such measurement. */
  viewTable(measurement: string): TableView | null {
    return viewTable(this.#tables, measurement);
  }

  /**
   * The database is dropped: nothing stays but the sign that it is. Objects are not its business.
   */
  erase(): void {
    this.#ports.store.transact(() => this.#changes.erase());
  }

  /** Removes objects that no version needs any more: see garbage.ts. */
  async collectGarbage(): Promise<Garbage> {
    const head = this.#tables.head();
    if (head === null) return { orphanCount: 0, replacedCount: 0 };
    const collector = { ...this.#ports, tables: this.#tables };
    const replacedCount = await removeReplaced(collector);
    const orphanCount = await removeOrphans(head.databaseId, collector);
    return { orphanCount, replacedCount };
  }

  #refuseTombstoned(files: readonly DataFile[]): void {
    const claimed = files.find((file) => this.#tables.isTombstone(file.key));
    if (claimed === undefined) return;
    const message = `object ${claimed.key} was removed as an orphan before the commit`;
    throw new SluiceError("object_tombstoned", message, { key: claimed.key });
  }

  /** Inside a transaction, which a refusal undoes. */
  #extend({ measurement, columns }: BatchColumns): TableSchema {
    if (this.#changes.changeOf(measurement) !== null) throw changing(measurement);
    const current = this.#tables.schema(measurement);
    if (current !== null) this.#derived.admitClient(current.tableId, measurement);
    return this.#grow(measurement, current, columns);
  }

  #grow(
    measurement: string,
    current: TableSchema | null,
    columns: readonly ScannedColumn[],
  ): TableSchema {
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

  #demandContent(): void {
    if (!this.#changes.isErased()) return;
    throw new SluiceError("database_unknown", "the database was dropped");
  }

  /** A catalog belongs to one database for ever; a request for another one is a bug of ours. */
  #identify(databaseId: number): void {
    const head = this.#tables.head();
    if (head === null) this.#tables.createHead(databaseId);
    else assert(head.databaseId === databaseId, `request for database ${databaseId} went astray`);
  }
}
