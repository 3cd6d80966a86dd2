// Which expressions are spans of time with days or months in them, as far as the syntax tree shows.
//
// `time` is the name that the time of every measurement has; other columns are not known here, nor
// is what a subquery has made of them. So this finds the usual forms, and not all.

import type { Cast, ColumnRef, Constant, Expression, FunctionCall } from "./ast.ts";

/** `max(time) - min(time)`, `INTERVAL '3 days'`; not `INTERVAL '1 hour'`, which has none. */
export function mayHaveDays(expression: Expression): boolean {
  if (expression.class === "CAST") {
    const { child, cast_type: type } = expression as Cast;
    return type.id === "INTERVAL" && !SHORT_TEXT.test(String((child as Constant).value?.value));
  }
  const call = callIn(expression);
  if (call === null) return false;
  const [first, second] = call.children;
  switch (call.function_name) {
    case "-":
      if (isMoment(first) && isMoment(second)) return true;
      return mayHaveDays(first!) || (second !== undefined && mayHaveDays(second));
    case "+":
    case "*":
      return call.children.some(mayHaveDays);
    default:
      if (LONG_SPANS.has(call.function_name)) return true;
      return OF_ITS_KIND.has(call.function_name) && first !== undefined && mayHaveDays(first);
  }
}

const SHORT_TEXT = /^\s*\d+\s*(?:micro|milli)?(?:second|minute|hour)s?\s*$/i;
const LONG_SPANS = new Set(["to_days", "to_months", "to_years", "age"]);
/** What these give is of the type of what they are given. */
const OF_ITS_KIND = new Set(
  (
    "min max sum first last any_value arg_min arg_max min_by max_by lag lead first_value " +
    "last_value nth_value coalesce greatest least"
  ).split(" "),
);
const MOMENTS = new Set(
  "now current_timestamp time_bucket to_timestamp make_timestamp strptime try_strptime".split(" "),
);
const TRUNCATIONS = new Set(["date_trunc", "datetrunc"]);
const TIMESTAMPS = new Set(["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"]);

function isMoment(expression: Expression | undefined): boolean {
  if (expression === undefined) return false;
  if (expression.class === "COLUMN_REF") {
    return (expression as ColumnRef).column_names.at(-1)!.toLowerCase() === "time";
  }
  if (expression.class === "CAST") return TIMESTAMPS.has((expression as Cast).cast_type.id);
  const call = callIn(expression);
  if (call === null) return false;
  const { function_name: name, children } = call;
  if (MOMENTS.has(name)) return true;
  if (TRUNCATIONS.has(name)) return isMoment(children[1]);
  return OF_ITS_KIND.has(name) && isMoment(children[0]);
}

function callIn(expression: Expression): FunctionCall | null {
  const isCall = expression.class === "FUNCTION" || expression.class === "WINDOW";
  return isCall ? (expression as FunctionCall) : null;
}
