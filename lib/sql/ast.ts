// The engine's syntax tree, as its parser serialises it to JSON.
//
// Only the shapes that are looked into are typed; the rest is carried along. A number whose digits
// a double cannot hold (int64 and decimal constants) keeps its source text, so that printing the
// tree gives back the same query.

import { SluiceError } from "#lib/base/errors.ts";

export interface Expression {
  class: string;
  type: string;
  alias: string;
  [key: string]: unknown;
}

export interface ColumnRef extends Expression {
  column_names: string[];
}

export interface FunctionCall extends Expression {
  function_name: string;
  schema: string;
  catalog: string;
  children: Expression[];
}

/** SELECT_NODE, SET_OPERATION_NODE, RECURSIVE_CTE_NODE or CTE_NODE. */
export interface QueryNode {
  type: string;
  cte_map: {
    map: { key: string; value: { query: { node: QueryNode }; materialized: string } }[];
  };
  /** ORDER BY, LIMIT, DISTINCT. */
  modifiers: { type: string; limit?: Expression | null }[];
  [key: string]: unknown;
}

export interface SelectNode extends QueryNode {
  select_list: Expression[];
  from_table: FromNode;
  where_clause: Expression | null;
  group_expressions: Expression[];
  sample: unknown;
}

/** BASE_TABLE, JOIN, SUBQUERY, TABLE_FUNCTION, EXPRESSION_LIST, EMPTY or PIVOT. */
export interface FromNode {
  type: string;
  alias: string;
  sample: unknown;
  [key: string]: unknown;
}

export interface BaseTable extends FromNode {
  catalog_name: string;
  schema_name: string;
  table_name: string;
  column_name_alias: string[];
}

export interface Ast {
  statements: { node: QueryNode }[];
}

/** JSON.parse and its partner with sources of numbers, which TypeScript does not know yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** Throws `sql_not_allowed` unless it is one statement. */
export function readAst(text: string): Ast {
  const exact = JSON as unknown as ExactJson;
  let ast: Ast;
  try {
    ast = exact.parse(text, (_key, value, { source }) => {
      if (isBooleanConstant(value)) return { ...value, value: value.value === 1 };
      return typeof value === "number" && String(value) !== source ? exact.rawJSON(source!) : value;
    }) as Ast;
  } catch (cause) {
    // The parser writes a constant like 1e400 as Infinity, which is not JSON.
    throw new SluiceError("sql_invalid", "a number is out of range", {}, { cause });
  }
  const count = ast.statements.length;
  if (count === 0) throw new SluiceError("sql_invalid", "SQL query is required");
  if (count > 1) {
    throw new SluiceError("sql_not_allowed", "Multiple SQL statements are not allowed");
  }
  return ast;
}

/**
 * The engine writes truth values as 0 and 1, as in `x IS TRUE`, and then reads nothing but true and
 * false.
 */
function isBooleanConstant(value: unknown): value is { value: number } {
  if (!isObject(value) || typeof value["value"] !== "number") return false;
  return isObject(value["type"]) && value["type"]["id"] === "BOOLEAN";
}

export function writeAst(ast: Ast): string {
  return JSON.stringify({ error: false, ...ast });
}

export function isExpression(value: unknown): value is Expression {
  return isObject(value) && typeof value["class"] === "string";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function callOf(name: string, ...children: Expression[]): FunctionCall {
  return {
    class: "FUNCTION",
    type: "FUNCTION",
    alias: "",
    function_name: name,
    schema: "",
    catalog: "",
    children,
    filter: null,
    order_bys: { type: "ORDER_MODIFIER", orders: [] },
    distinct: false,
    is_operator: false,
    export_state: false,
  };
}

/** TRY_CAST, which gives NULL where a cast would fail. */
export function tryCast(child: Expression, typeId: string): Expression {
  return {
    class: "CAST",
    type: "OPERATOR_CAST",
    alias: "",
    child,
    cast_type: { id: typeId, type_info: null },
    try_cast: true,
  };
}

/** `SELECT` of these expressions, from nothing. */
export function selectOf(expressions: Expression[]): Ast {
  const node: SelectNode = {
    type: "SELECT_NODE",
    modifiers: [],
    cte_map: { map: [] },
    select_list: expressions,
    from_table: { type: "EMPTY", alias: "", sample: null },
    where_clause: null,
    group_expressions: [],
    group_sets: [],
    aggregate_handling: "STANDARD_HANDLING",
    having: null,
    sample: null,
    qualify: null,
  };
  return { statements: [{ node }] };
}

/** Puts a subquery in the place of a table, under the name by which the query calls that table. */
export function replaceTable(table: BaseTable, node: QueryNode): void {
  const { alias, table_name: name, sample, column_name_alias: columns } = table;
  for (const key of Object.keys(table)) delete table[key];
  Object.assign(table, {
    type: "SUBQUERY",
    alias: alias === "" ? name : alias,
    sample,
    subquery: { node },
    column_name_alias: columns,
  });
}
