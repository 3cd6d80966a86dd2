// Where a column of a query comes from: through subqueries and CTEs down to the table that has it.
//
// A condition on a subquery's column may be asked of the table below when the column comes through
// unchanged, and when rows that are left out below would only have led to rows that are dropped
// above. So not through LIMIT, window functions, DISTINCT ON, samples and set operations; through
// GROUP BY only for what it groups by; not into a CTE that is read in two places.

import type { ColumnRef, Expression, QueryNode, SelectNode } from "./ast.ts";
import { someExpression } from "./ast.ts";
import { isAggregateCall } from "./functions.ts";
import type { Leaf, Scope, TableReference } from "./scope.ts";

/** The names in sight of every SELECT of a query, in the order in which they were entered. */
export type Scopes = ReadonlyMap<QueryNode, Scope>;

export interface Origin {
  readonly table: TableReference;
  /** Lower case. The table need not have it. */
  readonly column: string;
  /** An outer join on the way may have put NULL into its place. */
  readonly isNullable: boolean;
}

/** The column of a table that the expression is; null when that is not certain. */
export function originOf(expression: Expression, scope: Scope, scopes: Scopes): Origin | null {
  const leaf = leafOf(expression, scope);
  if (leaf === null) return null;
  const column = (expression as ColumnRef).column_names.at(-1)!.toLowerCase();
  return throughLeaf(leaf, column, scopes);
}

/** The one item of FROM that has the column; null when the expression is none, or not certain. */
export function leafOf(expression: Expression, { leaves }: Scope): Leaf | null {
  if (expression.class !== "COLUMN_REF") return null;
  const names = (expression as ColumnRef).column_names
    .slice(0, -1)
    .map((name) => name.toLowerCase());
  const qualifier = names.pop();
  const isMeant = ({ alias, table }: Leaf): boolean =>
    qualifier === undefined
      ? leaves.length === 1
      : alias === qualifier && (names.length === 0 || table?.database.toLowerCase() === names[0]);
  const [leaf, ...others] = leaves.filter(isMeant);
  return leaf !== undefined && others.length === 0 ? leaf : null;
}

function throughLeaf(leaf: Leaf, column: string, scopes: Scopes): Origin | null {
  const { table, source, isPrunable, isNullable } = leaf;
  if (!isPrunable) return null;
  if (table !== null) return { table, column, isNullable };
  if (source === null || source.useCount !== 1 || source.query === null) return null;
  const origin = throughQuery(source.query, column, scopes);
  return origin === null ? null : { ...origin, isNullable: isNullable || origin.isNullable };
}

function throughQuery(query: QueryNode, column: string, scopes: Scopes): Origin | null {
  const scope = scopes.get(query);
  if (scope === undefined || !keepsRows(query as SelectNode)) return null;
  const select = query as SelectNode;
  const item = itemNamed(select.select_list, column);
  if (item === null) return null;
  const origin =
    item.class === "STAR"
      ? throughStar(item, column, scope, scopes)
      : originOf(item, scope, scopes);
  return origin !== null && isKey(origin, item, select, scope, scopes) ? origin : null;
}

/** Whether a row has nothing to do with how many others there are. */
function keepsRows({ modifiers, select_list: list, sample, qualify }: SelectNode): boolean {
  const isHarmless = ({ type, distinct_on_targets: targets }: QueryNode["modifiers"][number]) =>
    type === "ORDER_MODIFIER" || (type === "DISTINCT_MODIFIER" && targets?.length === 0);
  const isWindow = (expression: Expression) => expression.class === "WINDOW";
  return (
    sample === null &&
    qualify === null &&
    modifiers.every(isHarmless) &&
    !someExpression(list, isWindow)
  );
}

/** The one item of a SELECT that can have this name. */
function itemNamed(list: readonly Expression[], column: string): Expression | null {
  const candidates = list.filter(
    (item) => item.class === "STAR" || nameOf(item)?.toLowerCase() === column,
  );
  return candidates.length === 1 ? candidates[0]! : null;
}

/** null: the engine makes one up, in which there are brackets or operators. */
function nameOf(item: Expression): string | null {
  if (item.alias !== "") return item.alias;
  return item.class === "COLUMN_REF" ? (item as ColumnRef).column_names.at(-1)! : null;
}

function throughStar(
  star: Expression,
  column: string,
  { leaves }: Scope,
  scopes: Scopes,
): Origin | null {
  const { exclude_list: excluded, replace_list: replaced, columns, expr } = star;
  const isPlain = [excluded, replaced].every((list) => (list as unknown[]).length === 0);
  if (!isPlain || columns !== false || expr !== null) return null;
  const relation = String(star["relation_name"]).toLowerCase();
  const meant = relation === "" ? leaves : leaves.filter(({ alias }) => alias === relation);
  return meant.length === 1 ? throughLeaf(meant[0]!, column, scopes) : null;
}

/** True where nothing is grouped, or where this is what is grouped by. */
function isKey(
  origin: Origin,
  item: Expression,
  select: SelectNode,
  scope: Scope,
  scopes: Scopes,
): boolean {
  const { select_list: list, group_expressions: groups, having } = select;
  if (select["aggregate_handling"] === "FORCE_AGGREGATES") return true;
  if (groups.length === 0) return having === null && !someExpression(list, isAggregateCall);
  const isSame = (group: Expression): boolean => {
    if (group.class === "CONSTANT") {
      return list[Number((group["value"] as { value: unknown }).value) - 1] === item;
    }
    const key = originOf(group, scope, scopes);
    return key?.table === origin.table && key.column === origin.column;
  };
  return (select["group_sets"] as unknown[]).length === 1 && groups.some(isSame);
}
