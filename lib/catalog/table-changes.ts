// Dropping and renaming a measurement, so that no acknowledged row is lost or lands elsewhere.
//
// Who writes holds a name and an id that belonged together a while ago. So a change has three
// steps: it is noted here, and from now on nobody is told a schema under either name; every shard
// of the buffer is told, and refuses what comes for the table under its old name; then one
// transaction changes the catalog. Up to that transaction readers see the table as it was, after it
// as it is to be. A crash in between leaves the note, and the object's alarm, or the same request
// once more, goes on from it: each step may be done again.
//
// A table keeps its id when it is renamed, and so do its rows in files and buffers. An id that was
// dropped is never used again.
//
// Refuses a name that does not exist, one that is taken, and one in the middle of another change.

import type { Archive } from "#lib/archive/archive.ts";
import { assert } from "#lib/base/assert.ts";
import { SluiceError } from "#lib/base/errors.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import { measurementChange } from "./artifacts.ts";
import { type CatalogTables, openCatalogTables } from "./catalog-tables.ts";
import { type ChangeTables, openChangeTables, type TableChange } from "./change-tables.ts";
import type { TableTotals } from "./types.ts";

export interface TableChangesPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly archive: Pick<Archive, "note">;
  /** Resolves when the shard would refuse, also after a crash, what is not under this name. */
  nameTable(shard: number, change: TableChange): Promise<void>;
  /** Rows of the table that the shard has not released, by segment. */
  bufferedRows(shard: number, tableId: number): Promise<readonly BufferedRows[]>;
}

/** The database, as far as it matters here. */
export interface ChangedDatabase {
  readonly name: string;
  readonly shardCount: number;
}

export interface BufferedRows {
  readonly segmentId: string;
  readonly rowCount: number;
}

export class TableChanges {
  readonly #ports: TableChangesPorts;
  readonly #tables: CatalogTables;
  readonly #changes: ChangeTables;

  constructor(ports: TableChangesPorts) {
    this.#ports = ports;
    this.#tables = openCatalogTables(ports.store);
    this.#changes = openChangeTables(ports.store);
  }

  /** What a drop would take away now. Throws `measurement_unknown`. */
  async weigh(measurement: string, shardCount: number): Promise<TableTotals> {
    const { tableId } = this.#find(measurement);
    return this.#total(tableId, await this.#buffered(tableId, shardCount));
  }

  /**
   * Rows acknowledged before are gone, files and buffers; rows that come later make a new table.
   * Throws `measurement_unknown`, `measurement_changing`.
   */
  async drop(measurement: string, database: ChangedDatabase): Promise<TableTotals> {
    const change = await this.#begin(measurement, null, database);
    await this.#tellShards(change);
    const buffered = await this.#buffered(change.tableId, database.shardCount);
    const dropped = this.#total(change.tableId, buffered);
    this.#finish(change);
    return dropped;
  }

  /** Throws `measurement_unknown`, `measurement_exists`, `measurement_changing`. */
  async rename(measurement: string, newName: string, database: ChangedDatabase): Promise<void> {
    const change = await this.#begin(measurement, newName, database);
    await this.#tellShards(change);
    this.#finish(change);
  }

  /** Goes on with what a crash, or a shard that did not answer, has left. Returns how many. */
  async finishAll(): Promise<number> {
    let count = 0;
    // Until none is left: who plans the next run must not forget one that has begun meanwhile.
    for (;;) {
      const changes = this.#changes.changes();
      if (changes.length === 0) return count;
      for (const change of changes) {
        await this.#tellShards(change);
        this.#finish(change);
      }
      count += changes.length;
    }
  }

  async #begin(
    measurement: string,
    newName: string | null,
    { name, shardCount }: ChangedDatabase,
  ): Promise<TableChange> {
    const change = this.#ports.store.transact(() => {
      this.#changes.noteDatabaseName(name);
      const begun = this.#changes.changeOf(measurement);
      if (begun?.measurement === measurement && begun.newName === newName) return begun;
      if (begun !== null) throw changing(measurement);
      const { tableId } = this.#find(measurement);
      if (newName !== null) this.#demandFree(newName);
      return this.#changes.insertChange({ tableId, measurement, newName, shardCount });
    });
    // Were the note lost and a shard not, the table would take rows under no name at all.
    await this.#ports.store.sync();
    return change;
  }

  async #tellShards(change: TableChange): Promise<void> {
    const shards = Array.from({ length: change.shardCount }, (_, shard) => shard);
    await Promise.all(shards.map((shard) => this.#ports.nameTable(shard, change)));
  }

  /** Harmless when somebody else has done it meanwhile. */
  #finish({ changeNo, tableId, measurement, newName }: TableChange): void {
    this.#ports.store.transact(() => {
      if (!this.#changes.hasChange(changeNo)) return;
      const version = this.#tables.nextVersion();
      if (newName === null) {
        this.#archive(tableId, "delete");
        this.#changes.removeTable(tableId, version, this.#ports.clock.nowMs());
      } else {
        this.#changes.renameTable(tableId, newName);
        this.#archive(tableId, "update", measurement);
      }
      this.#changes.forgetChange(changeNo);
    });
  }

  /** `oldName`: the archive finds a renamed measurement under both. */
  #archive(tableId: number, action: "update" | "delete", oldName?: string): void {
    const schema = this.#tables.schemaById(tableId);
    const database = this.#changes.databaseName();
    assert(schema !== null, `table ${tableId} is in a change and has no schema`);
    const change = measurementChange(action, schema, this.#changes.fileTotals(tableId), database);
    this.#ports.archive.note(oldName === undefined ? change : { ...change, oldName });
  }

  async #buffered(tableId: number, shardCount: number): Promise<BufferedRows[]> {
    const shards = Array.from({ length: shardCount }, (_, shard) => shard);
    const rows = await Promise.all(shards.map((shard) => this.#ports.bufferedRows(shard, tableId)));
    return rows.flat();
  }

  /** Buffers first, files second, as for every reader: no row twice, and none missed. */
  #total(tableId: number, buffered: readonly BufferedRows[]): TableTotals {
    const files = this.#changes.fileTotals(tableId);
    const isInFile = ({ segmentId }: BufferedRows) =>
      this.#tables.segmentVersion(segmentId) !== null;
    const waiting = buffered.filter((rows) => !isInFile(rows));
    const waitingCount = waiting.reduce((sum, { rowCount }) => sum + rowCount, 0);
    return { ...files, rowCount: files.rowCount + waitingCount };
  }

  #find(measurement: string): { readonly tableId: number } {
    const schema = this.#tables.schema(measurement);
    if (schema !== null) return schema;
    throw unknownMeasurement(measurement);
  }

  #demandFree(name: string): void {
    if (this.#tables.schema(name) !== null) {
      const message = `measurement "${name}" exists already`;
      throw new SluiceError("measurement_exists", message, { measurement: name });
    }
    if (this.#changes.changeOf(name) !== null) throw changing(name);
  }
}

export function unknownMeasurement(measurement: string): SluiceError {
  const message = `there is no measurement "${measurement}"`;
  return new SluiceError("measurement_unknown", message, { measurement });
}

export function changing(measurement: string): SluiceError {
  const message = `measurement "${measurement}" is being dropped or renamed; try again`;
  return new SluiceError("measurement_changing", message, { measurement, retry_after_s: 1 });
}
