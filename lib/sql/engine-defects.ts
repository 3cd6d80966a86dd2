// What the engine's old version answers wrongly and in silence, written so that it answers rightly.
//
// Only what the syntax tree alone shows; each defect is a query of test/conformance. Where no other
// form is known the query is refused, with the words how to write it instead: a wrong number is
// worse than none. Defects of constants need types and have a file of their own
// (text-constants.ts).

import { SluiceError } from "#lib/base/errors.ts";
import type { Ast, Cast, Constant, Expression, FunctionCall } from "./ast.ts";
import { callOf, cast, constant, isExpression, isObject, operatorOf, wrap } from "./ast.ts";
import { mayHaveDays } from "./spans.ts";
import { padFraction } from "./time-formats.ts";
import { wordsOf } from "./words.ts";

interface WindowCall extends FunctionCall {
  orders: { expression: Expression }[];
  start: string;
  end: string;
  start_expr: Expression | null;
  end_expr: Expression | null;
  filter_expr: Expression | null;
}

/** Changes `ast`. Throws `sql_not_allowed`. */
export function avoidDefects(ast: Ast): void {
  visit(ast.statements, avoid);
}

const TRUNCATIONS = new Set(["date_trunc", "datetrunc"]);

/**
 * The engine takes what `date_trunc` gives for never NULL, also where the time may be: a condition
 * on it is found to be always true, `IS NULL` never. `greatest` of one value is that value, and
 * nothing is known of it. After all that look for `date_trunc` by its name. Changes `ast`.
 */
export function keepTruncatedNulls(ast: Ast): void {
  visit(ast.statements, (expression) => {
    const isMeant = TRUNCATIONS.has(String(expression["function_name"]));
    if (isMeant) wrap(expression, (call) => callOf("greatest", call));
  });
}

/**
 * The tree of `EXCEPT ALL` and `INTERSECT ALL` is that of the same words without ALL, which drop
 * duplicates: so the text is asked. Throws `sql_not_allowed`.
 */
export function refuseAllOfSets(sql: string): void {
  const words = wordsOf(sql).map(({ text }) => text.toUpperCase());
  const isSet = (word: string) => word === "EXCEPT" || word === "INTERSECT";
  const word = words.find((one, at) => isSet(one) && words[at + 1] === "ALL");
  if (word === undefined) return;
  const advice =
    "number equal rows on both sides, row_number() OVER (PARTITION BY …), and leave out ALL";
  throw unsupported(`${word} ALL`, advice);
}

/** From the leaves up, so that what takes a place is not looked at again. */
function visit(value: unknown, change: (expression: Expression) => void): void {
  if (Array.isArray(value)) return value.forEach((item) => visit(item, change));
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key !== "cast_type") visit(inner, change);
  }
  if (isExpression(value)) change(value);
}

function avoid(expression: Expression): void {
  switch (expression.class) {
    case "CONSTANT":
      return keepDouble(expression);
    case "OPERATOR":
      if (expression.type === "ARRAY_SLICE") sliceACopy(expression as FunctionCall);
      return;
    case "FUNCTION":
      return avoidInCall(expression as FunctionCall);
    case "CAST":
      return refuseZonedTime(expression as Cast);
    case "WINDOW": {
      const call = expression as WindowCall;
      refuseFilteredList(call);
      endRange(call);
      if (isMoving(call) && OVER_LISTS.has(call.function_name)) return overList(call);
      if (mayBeEmpty(call) && ZERO_OF_NOTHING.has(call.function_name)) return zeroOfNothing(call);
      return;
    }
  }
}

const POSITIONS = new Set("list_position list_indexof array_position array_indexof".split(" "));

function avoidInCall(call: FunctionCall): void {
  const { function_name: name } = call;
  if (name === "/") refuseDividedSpan(call);
  // The same; and what is wrong with the sum is known (lib/sql/date-sums.ts).
  if (name === "date_add") Object.assign(call, { function_name: "+", is_operator: true });
  if (name === "strptime" || name === "try_strptime") padFraction(call);
  sliceACopy(call);
  // What is not in the list has no position; the engine says 0.
  if (POSITIONS.has(name)) wrap(call, (inner) => callOf("nullif", inner, constant("INTEGER", 0)));
}

/** It comes out of the engine as bits that look like another time of day. */
function refuseZonedTime({ cast_type: type }: Cast): void {
  if (type.id !== "TIME WITH TIME ZONE") return;
  throw unsupported("a TIME WITH TIME ZONE", "use TIME, or a TIMESTAMPTZ");
}

/** The engine divides days and months as whole numbers and drops what remains of them. */
function refuseDividedSpan(call: FunctionCall): void {
  const [span] = call.children;
  if (call.children.length !== 2 || !mayHaveDays(span!)) return;
  throw unsupported("an interval divided by a number", "divide its seconds: epoch(…) / n");
}

const LISTS = new Set(["list", "array_agg"]);

/** The filter would be ignored. */
function refuseFilteredList(call: WindowCall): void {
  if (call.filter_expr === null || !LISTS.has(call.function_name)) return;
  const what = `${call.function_name} with FILTER over a window`;
  throw unsupported(what, "filter the list: list_filter(list(x) OVER (…), x -> …)");
}

