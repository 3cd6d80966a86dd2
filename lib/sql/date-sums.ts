// `date ± interval`: a moment, and not a day.
//
// In SQL, as in today's DuckDB, `DATE '2026-01-02' - INTERVAL '1 second'` is the last second of the
// first. The engine's DuckDB makes it a date again and loses the hours, without a word. So the date
// is made a timestamp first, wherever the tree shows that a date meets an interval.

import { type ColumnRef, type Expression, type FunctionCall, tryCast } from "./ast.ts";
import type { Resolved } from "./scope.ts";

const FUNCTIONS_OF_DATES = new Set([
  "date_trunc",
  "datetrunc",
  "today",
  "current_date",
  "last_day",
]);

/** Changes the calls in place; so also the bounds on time that hold parts of them. */
export function rewriteDateSums(sums: Resolved["sums"]): void {
  for (const { call } of sums) {
    const [left, right] = call.children as [Expression, Expression];
    if (isDate(left) && isInterval(right)) call.children = [asTimestamp(left), right];
    else if (isInterval(left) && isDate(right)) call.children = [left, asTimestamp(right)];
  }
}

/** A cast that may fail must go on failing. */
function asTimestamp(date: Expression): Expression {
  return { ...tryCast(date, "TIMESTAMP"), try_cast: false } as Expression;
}

function isDate(expression: Expression): boolean {
  switch (expression.class) {
    case "CAST":
      return castType(expression) === "DATE";
    case "FUNCTION":
      return FUNCTIONS_OF_DATES.has((expression as FunctionCall).function_name);
    case "COLUMN_REF": {
      const names = (expression as ColumnRef).column_names;
      return names.length === 1 && names[0]!.toLowerCase() === "current_date";
    }
    default:
      return false;
  }
}

/** `INTERVAL '1 day'` is parsed as a cast, `INTERVAL 1 DAY` as `to_days(1)`. */
function isInterval(expression: Expression): boolean {
  if (expression.class === "CAST") return castType(expression) === "INTERVAL";
  const isCall = expression.class === "FUNCTION";
  return isCall && /^to_[a-z]+s$/.test((expression as FunctionCall).function_name);
}

function castType(cast: Expression): string {
  return (cast as unknown as { cast_type: { id: string } }).cast_type.id;
}
