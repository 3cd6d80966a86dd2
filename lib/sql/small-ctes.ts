// CTEs of a few rows that other tables are joined with are computed once, before the join.
//
// `WITH incident AS (… LIMIT 1) SELECT … FROM cpu, incident i WHERE cpu.time BETWEEN i.a AND i.b`:
// the engine puts the CTE's text in its place, loses sight of the LIMIT in its estimates, and sorts
// all rows of the large side in memory to join two equals by range. A materialised CTE it takes for
// small; it then streams the large side past it, whatever the size, and each reference sees the
// same rows.
//
// Left alone: a CTE that may have many rows, for which the streaming join would be far too slow,
// and one below a FROM or in a subquery, because the engine refuses a materialised CTE that depends
// on the row around it. Whether the guess of rows is right decides about speed alone.

import { LIMITS } from "#lib/base/limits.ts";
import type { Ast, BaseTable, Expression, FromNode, FunctionCall } from "./ast.ts";
import { isObject, type QueryNode, type SelectNode, someExpression } from "./ast.ts";
import { isAggregateCall } from "./functions.ts";

type CteEntry = QueryNode["cte_map"]["map"][number];

/** How many rows the CTE of this name has at most. */
type CteRows = (name: string) => number;

/** Changes `ast`, in which each CTE has a name of its own and every other table is a subquery. */
export function materializeSmallCtes(ast: Ast): void {
  const [{ node }] = ast.statements as [{ node: QueryNode }];
  const joined = new Set<string>();
  collectJoined(node, false, joined);
  const ctes = uncorrelatedCtes(node);
  const cteRows = rowsOfCtes(ctes);
  for (const { key, value } of ctes) {
    if (joined.has(key) && cteRows(key) <= LIMITS.smallCteRowsMax) {
      value.materialized = "CTE_MATERIALIZE_ALWAYS";
    }
  }
}

/** The parser keeps them in no certain order. */
function rowsOfCtes(ctes: CteEntry[]): CteRows {
  const queries = new Map(ctes.map(({ key, value }) => [key, value.query.node]));
  const known = new Map<string, number>();
  const cteRows = (name: string): number => {
    const query = queries.get(name);
    const rows = known.get(name);
    if (query === undefined || rows !== undefined) return rows ?? Infinity;
    // Until it is known, for one that leads back to itself.
    known.set(name, Infinity);
    known.set(name, rowsMax(query, cteRows));
    return known.get(name)!;
  };
  return cteRows;
}

/** Names of tables that stand beside others in a FROM. */
function collectJoined(value: unknown, isInJoin: boolean, joined: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collectJoined(item, false, joined);
  } else if (isObject(value)) {
    if (isInJoin && value["type"] === "BASE_TABLE") joined.add((value as BaseTable).table_name);
    const isJoin = value["type"] === "JOIN";
    for (const inner of Object.values(value)) collectJoined(inner, isJoin, joined);
  }
}

/** Those of queries that no row of another query can be visible in. */
function uncorrelatedCtes(node: QueryNode): CteEntry[] {
  const own = node.cte_map.map;
  if (node.type === "SET_OPERATION_NODE") {
    const arms = [node["left"], node["right"]] as QueryNode[];
    return [...own, ...arms.flatMap(uncorrelatedCtes)];
  }
  const from = node["from_table"] as FromNode | undefined;
  if (from?.type !== "SUBQUERY") return own;
  return [...own, ...uncorrelatedCtes((from["subquery"] as { node: QueryNode }).node)];
}

function rowsMax(node: QueryNode, cteRows: CteRows): number {
  return Math.min(limitOf(node), rowsBeforeLimit(node, cteRows));
}

function limitOf({ modifiers }: QueryNode): number {
  const limits = modifiers.map(({ type, limit }) => {
    const isPlain = type === "LIMIT_MODIFIER" && limit?.class === "CONSTANT";
    const { value } = isPlain ? (limit as unknown as { value: { value: unknown } }).value : {};
    return typeof value === "number" ? value : Infinity;
  });
  return Math.min(Infinity, ...limits);
}

function rowsBeforeLimit(node: QueryNode, cteRows: CteRows): number {
  if (node.type === "SET_OPERATION_NODE") {
    return (
      rowsMax(node["left"] as QueryNode, cteRows) + rowsMax(node["right"] as QueryNode, cteRows)
    );
  }
  if (node.type !== "SELECT_NODE") return Infinity;
  const { select_list: list, group_expressions: groups, from_table: from } = node as SelectNode;
  if (someExpression(list, isSetReturning)) return Infinity;
  const isOneGroup = groups.length === 0 && someExpression(list, isAggregateCall);
  return isOneGroup ? 1 : rowsOfFrom(from, cteRows);
}

function rowsOfFrom(from: FromNode, cteRows: CteRows): number {
  switch (from.type) {
    case "EMPTY":
      return 1;
    case "EXPRESSION_LIST":
      return (from["values"] as unknown[]).length;
    case "BASE_TABLE":
      return cteRows((from as BaseTable).table_name);
    case "SUBQUERY":
      return rowsMax((from["subquery"] as { node: QueryNode }).node, cteRows);
    case "JOIN": {
      const left = rowsOfFrom(from["left"] as FromNode, cteRows);
      const right = rowsOfFrom(from["right"] as FromNode, cteRows);
      // An outer join makes up one row more on either side.
      return (left + 1) * (right + 1);
    }
    default:
      return Infinity;
  }
}

/** One row becomes many. */
const SET_RETURNING = new Set(["unnest", "generate_subscripts"]);

function isSetReturning(expression: Expression): boolean {
  const { class: kind, function_name: name } = expression as FunctionCall;
  return kind === "FUNCTION" && SET_RETURNING.has(name);
}
