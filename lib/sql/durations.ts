// `time + duration_ms`: a timestamp and an integer, in milliseconds.
//
// Events carry their duration as integer milliseconds, and people write the end of an event as
// `time + duration_ms`. The engine has no such operator; it becomes `time + to_milliseconds(…)`.
// Where the types are not certain the sum is left as it is, for the engine to judge.

import type { ColumnType } from "#lib/columnar/types.ts";
import { type ColumnRef, callOf, type Expression, type FunctionCall } from "./ast.ts";
import type { Leaf, Resolved, Scope, TableReference } from "./scope.ts";

/**
 * Type of a column by lower-case name; null: the table has no such column, or no type for it yet.
 */
export type ColumnTypeOf = (table: TableReference, column: string) => ColumnType | null;

/** Changes the calls in place. */
export function rewriteDurations(sums: Resolved["sums"], typeOf: ColumnTypeOf): void {
  for (const { call, scope } of sums) {
    const [left, right] = call.children as [Expression, Expression];
    if (isTimestamp(left, scope, typeOf) && isInteger(right, scope, typeOf)) {
      call.children = [left, callOf("to_milliseconds", right)];
    } else if (
      call.function_name === "+" &&
      isInteger(left, scope, typeOf) &&
      isTimestamp(right, scope, typeOf)
    ) {
      call.children = [right, callOf("to_milliseconds", left)];
    }
  }
}

function isTimestamp(expression: Expression, scope: Scope, typeOf: ColumnTypeOf): boolean {
  return columnType(expression, scope, typeOf) === "timestamp";
}

function isInteger(expression: Expression, scope: Scope, typeOf: ColumnTypeOf): boolean {
  if (expression.class === "CONSTANT") {
    const { value } = expression as unknown as { value: { type: { id: string } } };
    return value.type.id === "INTEGER" || value.type.id === "BIGINT";
  }
  if (expression.class === "FUNCTION") {
    const { function_name: name, children } = expression as FunctionCall;
    const isArithmetic = name === "+" || name === "-" || name === "*";
    return isArithmetic && children.every((child) => isInteger(child, scope, typeOf));
  }
  return columnType(expression, scope, typeOf) === "int64";
}

/** null when it is not a column of a measurement, or it is not certain of which. */
export function columnType(
  expression: Expression,
  scope: Scope,
  typeOf: ColumnTypeOf,
): ColumnType | null {
  if (expression.class !== "COLUMN_REF") return null;
  const names = (expression as ColumnRef).column_names.map((name) => name.toLowerCase());
  const column = names.pop()!;
  const qualifier = names.pop();
  if (names.length > 0) return null;
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const isOwner = ({ alias, table, hasOwnNames }: Leaf) =>
      table !== null &&
      hasOwnNames &&
      (qualifier === undefined || alias === qualifier) &&
      typeOf(table, column) !== null;
    const owners = at.leaves.filter(isOwner);
    if (owners.length === 1) return typeOf(owners[0]!.table!, column);
    const mayOwn = ({ alias, table, hasOwnNames }: Leaf) =>
      (table === null || !hasOwnNames) && (qualifier === undefined || alias === qualifier);
    if (owners.length > 1 || at.leaves.some(mayOwn)) return null;
  }
  return null;
}
