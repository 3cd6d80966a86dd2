// A WHERE or ON, as far as it speaks of the plain columns of one table.
//
// Only what is certain counts: comparisons of a column with something constant, IN, BETWEEN, LIKE
// with a fixed beginning, IS NULL, and AND, OR and NOT of them. Everything else counts as true, and
// NOT of it too: so what is read here is never stronger than what the query says. NOT is carried
// down to the comparisons, which is what SQL's logic of three values allows.

import { LIMITS } from "#lib/base/limits.ts";
import {
  ANY_ROW,
  type Comparison,
  type Constant,
  type RowPredicate,
} from "#lib/catalog/row-predicate.ts";
import { constant, type Expression, type FunctionCall } from "./ast.ts";
import { fixClocks, isFixed } from "./fixed-values.ts";

/** A RowPredicate whose constants are still expressions. */
export type Condition =
  | { readonly op: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly op: Comparison; readonly column: string; readonly value: Expression }
  | {
      readonly op: "between";
      readonly column: string;
      readonly low: Expression;
      readonly high: Expression;
    }
  | { readonly op: "prefix"; readonly column: string; readonly text: string }
  | { readonly op: "null" | "not null"; readonly column: string };

export const ANYTHING: Condition = { op: "and", of: [] };

/** A column of the table in question; null: something else. */
export interface ColumnOfTable {
  readonly column: string;
  /** An outer join may have made up the NULL that is seen here. */
  readonly isNullable: boolean;
}
export type FindColumn = (expression: Expression) => ColumnOfTable | null;

/** What `expression`, or its opposite, demands of the table that `find` finds columns of. */
export function conditionOf(
  expression: Expression,
  find: FindColumn,
  isNegated = false,
): Condition {
  switch (expression.class) {
    case "CONJUNCTION": {
      const of = childrenOf(expression).map((child) => conditionOf(child, find, isNegated));
      return joined((expression.type === "CONJUNCTION_AND") === isNegated ? "or" : "and", of);
    }
    case "COMPARISON":
      return comparison(expression, find, isNegated);
    case "BETWEEN":
      return between(expression, find, isNegated);
    case "OPERATOR":
      return operator(expression, find, isNegated);
    case "FUNCTION":
      return isNegated ? ANYTHING : prefix(expression as FunctionCall, find);
    case "COLUMN_REF": {
      const found = find(expression);
      return found === null
        ? ANYTHING
        : { op: "=", column: found.column, value: constant("BOOLEAN", !isNegated) };
    }
    default:
      return ANYTHING;
  }
}

/** Without what is true anyway. */
export function joined(op: "and" | "or", of: readonly Condition[]): Condition {
  if (op === "or") return of.includes(ANYTHING) ? ANYTHING : { op, of };
  const certain = of.filter((one) => one !== ANYTHING);
  return certain.length === 0 ? ANYTHING : { op, of: certain };
}

const OPERATORS: Readonly<Record<string, Comparison>> = {
  COMPARE_EQUAL: "=",
  COMPARE_GREATERTHAN: ">",
  COMPARE_GREATERTHANOREQUALTO: ">=",
  COMPARE_LESSTHAN: "<",
  COMPARE_LESSTHANOREQUALTO: "<=",
};
const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  "=": "=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};
const NEGATED = { "=": null, "<": ">=", "<=": ">", ">": "<=", ">=": "<" } as const;

/** The operator of `left ⋛ right`, and with the sides changed; null: none that bounds anything. */
export function comparisonOf({ type }: Expression): { op: Comparison; flipped: Comparison } | null {
  const op = OPERATORS[type];
  return op === undefined ? null : { op, flipped: FLIPPED[op] };
}

function comparison(expression: Expression, find: FindColumn, isNegated: boolean): Condition {
  const { left, right } = expression as unknown as Record<"left" | "right", Expression>;
  const isEqual = expression.type === "COMPARE_NOTEQUAL" && isNegated;
  const plain = isEqual ? "=" : (comparisonOf(expression)?.op ?? null);
  const op = plain === null || !isNegated || isEqual ? plain : NEGATED[plain];
  if (op === null) return ANYTHING;
  const [onLeft, onRight] = [find(left), find(right)];
  if (onLeft !== null && isValue(right)) return { op, column: onLeft.column, value: right };
  if (onRight === null || !isValue(left)) return ANYTHING;
  return { op: FLIPPED[op], column: onRight.column, value: left };
}