/** `1e0` would be printed as 1.0, which is a decimal. */
function keepDouble(expression: Expression): void {
  const { value } = expression as Constant;
  if (value.type.id === "DOUBLE" && !value.is_null)
    wrap(expression, (inner) => cast(inner, "DOUBLE"));
}

const SLICES = new Set(["list_slice", "array_slice"]);
const REVERSALS = new Set(["list_reverse", "array_reverse"]);

/**
 * A slice with a step spoils the list it is taken from for all who read it beside. So it is given
 * a copy. Two copies of one list would be made once and shared again, were it not for the random
 * number.
 */
function sliceACopy(call: FunctionCall): void {
  const isStepped = call.type === "ARRAY_SLICE" || SLICES.has(call.function_name);
  if (!(isStepped && call.children.length === 4) && !REVERSALS.has(call.function_name)) return;
  const [list, ...others] = call.children as [Expression, ...Expression[]];
  const never: Expression = {
    class: "COMPARISON",
    type: "COMPARE_LESSTHAN",
    alias: "",
    left: callOf("random"),
    right: constant("INTEGER", 0),
  };
  const nothing = valueWhere(never, structuredClone(list));
  call.children = [callOf("list_concat", list, nothing), ...others];
}

/** NULL where the condition does not hold. */
function valueWhere(condition: Expression, value: Expression): Expression {
  return {
    class: "CASE",
    type: "CASE_EXPR",
    alias: "",
    case_checks: [{ when_expr: condition, then_expr: value }],
    else_expr: constant("NULL", null),
  };
}

/**
 * Wrong over a frame that loses rows, while the same over a list of the frame's values is right.
 */
const OVER_LISTS = new Set(
  "median quantile quantile_cont mad string_agg group_concat listagg".split(" "),
);

function isMoving({ start }: WindowCall): boolean {
  return start !== "UNBOUNDED_PRECEDING";
}

/** `median(x) OVER w` becomes `list_aggregate(list(x) OVER w, 'median')`. */
function overList(window: WindowCall): void {
  wrap(window, (inner) => {
    const call = inner as WindowCall;
    const [value, ...parameters] = call.children as [Expression, ...Expression[]];
    const name = constant("VARCHAR", call.function_name);
    call.function_name = "list";
    // The engine makes the list of all values, filtered or not; those that are NULL do not count.
    call.children = [call.filter_expr === null ? value : valueWhere(call.filter_expr, value)];
    call.filter_expr = null;
    return callOf("list_aggregate", call, name, ...parameters);
  });
}

/** Of no rows they are 0; over an empty frame the engine says NULL. */
const ZERO_OF_NOTHING = new Set(
  "count count_star regr_count approx_count_distinct entropy count_if".split(" "),
);

function mayBeEmpty({ start, end }: WindowCall): boolean {
  return start.startsWith("EXPR_FOLLOWING") || end.startsWith("EXPR_PRECEDING");
}

function zeroOfNothing(window: WindowCall): void {
  wrap(window, (call) => ({
    class: "OPERATOR",
    type: "OPERATOR_COALESCE",
    alias: "",
    children: [call, constant("INTEGER", 0)],
  }));
}

/**
 * A RANGE that ends at an offset loses all but the first of the rows that are equal at its end.
 * So no row may be there: times are counted in half microseconds, and the frame ends at an odd one.
 */
function endRange(window: WindowCall): void {
  if (!/^EXPR_.*_RANGE$/.test(window.end)) return;
  const [order, ...others] = window.orders;
  const offsets = [window.start_expr, window.end_expr].filter((offset) => offset !== null);
  if (order === undefined || others.length > 0 || !offsets.every(isFixedInterval)) {
    const advice = "order by a time and end it at an interval of fixed length, or use ROWS";
    throw unsupported("a RANGE frame that ends at such an offset", advice);
  }
  order.expression = halves(order.expression);
  if (window.start_expr !== null) window.start_expr = halves(window.start_expr);
  const isAhead = window.end.startsWith("EXPR_FOLLOWING");
  const end = halves(window.end_expr!);
  window.end_expr = operatorOf(isAhead ? "+" : "-", end, constant("INTEGER", 1));
}

function halves(time: Expression): Expression {
  return operatorOf("*", constant("INTEGER", 2), callOf("epoch_us", time));
}

const FIXED_UNITS = new Set(
  "to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds".split(" "),
);
const FIXED_TEXT = /^\s*\d+\s*(?:microsecond|millisecond|second|minute|hour|day|week)s?\s*$/i;

function isFixedInterval(offset: Expression): boolean {
  if (offset.class === "FUNCTION") return FIXED_UNITS.has((offset as FunctionCall).function_name);
  if (offset.class !== "CAST") return false;
  const { child, cast_type: type } = offset as Cast;
  return type.id === "INTERVAL" && FIXED_TEXT.test(String((child as Constant).value?.value));
}

function unsupported(what: string, advice: string): SluiceError {
  const message = `${what} would give wrong rows with this engine and is refused: ${advice}`;
  return new SluiceError("query_unsupported", message);
}
