// A measurement as the archive keeps it when it is dropped or renamed.

import type { Change } from "#lib/archive/change.ts";
import type { TableSchema } from "./schema.ts";
import type { TableTotals } from "./types.ts";

/**
 * `totals`: of its files; rows that wait in buffers are not among them. `database` null: of a
 * change that was begun before names were noted.
 */
export function measurementChange(
  action: "update" | "delete",
  { measurement, columns }: TableSchema,
  totals: TableTotals,
  database: string | null,
): Change {
  const artifact = {
    database,
    name: measurement,
    file_count: totals.fileCount,
    row_count: totals.rowCount,
    byte_count: totals.byteLength,
    columns: columns.map(({ name, type }) => ({ name, type })),
  };
  return { group: "measurements", name: measurement, action, database, artifact };
}