function between(expression: Expression, find: FindColumn, isNegated: boolean): Condition {
  const { input, lower, upper } = expression as unknown as Record<string, Expression>;
  const column = find(input!)?.column;
  if (column === undefined) return ANYTHING;
  const [isLow, isHigh] = [isValue(lower!), isValue(upper!)];
  if (isLow && isHigh && !isNegated) return { op: "between", column, low: lower!, high: upper! };
  // All three are compared as one type, which a second bound of another type could change; only of
  // `time` is it certain.
  if (column !== "time" || isNegated) return ANYTHING;
  if (isLow) return { op: ">=", column, value: lower! };
  return isHigh ? { op: "<=", column, value: upper! } : ANYTHING;
}

function operator(expression: Expression, find: FindColumn, isNegated: boolean): Condition {
  const [first, ...others] = childrenOf(expression) as [Expression, ...Expression[]];
  switch (expression.type) {
    case "OPERATOR_NOT":
      return conditionOf(first, find, !isNegated);
    case "COMPARE_IN":
    case "COMPARE_NOT_IN": {
      const column = find(first)?.column;
      const isIn = (expression.type === "COMPARE_IN") !== isNegated;
      const isShort = others.length <= LIMITS.prunedListMax;
      if (column === undefined || !isIn || !isShort || !others.every(isValue)) return ANYTHING;
      return { op: "or", of: others.map((value) => ({ op: "=", column, value })) };
    }
    case "OPERATOR_IS_NULL":
    case "OPERATOR_IS_NOT_NULL": {
      const found = find(first);
      const isNull = (expression.type === "OPERATOR_IS_NULL") !== isNegated;
      // Without the row that it met, a row may be joined with NULLs instead.
      if (found === null || (isNull && found.isNullable)) return ANYTHING;
      return { op: isNull ? "null" : "not null", column: found.column };
    }
    default:
      return ANYTHING;
  }
}

const PREFIX_FUNCTIONS = new Set(["~~", "prefix", "starts_with", "^@"]);

function prefix({ function_name: name, children }: FunctionCall, find: FindColumn): Condition {
  const [subject, pattern] = children;
  if (!PREFIX_FUNCTIONS.has(name) || children.length !== 2) return ANYTHING;
  const { value, type } = (pattern!["value"] ?? {}) as {
    value?: unknown;
    type?: { id: string };
  };
  const column = find(subject!)?.column;
  if (column === undefined || type?.id !== "VARCHAR" || typeof value !== "string") return ANYTHING;
  const text = name === "~~" ? /^[^%_\\]*/.exec(value)![0] : value;
  return { op: "prefix", column, text };
}

/** A value that means the same from here on wherever it stands. */
function isValue(expression: Expression): boolean {
  if (!isFixed(expression)) return false;
  fixClocks(expression);
  return true;
}

function childrenOf(expression: Expression): Expression[] {
  return expression["children"] as Expression[];
}

/** All constants in it, in order. */
export function constantsIn(condition: Condition): Expression[] {
  switch (condition.op) {
    case "and":
    case "or":
      return condition.of.flatMap(constantsIn);
    case "between":
      return [condition.low, condition.high];
    case "prefix":
    case "null":
    case "not null":
      return [];
    case "=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return [condition.value];
  }
}

/** With the constants' values; one that has none makes its comparison true. */
export function withConstants(
  condition: Condition,
  constants: ReadonlyMap<Expression, Constant>,
): RowPredicate {
  switch (condition.op) {
    case "and":
    case "or":
      return { op: condition.op, of: condition.of.map((one) => withConstants(one, constants)) };
    case "between": {
      const [low, high] = [constants.get(condition.low), constants.get(condition.high)];
      return low && high ? { ...condition, low, high } : ANY_ROW;
    }
    case "prefix":
    case "null":
    case "not null":
      return condition;
    case "=":
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const value = constants.get(condition.value);
      return value === undefined ? ANY_ROW : { ...condition, value };
    }
  }
}
