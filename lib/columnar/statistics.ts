// What is known of a column's values without reading them: the writer learns it, the catalog keeps
// it, the planner prunes by it.

import type { ColumnType } from "./types.ts";

export type StatisticValue = string | number | boolean | null;

/**
 * Of one column in one file. int64 and timestamp bounds are decimal text, so that none is rounded.
 */
export interface ColumnStatistics {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullCount: number;
  /**
   * null: no value, or bounds unknown (a NaN among the values). utf8 bounds may be cut: then min is
   * a prefix, max rounded up; they order as UTF-8 bytes do, which is not how `<` orders JavaScript
   * strings.
   */
  readonly min: StatisticValue;
  readonly max: StatisticValue;
}
