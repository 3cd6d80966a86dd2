// A measurement as SQL over its files: what takes a table's place in the query.
//
// The engine keeps what it knows of a file until the scan ends that the file is part of; so many
// files are many scans, one after the other.
//
// Files of one measurement differ: a column came later, an int64 became a float64. Files with the
// same columns are read by one read_parquet, and the groups are put together with every column
// spelled out, cast or NULL, so that all rows look as the schema is today.
//
// A query sees TIMESTAMP, in UTC, and so does the engine (lib/sql/plain-times.ts). The bounds that
// the query puts on `time` stand here once more, on the stored column: not all that a query says of
// its time is something by which the engine passes over row groups.
// Next: lib/sql/read-ahead.ts.

import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import type { ColumnType } from "#lib/columnar/types.ts";

export interface ScanFile {
  /** As the engine knows it; made by us. */
  readonly name: string;
  readonly types: ReadonlyMap<string, ColumnType>;
}

const SQL_TYPES: Record<ColumnType, string> = {
  int64: "BIGINT",
  float64: "DOUBLE",
  utf8: "VARCHAR",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

/** The engine's name for the number of a row in its file. */
export const FILE_ROW = "file_row_number";

/** `withRowNumbers`: with a column FILE_ROW more. */
export function scanSql(
  schema: TableSchema,
  files: readonly ScanFile[],
  range: TimeRangeMs,
  withRowNumbers = false,
): string {
  const groups = Map.groupBy(files, (file) => selectList(schema, file.types));
  if (groups.size === 0) {
    const row = withRowNumbers ? `, NULL::BIGINT AS ${FILE_ROW}` : "";
    return `SELECT ${selectList(schema, new Map())}${row} WHERE false`;
  }
  const bounds = timeBounds(range);
  const scans = [...groups].flatMap(([list, group]) =>
    cut(group, LIMITS.filesPerScanMax).map((few) => [list, few] as const),
  );
  const parts = scans.map(([list, group]) => {
    const names = group.map(({ name }) => `'${name}'`).join(", ");
    if (!withRowNumbers) return `SELECT ${list} FROM read_parquet([${names}])${bounds}`;
    const source = `read_parquet([${names}], ${FILE_ROW} = true)`;
    return `SELECT ${list}, ${FILE_ROW} FROM ${source}${bounds}`;
  });
  return parts.join(" UNION ALL ");
}

function cut<T>(items: readonly T[], countMax: number): T[][] {
  const count = Math.ceil(items.length / countMax);
  return Array.from({ length: count }, (_, i) => items.slice(i * countMax, (i + 1) * countMax));
}

function selectList({ columns }: TableSchema, types: ReadonlyMap<string, ColumnType>): string {
  const parts = columns.map(({ name, type }) => {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    // Only NULLs were seen so far: a NULL without a type fits wherever a value of any type would.
    if (type === null) return `NULL AS ${quoted}`;
    const stored = types.get(name);
    if (stored === undefined) return `NULL::${SQL_TYPES[type]} AS ${quoted}`;
    return stored === type ? quoted : `${quoted}::${SQL_TYPES[type]} AS ${quoted}`;
  });
  return parts.join(", ");
}

function timeBounds({ minMs, maxMs }: TimeRangeMs): string {
  const low = minMs === null ? null : timestampLiteral(minMs);
  const high = maxMs === null ? null : timestampLiteral(maxMs);
  const terms = [
    ...(low === null ? [] : [`"time" >= ${low}`]),
    ...(high === null ? [] : [`"time" <= ${high}`]),
  ];
  return terms.length === 0 ? "" : ` WHERE ${terms.join(" AND ")}`;
}

/** null where the year has no four digits; a bound may be left out. */
function timestampLiteral(ms: number): string | null {
  const [first, last] = [Date.UTC(1000, 0, 1), Date.UTC(9999, 11, 31)];
  if (!(ms >= first && ms <= last)) return null;
  return `TIMESTAMP '${new Date(ms).toISOString().replace("T", " ").replace("Z", "")}'`;
}
