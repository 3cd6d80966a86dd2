// All rows of some tables of one database at one moment: the tail and the files, no row twice.
//
// Tails first, catalog second. A segment that is committed between the two is in both, and the
// snapshot names it, so that its tail rows are dropped. The other way round, a segment committed
// and released in between would be in neither.
//
// Tails are asked by table id, since under one name there may be rows of a table that was dropped
// and of the one that came after it. Which name is which id the snapshot says, and with it the
// moment: tails of other ids than the snapshot's are read anew, and the snapshot after them. Ids
// are kept from query to query, so that this is rare.
//
// Next: lib/sql/scan-sql.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Tail, TailRequest } from "#lib/buffer/types.ts";
import { meets } from "#lib/catalog/prune.ts";
import type { Snapshot, SnapshotRequest, SnapshotTable } from "#lib/catalog/types.ts";
import type { TableSummary, WantedRows } from "#lib/catalog/types.ts";
import type { TailBatch } from "./tail-file.ts";

/** One database, as a query sees it. */
export interface DatabaseReader {
  /** Of every shard; `bytesMax` is for all of them together. */
  readTails(request: TailRequest): Promise<Tail[]>;
  /** Resolves when what was acknowledged before is in files and committed. */
  flush(): Promise<void>;
  snapshot(request: SnapshotRequest): Promise<Snapshot>;
  listTables(): Promise<TableSummary[]>;
  /** By measurement, as they were a while ago. */
  readonly tableIds: Map<string, number>;
}

export interface TableContent extends SnapshotTable {
  readonly tail: readonly TailBatch[];
}

const TRIES_MAX = 5;

/**
 * Same order as `wanted`; null where there is no such measurement. Throws `query_too_large` for
 * more files than one query may read.
 */
export async function readConsistently(
  database: DatabaseReader,
  wanted: readonly WantedRows[],
): Promise<{ version: number; tables: (TableContent | null)[] }> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const tableIds = wanted.map(({ measurement }) => database.tableIds.get(measurement));
    const tails = await readTails(database, wanted, tableIds);
    if (isTooMuch(tails)) {
      await database.flush();
      continue;
    }
    const tailSegmentIds = [...new Set(tails.flatMap(({ segmentIds }) => segmentIds))];
    const snapshot = await database.snapshot({ tables: wanted, tailSegmentIds });
    if (!isOfTables(database, wanted, tableIds, snapshot)) continue;
    if (snapshot.hasTooManyFiles) throw tooManyFiles();
    const committed = new Set(snapshot.committedSegmentIds);
    const tail = tails
      .flatMap(({ run }) => run.headers.map((header, at) => ({ header, body: run.bodies[at]! })))
      .filter(({ header }) => !committed.has(header.segmentId));
    const tables = snapshot.tables.map((table, at): TableContent | null => {
      if (table === null) return null;
      const { time } = wanted[at]!;
      const isMeant = ({ header }: TailBatch) =>
        header.tableId === table.schema.tableId && meets(header, time);
      return { ...table, tail: tail.filter(isMeant) };
    });
    return { version: snapshot.version, tables };
  }
  const message =
    "rows come in faster than they are written to files; narrow the time range or wait";
  throw new SluiceError("flush_timeout", message, { retry_after_s: 5 });
}

async function readTails(
  database: DatabaseReader,
  wanted: readonly WantedRows[],
  tableIds: readonly (number | undefined)[],
): Promise<Tail[]> {
  const tables = wanted.flatMap(({ time }, at) => {
    const tableId = tableIds[at];
    return tableId === undefined ? [] : [{ tableId, ...time }];
  });
  if (tables.length === 0) return [];
  return await database.readTails({ tables, bytesMax: LIMITS.tailBytesPerQueryMax });
}

/** False: the tails of a table in the snapshot were not asked for. Remembers what the ids are. */
function isOfTables(
  { tableIds: known }: DatabaseReader,
  wanted: readonly WantedRows[],
  tableIds: readonly (number | undefined)[],
  snapshot: Snapshot,
): boolean {
  for (const [at, table] of snapshot.tables.entries()) {
    const { measurement } = wanted[at]!;
    if (table === null) known.delete(measurement);
    else known.set(measurement, table.schema.tableId);
  }
  return snapshot.tables.every(
    (table, at) => table === null || table.schema.tableId === tableIds[at],
  );
}

export function tooManyFiles(): SluiceError {
  const limit = LIMITS.filesPerQueryMax;
  const message = `the query would read more than ${limit} files; narrow the time range`;
  return new SluiceError("query_too_large", message, { limit });
}

function isTooMuch(tails: readonly Tail[]): boolean {
  const headers = tails.flatMap(({ run }) => run.headers);
  const rowCount = headers.reduce((sum, header) => sum + header.rowCount, 0);
  return rowCount > LIMITS.tailRowsPerQueryMax || tails.some(({ isOverBudget }) => isOverBudget);
}
