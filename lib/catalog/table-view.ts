// What the files of a measurement say of its columns, without reading one: from the statistics that
// the catalog keeps. Rows that are not in a file yet are not counted.
//
// Statistics of tens of thousands of files would not fit at once, and so are looked at a few
// hundred at a time.

import type { ColumnStatistics, StatisticValue } from "#lib/columnar/statistics.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { CatalogTables, FileRow } from "./catalog-tables.ts";
import type { SchemaColumn, TableSchema } from "./schema.ts";
import type { TableTotals, TimeSpanMs } from "./types.ts";

export interface TableView extends TableTotals {
  readonly schema: TableSchema;
  /** null: there is no file. */
  readonly time: TimeSpanMs | null;
  /** In the order of the schema. */
  readonly columns: readonly ColumnView[];
}

export interface ColumnView {
  readonly name: string;
  /** null: only NULLs were seen. */
  readonly type: ColumnType | null;
  /** Rows without a value, those of files that do not have the column among them. */
  readonly nullCount: number;
  /** Event times of the files in which the column has a value; null: in none. */
  readonly seen: TimeSpanMs | null;
  /** As in ColumnStatistics; null also where one file's bounds are not known. */
  readonly min: StatisticValue;
  readonly max: StatisticValue;
}

const FILES_AT_ONCE = 500;
const EVER = { minMs: null, maxMs: null };

/** null: there is no such measurement. */
export function viewTable(tables: CatalogTables, measurement: string): TableView | null {
  const schema = tables.schema(measurement);
  if (schema === null) return null;
  const columns = new Map(schema.columns.map((column) => [column.name, new ColumnSum(column)]));
  const fileIds = tables.fileIds(schema.tableId, EVER);
  const totals = { fileCount: fileIds.length, rowCount: 0, byteLength: 0 };
  let time: TimeSpanMs | null = null;
  for (let at = 0; at < fileIds.length; at += FILES_AT_ONCE) {
    for (const file of tables.files(fileIds.slice(at, at + FILES_AT_ONCE))) {
      totals.rowCount += file.rowCount;
      totals.byteLength += file.byteLength;
      time = widest(time, file);
      for (const statistics of JSON.parse(file.columns) as ColumnStatistics[]) {
        columns.get(statistics.name)?.add(statistics, file);
      }
    }
  }
  const views = [...columns.values()].map((sum) => sum.view(totals.rowCount));
  return { schema, ...totals, time, columns: views };
}

class ColumnSum {
  readonly #column: SchemaColumn;
  #valueCount = 0;
  #seen: TimeSpanMs | null = null;
  #min: StatisticValue = null;
  #max: StatisticValue = null;
  #areBoundsKnown = true;

  constructor(column: SchemaColumn) {
    this.#column = column;
  }

  add(statistics: ColumnStatistics, file: FileRow): void {
    const valueCount = file.rowCount - statistics.nullCount;
    if (valueCount === 0) return;
    this.#valueCount += valueCount;
    this.#seen = widest(this.#seen, file);
    const min = this.#read(statistics, statistics.min);
    const max = this.#read(statistics, statistics.max);
    if (min === null || max === null) {
      this.#areBoundsKnown = false;
      return;
    }
    const { type } = this.#column;
    if (this.#min === null || isBefore(min, this.#min, type!)) this.#min = min;
    if (this.#max === null || isBefore(this.#max, max, type!)) this.#max = max;
  }

  view(rowCount: number): ColumnView {
    return {
      name: this.#column.name,
      type: this.#column.type,
      nullCount: rowCount - this.#valueCount,
      seen: this.#seen,
      min: this.#areBoundsKnown ? this.#min : null,
      max: this.#areBoundsKnown ? this.#max : null,
    };
  }

  /** A column of integers may have widened since the file was written. */
  #read({ type }: ColumnStatistics, value: StatisticValue): StatisticValue {
    const isWidened = type === "int64" && this.#column.type === "float64" && value !== null;
    return isWidened ? Number(value) : value;
  }
}

function isBefore(
  a: NonNullable<StatisticValue>,
  b: NonNullable<StatisticValue>,
  type: ColumnType,
): boolean {
  if (type === "utf8") return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))) < 0;
  if (type === "int64" || type === "timestamp") return BigInt(a) < BigInt(b);
  return a < b;
}

function widest(known: TimeSpanMs | null, { timeMinMs, timeMaxMs }: TimeSpanMs): TimeSpanMs {
  if (known === null) return { timeMinMs, timeMaxMs };
  return {
    timeMinMs: Math.min(known.timeMinMs, timeMinMs),
    timeMaxMs: Math.max(known.timeMaxMs, timeMaxMs),
  };
}
