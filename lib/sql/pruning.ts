// Which rows of each table a query can see at all: read from its WHERE and ON clauses, so that
// files without such rows are never read.
//
// * A WHERE speaks of every table of its FROM. Comparisons are never true for NULL, so a row that
//   an outer join makes up is dropped as the row it stands for would have been.
// * An ON speaks of both sides of an inner join, and of the one side of an outer join whose rows
//   may vanish.
// * Either reaches through subqueries and CTEs, as long as a column comes through unchanged and
//   leaving rows out changes nothing else (lib/sql/projections.ts).
// * Times of joined tables bound each other (lib/sql/time-joins.ts).
//
// Left alone: ASOF and POSITIONAL joins and samples, where a row that is left out changes what its
// neighbours are, and names that may be meant for more than one table.
// Next: lib/sql/consistent-read.ts.

import { type Constant, type RowPredicate, timeRangeOf } from "#lib/catalog/row-predicate.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import type { Expression, SelectNode } from "./ast.ts";
import { ANYTHING, conditionOf, constantsIn, withConstants } from "./conditions.ts";
import { leafOf, originOf, type Scopes } from "./projections.ts";
import type { Leaf, Scope, TableReference } from "./scope.ts";
import { boundTimesAcross } from "./time-joins.ts";

/** What a query can see of a table. */
export interface Sight {
  readonly where: RowPredicate;
  /** What `where` says of the time. */
  readonly time: TimeRangeMs;
}

/** Adds to each table what the query demands of it; `scopes` are of all its SELECTs. */
export function findConditions(scopes: Scopes, tables: readonly TableReference[]): void {
  for (const [node, scope] of scopes) {
    const { where_clause: where } = node as SelectNode;
    if (where !== null) addCondition(where, scope.leaves, scope, scopes, tables);
    for (const { condition, bounded } of scope.joins) {
      addCondition(condition, bounded, scope, scopes, tables);
    }
  }
  boundTimesAcross(scopes);
}

function addCondition(
  expression: Expression,
  leaves: readonly Leaf[],
  scope: Scope,
  scopes: Scopes,
  tables: readonly TableReference[],
): void {
  for (const table of tables) {
    const condition = conditionOf(expression, (part) => {
      const leaf = leafOf(part, scope);
      if (leaf === null || !leaves.includes(leaf)) return null;
      const origin = originOf(part, scope, scopes);
      return origin?.table === table ? origin : null;
    });
    if (condition !== ANYTHING) table.conditions.push(condition);
  }
}

/** The constants of all conditions, in a fixed order. */
export function constantsOf(tables: readonly TableReference[]): Expression[] {
  return [...new Set(tables.flatMap(({ conditions }) => conditions.flatMap(constantsIn)))];
}

/** `constants` are the values of `constantsOf`, in order; empty when they are not known. */
export function sightsOf(
  tables: readonly TableReference[],
  expressions: readonly Expression[],
  constants: readonly Constant[],
): Sight[] {
  const values = new Map(constants.map((value, at) => [expressions[at]!, value]));
  return tables.map(({ conditions }) => {
    const where: RowPredicate = {
      op: "and",
      of: conditions.map((one) => withConstants(one, values)),
    };
    return { where, time: timeRangeOf(where) };
  });
}
