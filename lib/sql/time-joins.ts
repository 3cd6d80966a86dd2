// What the time of one table says about the time of another that is joined with it.
//
// `m.time BETWEEN e.time AND …` with a bound on `e.time` bounds `m.time`, too; without that the
// engine would sort all of `m` for the join. Conditions of inner joins count, also below an outer
// join: what that makes up has no time of either table, and so what bounds the one drops it.

import type { Comparison } from "#lib/catalog/row-predicate.ts";
import type { Expression, FunctionCall, SelectNode } from "./ast.ts";
import { tryCast } from "./ast.ts";
import { ANYTHING, comparisonOf, type Condition, joined } from "./conditions.ts";
import { isFixed } from "./fixed-values.ts";
import { originOf, type Scopes } from "./projections.ts";
import type { Scope, TableReference } from "./scope.ts";

/** Adds to the conditions of each table what follows from those of its neighbours. */
export function boundTimesAcross(scopes: Scopes): void {
  for (const [node, scope] of scopes) {
    const inner = scope.joins.filter(({ isInner }) => isInner);
    const met = [(node as SelectNode).where_clause, ...inner.map(({ condition }) => condition)];
    const joins = met
      .flatMap(conjuncts)
      .flatMap(comparisonsOf)
      .flatMap((comparison) => timeJoinOf(comparison, scope, scopes));
    const derived = joins.map(conditionsAcross);
    for (const [at, { table }] of joins.entries()) table.conditions.push(...derived[at]!);
  }
}

function conjuncts(where: Expression | null): Expression[] {
  if (where === null) return [];
  if (where.type !== "CONJUNCTION_AND") return [where];
  return (where["children"] as Expression[]).flatMap(conjuncts);
}

interface Comparing {
  readonly left: Expression;
  readonly op: Comparison;
  readonly right: Expression;
}

function comparisonsOf(term: Expression): Comparing[] {
  if (term.type === "COMPARE_BETWEEN") {
    const { input, lower, upper } = term as unknown as Record<string, Expression>;
    return [
      { left: input!, op: ">=", right: lower! },
      { left: input!, op: "<=", right: upper! },
    ];
  }
  const operators = comparisonOf(term);
  if (operators === null) return [];
  const { left, right } = term as unknown as Record<"left" | "right", Expression>;
  return [
    { left, op: operators.op, right },
    { left: right, op: operators.flipped, right: left },
  ];
}

/** A table's `time` compared with another's, which may be shifted by a fixed span. */
interface TimeJoin {
  readonly table: TableReference;
  readonly op: Comparison;
  readonly other: TableReference;
  /** What the other side is when `time` in it is this. */
  shifted(time: Expression): Expression;
}

function timeJoinOf({ left, op, right }: Comparing, scope: Scope, scopes: Scopes): TimeJoin[] {
  const tableOfTime = (side: Expression): TableReference | null => {
    const origin = originOf(side, scope, scopes);
    return origin?.column === "time" ? origin.table : null;
  };
  const table = tableOfTime(left);
  if (table === null) return [];
  const call = right.class === "FUNCTION" ? (right as FunctionCall) : null;
  const [first, span] = call?.children ?? [];
  const isShift = ["+", "-"].includes(call?.function_name ?? "") && span && isFixedSpan(span);
  const other = tableOfTime(isShift ? first! : right);
  if (other === null || other === table) return [];
  const shifted = (time: Expression) => (isShift ? { ...call!, children: [time, span] } : time);
  return [{ table, op, other, shifted }];
}

/** `a.time >= b.time - span` and `b.time >= x` give `a.time >= x - span`. */
function conditionsAcross({ op, other, shifted }: TimeJoin): Condition[] {
  const across = (known: Condition): Condition => {
    if ("of" in known) return joined(known.op, known.of.map(across));
    if (known.column !== "time") return ANYTHING;
    if (known.op === "between") {
      return joined("and", [bound(op, ">=", known.low), bound(op, "<=", known.high)]);
    }
    return "value" in known ? bound(op, known.op, known.value) : ANYTHING;
  };
  const bound = (towards: Comparison, known: Comparison, value: Expression): Condition => {
    const isLow = !towards.startsWith("<") && !known.startsWith("<");
    const isHigh = !towards.startsWith(">") && !known.startsWith(">");
    const at = shifted(tryCast(value, "TIMESTAMP"));
    return joined("and", [
      isLow ? { op: ">=", column: "time", value: at } : ANYTHING,
      isHigh ? { op: "<=", column: "time", value: at } : ANYTHING,
    ]);
  };
  return other.conditions.map(across).filter((condition) => condition !== ANYTHING);
}

const FIXED_SPANS = new Set(
  "to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds".split(" "),
);
const FIXED_SPAN = /^\s*\d+\s*(?:millisecond|second|minute|hour|day|week)s?\s*$/i;

/** Not months: their lengths differ, and two times shifted by one may change places. */
function isFixedSpan(expression: Expression): boolean {
  if (expression.class === "FUNCTION") {
    const { function_name: name, children } = expression as FunctionCall;
    return FIXED_SPANS.has(name) && children.every(isFixed);
  }
  if (expression.class !== "CAST") return false;
  const { child, cast_type: type } = expression as unknown as CastOfConstant;
  return type.id === "INTERVAL" && FIXED_SPAN.test(String(child.value?.value));
}

interface CastOfConstant {
  readonly child: { readonly value?: { readonly value: unknown } };
  readonly cast_type: { readonly id: string };
}
