// The files of some tables that may have wanted rows.
//
// Statistics stay here: they are what makes a catalog large. Files are looked at a few hundred at a
// time, so that of those without wanted rows nothing piles up, and a query that would read too many
// is known before they are listed.

import { LIMITS } from "#lib/base/limits.ts";
import type { ColumnStatistics } from "#lib/columnar/statistics.ts";
import type { CatalogTables, FileRow } from "./catalog-tables.ts";
import { type KnownColumn, knownBounds, mayHold, type RowPredicate } from "./row-predicate.ts";
import { timeRangeOf } from "./row-predicate.ts";
import type { SchemaColumn, TableSchema } from "./schema.ts";
import type { Snapshot, SnapshotFile, SnapshotTable, StoredColumn, WantedRows } from "./types.ts";
import type { SearchedFile } from "./types.ts";

const FILES_AT_ONCE = 500;

export function snapshotTables(
  tables: CatalogTables,
  wanted: readonly WantedRows[],
): Pick<Snapshot, "tables" | "hasTooManyFiles"> {
  const listed = new Listed();
  const found = wanted.map(({ measurement, time, where }): SnapshotTable | null => {
    const schema = tables.schema(measurement);
    if (schema === null) return null;
    const fileIds = tables.fileIds(schema.tableId, time);
    const files: SnapshotFile[] = [];
    for (let at = 0; at < fileIds.length && !listed.isTooMuch; at += FILES_AT_ONCE) {
      for (const row of tables.files(fileIds.slice(at, at + FILES_AT_ONCE))) {
        const columns = JSON.parse(row.columns) as ColumnStatistics[];
        if (fileMayHold(where, schema, row, columns)) files.push(listed.add(row, columns));
      }
    }
    const fileCount = tables.fileCount(schema.tableId);
    return { schema, files, fileCount, timelyFileCount: fileIds.length };
  });
  if (!listed.isTooMuch) return { tables: found, hasTooManyFiles: false };
  const none = found.map((table) => (table === null ? null : { ...table, files: [] }));
  return { tables: none, hasTooManyFiles: true };
}

/** Those of one table that may have rows that meet `where`, in order of time. */
export function searchedFiles(
  tables: CatalogTables,
  schema: TableSchema,
  where: RowPredicate,
): SearchedFile[] {
  const listed = new Listed();
  const fileIds = tables.fileIds(schema.tableId, timeRangeOf(where));
  const files: SearchedFile[] = [];
  for (let at = 0; at < fileIds.length; at += FILES_AT_ONCE) {
    for (const [i, row] of tables.files(fileIds.slice(at, at + FILES_AT_ONCE)).entries()) {
      const columns = JSON.parse(row.columns) as ColumnStatistics[];
      if (!fileMayHold(where, schema, row, columns)) continue;
      files.push({ ...listed.add(row, columns), fileId: fileIds[at + i]! });
    }
  }
  return files;
}

/** Files and lists of columns by content: what is listed once is sent once. */
class Listed {
  readonly #files = new Map<string, SnapshotFile>();
  readonly #layouts = new Map<string, StoredColumn[]>();

  add(row: FileRow, statistics: readonly ColumnStatistics[]): SnapshotFile {
    const known = this.#files.get(row.key);
    if (known !== undefined) return known;
    const columns = statistics.map(({ name, type }) => ({ name, type }));
    const identity = JSON.stringify(columns);
    const layout = this.#layouts.get(identity) ?? columns;
    this.#layouts.set(identity, layout);
    const file = { ...row, columns: layout };
    this.#files.set(row.key, file);
    return file;
  }

  get isTooMuch(): boolean {
    return this.#files.size > LIMITS.filesPerQueryMax;
  }
}

function fileMayHold(
  where: RowPredicate,
  schema: TableSchema,
  { rowCount }: FileRow,
  statistics: readonly ColumnStatistics[],
): boolean {
  return mayHold(where, (name) => {
    const isMeant = (column: { readonly name: string }) => column.name.toLowerCase() === name;
    const column = schema.columns.find(isMeant);
    // Not a column of this table at all, but a name from round about.
    if (column === undefined) return null;
    return knownColumn(column, statistics.find(isMeant), rowCount);
  });
}

function knownColumn(
  { type }: SchemaColumn,
  stored: ColumnStatistics | undefined,
  rowCount: number,
): KnownColumn {
  const wanted = type ?? "utf8";
  // The file is older than the column: it is NULL in all of its rows.
  if (stored === undefined) {
    return { type: wanted, hasNulls: true, hasValues: false, bounds: null };
  }
  return {
    type: wanted,
    hasNulls: stored.nullCount > 0,
    hasValues: stored.nullCount < rowCount,
    bounds: knownBounds(stored.type, wanted, stored.min, stored.max),
  };
}
