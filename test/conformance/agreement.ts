// Whether two engines gave the same answer to a query: the same columns, the same rows, or a
// refusal that was expected of both.

import { type Cell, firstDifference, rowText } from "./cells.ts";
import type { Outcome } from "./engines.ts";
import type { Query } from "./queries.ts";

/** What either said, in one line: the first row that differs, or why there is none. */
export interface Disagreement {
  readonly sluice: string;
  readonly native: string;
}

/** null: they agree. */
export function disagreement(query: Query, sluice: Outcome, native: Outcome): Disagreement | null {
  if ("error" in sluice || "error" in native) {
    const isExpected = query.isRefused && "error" in sluice && "error" in native;
    return isExpected ? null : { sluice: summary(sluice), native: summary(native) };
  }
  if (query.isRefused) return { sluice: summary(sluice), native: summary(native) };
  if (sluice.columns.join("\0") !== native.columns.join("\0")) {
    return { sluice: columnsText(sluice.columns), native: columnsText(native.columns) };
  }
  return firstDifference(sluice.data, native.data, query.isOrdered);
}

function summary(outcome: Outcome): string {
  if ("error" in outcome) return `error: ${outcome.error.split("\n")[0]}`;
  return outcome.columns.length === 0 ? "no columns, no rows" : rowText(outcome.data[0]);
}

function columnsText(columns: readonly string[]): string {
  const cells: Cell[] = [...columns];
  return columns.length === 0 ? "no columns, no rows" : `columns ${rowText(cells)}`;
}
