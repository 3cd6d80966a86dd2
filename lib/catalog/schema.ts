// The type of each column of a measurement, and how it grows. It only ever grows.
//
// New columns may come with any batch; int64 may widen to float64; nothing else changes. So a stale
// copy of a schema in some isolate's cache can refuse nothing wrongly and accept nothing wrongly,
// as long as what it does not know is asked of the catalog.

import type { ColumnType } from "#lib/columnar/types.ts";

export interface SchemaColumn {
  readonly name: string;
  /** null: only NULLs were seen so far, the first value decides. */
  readonly type: ColumnType | null;
  /** A utf8 column that began with numbers and texts mixed goes on taking numbers, as text. */
  readonly takesNumbers: boolean;
}

export interface TableSchema {
  readonly tableId: number;
  readonly measurement: string;
  /** Grows by one with every change of the columns. */
  readonly schemaVersion: number;
  readonly columns: readonly SchemaColumn[];
}
