// `date ± interval`: a moment, and not a day.
//
// In SQL, as in today's DuckDB, `DATE '2026-01-02' - INTERVAL '1 second'` is the last second of the
// first. The engine's DuckDB makes it a date again and loses the hours, without a word. So the date
// is made a timestamp first, wherever the tree shows that a date meets an interval.

import type { ColumnRef, Expression, FunctionCall, QueryNode, SelectNode } from "./ast.ts";
import { tryCast } from "./ast.ts";
import type { Resolved, Scope } from "./scope.ts";

/** Changes the calls in place; so also the bounds on time that hold parts of them. */
export function rewriteDateSums(sums: Resolved["sums"]): void {
  for (const { call, scope, scopes } of sums) {
    const [left, right] = call.children as [Expression, Expression];
    const isDate = (side: Expression) => isDateIn(side, scope, scopes);
    if (isInterval(right) && isDate(left)) call.children = [asTimestamp(left), right];
    else if (isInterval(left) && isDate(right)) call.children = [left, asTimestamp(right)];
  }
}

/** A cast that may fail must go on failing. */
function asTimestamp(date: Expression): Expression {
  return { ...tryCast(date, "TIMESTAMP"), try_cast: false } as Expression;
}

type Scopes = ReadonlyMap<QueryNode, Scope>;

const DATES = new Set("date_trunc datetrunc today current_date last_day make_date".split(" "));
/** What these give is of the type of what they are given. */
const OF_ITS_KIND = new Set(
  (
    "min max first last any_value arg_min arg_max min_by max_by lag lead first_value last_value " +
    "nth_value coalesce ifnull nullif greatest least"
  ).split(" "),
);

function isDateIn(expression: Expression, scope: Scope, scopes: Scopes): boolean {
  const isDate = (part: Expression) => isDateIn(part, scope, scopes);
  switch (expression.class) {
    case "CAST":
      return castType(expression) === "DATE";
    case "FUNCTION":
    case "WINDOW": {
      const { function_name: name, children } = expression as FunctionCall;
      if (DATES.has(name)) return true;
      return OF_ITS_KIND.has(name) && children.length > 0 && isDate(children[0]!);
    }
    case "OPERATOR":
      return (
        expression.type === "OPERATOR_COALESCE" &&
        (expression["children"] as Expression[]).some(isDate)
      );
    case "CASE": {
      const checks = expression["case_checks"] as { then_expr: Expression }[];
      return checks.some(({ then_expr: value }) => isDate(value));
    }
    case "SUBQUERY": {
      const { node } = expression["subquery"] as { node: QueryNode };
      const [item] = (node as SelectNode).select_list ?? [];
      const inner = alone(scopes.get(node));
      return item !== undefined && inner !== null && isDateIn(item, inner, scopes);
    }
    case "COLUMN_REF":
      return isDateColumn((expression as ColumnRef).column_names, scope, scopes);
    default:
      return false;
  }
}

/** A measurement has no column of this type, but what a query makes of one may be. */
function isDateColumn(names: readonly string[], scope: Scope, scopes: Scopes): boolean {
  const column = names.at(-1)!.toLowerCase();
  if (names.length === 1 && column === "current_date") return true;
  const qualifier = names.at(-2)?.toLowerCase();
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const meant = at.leaves.filter(({ alias }) => qualifier === undefined || alias === qualifier);
    if (meant.some(({ source }) => isDateOf(source?.query ?? null, column, scopes))) return true;
  }
  return false;
}

function isDateOf(query: QueryNode | null, column: string, scopes: Scopes): boolean {
  if (query === null) return false;
  if (query.type === "SET_OPERATION_NODE") {
    return isDateOf(query["left"] as QueryNode, column, scopes);
  }
  const scope = alone(scopes.get(query));
  if (scope === null) return false;
  const items = (query as SelectNode).select_list;
  const item = items.find((one) => nameOf(one)?.toLowerCase() === column);
  if (item !== undefined) return isDateIn(item, scope, scopes);
  const isStarred = items.some((one) => one.class === "STAR");
  return isStarred && isDateColumn([column], scope, scopes);
}

/** Without what is around it: from there the way could lead back into it, for ever. */
function alone(scope: Scope | undefined): Scope | null {
  return scope === undefined ? null : { ...scope, outer: null };
}

/** null: the engine makes one up. */
function nameOf(item: Expression): string | null {
  if (item.alias !== "") return item.alias;
  return item.class === "COLUMN_REF" ? (item as ColumnRef).column_names.at(-1)! : null;
}

const SIGNS = new Set(["+", "-", "*"]);

/** `INTERVAL '1 day'` is parsed as a cast, `INTERVAL 1 DAY` as `to_days(1)`. */
function isInterval(expression: Expression): boolean {
  if (expression.class === "CAST") return castType(expression) === "INTERVAL";
  if (expression.class !== "FUNCTION") return false;
  const { function_name: name, children } = expression as FunctionCall;
  if (SIGNS.has(name)) return isSpan(name, children);
  return /^to_[a-z]+s$/.test(name);
}

/** A date or time less an interval is none, but two intervals are one, and so is a number of it. */
function isSpan(sign: string, children: readonly Expression[]): boolean {
  return sign === "*" ? children.some(isInterval) : children.every(isInterval);
}

function castType(cast: Expression): string {
  return (cast as unknown as { cast_type: { id: string } }).cast_type.id;
}
