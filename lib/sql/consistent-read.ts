// All rows of some tables of one database at one moment: the tail and the files, no row twice.
//
// Tails first, catalog second. A segment that is committed between the two is in both, and the
// snapshot names it, so that its tail rows are dropped. The other way round, a segment committed
// and released in between would be in neither.
// Next: lib/sql/scan-sql.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Tail, TailRequest } from "#lib/buffer/types.ts";
import { meets, pruneByTime } from "#lib/catalog/prune.ts";
import type { Snapshot, SnapshotRequest, SnapshotTable } from "#lib/catalog/types.ts";
import type { TableSummary, TimeRangeMs } from "#lib/catalog/types.ts";
import type { TailBatch } from "./tail-file.ts";

/** One database, as a query sees it. */
export interface DatabaseReader {
  /** Of every shard; `bytesMax` is for all of them together. */
  readTails(request: TailRequest): Promise<Tail[]>;
  /** Resolves when what was acknowledged before is in files and committed. */
  flush(): Promise<void>;
  snapshot(request: SnapshotRequest): Promise<Snapshot>;
  listTables(): Promise<TableSummary[]>;
}

export interface WantedTable {
  readonly measurement: string;
  readonly time: TimeRangeMs;
}

export interface TableContent extends SnapshotTable {
  readonly tail: readonly TailBatch[];
}

const TRIES_MAX = 3;

/** Same order as `wanted`; null where there is no such measurement. */
export async function readConsistently(
  database: DatabaseReader,
  wanted: readonly WantedTable[],
): Promise<{ version: number; tables: (TableContent | null)[] }> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const tails = await database.readTails({
      tables: wanted.map(({ measurement, time }) => ({ measurement, ...time })),
      bytesMax: LIMITS.tailBytesPerQueryMax,
    });
    if (isTooMuch(tails)) {
      await database.flush();
      continue;
    }
    const tailSegmentIds = [...new Set(tails.flatMap(({ segmentIds }) => segmentIds))];
    const snapshot = await database.snapshot({ tables: wanted, tailSegmentIds });
    const committed = new Set(snapshot.committedSegmentIds);
    const tail = tails
      .flatMap(({ run }) => run.headers.map((header, at) => ({ header, body: run.bodies[at]! })))
      .filter(({ header }) => !committed.has(header.segmentId));
    const tables = snapshot.tables.map((table, at): TableContent | null => {
      if (table === null) return null;
      const { measurement, time } = wanted[at]!;
      const isMeant = ({ header }: TailBatch) =>
        header.measurement === measurement && meets(header, time);
      return { ...table, files: pruneByTime(table.files, time), tail: tail.filter(isMeant) };
    });
    return { version: snapshot.version, tables };
  }
  const message =
    "rows come in faster than they are written to files; narrow the time range or wait";
  throw new SluiceError("flush_timeout", message, { retry_after_s: 5 });
}

function isTooMuch(tails: readonly Tail[]): boolean {
  const headers = tails.flatMap(({ run }) => run.headers);
  const rowCount = headers.reduce((sum, header) => sum + header.rowCount, 0);
  return rowCount > LIMITS.tailRowsPerQueryMax || tails.some(({ isOverBudget }) => isOverBudget);
}
