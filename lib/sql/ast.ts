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

export interface Cast extends Expression {
  child: Expression;
  cast_type: { id: string; type_info: unknown };
  try_cast: boolean;
}

export interface Constant extends Expression {
  value: { type: { id: string; type_info: unknown }; is_null: boolean; value?: unknown };
}

/** SELECT_NODE, SET_OPERATION_NODE, RECURSIVE_CTE_NODE or CTE_NODE. */
export interface QueryNode {
  type: string;
  cte_map: {
    map: {
      key: string;
      value: { query: { node: QueryNode }; aliases: string[]; materialized: string };
    }[];
  };
  /** ORDER BY, LIMIT, DISTINCT. */
  modifiers: {
    type: string;
    limit?: Expression | null;
    /** Of DISTINCT ON. */
    distinct_on_targets?: Expression[];
  }[];
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

/** Whether one of the expressions in `value` is meant; those of queries inside it do not count. */
export function someExpression(
  value: unknown,
  isMeant: (expression: Expression) => boolean,
): boolean {
  if (Array.isArray(value)) return value.some((item) => someExpression(item, isMeant));
  if (!isObject(value)) return false;
  if (isExpression(value)) {
    if (value.class === "SUBQUERY") return false;
    if (isMeant(value)) return true;
  }
  return Object.values(value).some((inner) => someExpression(inner, isMeant));
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

export function operatorOf(sign: string, left: Expression, right: Expression): FunctionCall {
  return { ...callOf(sign, left, right), is_operator: true };
}

/** TRY_CAST, which gives NULL where a cast would fail. */
export function tryCast(child: Expression, typeId: string): Cast {
  return { ...cast(child, typeId), try_cast: true };
}

export function cast(child: Expression, typeId: string): Cast {
  return {
    class: "CAST",
    type: "OPERATOR_CAST",
    alias: "",
    child,
    cast_type: { id: typeId, type_info: null },
    try_cast: false,
  };
}

/** NULL for null, whatever the type. */
export function constant(typeId: string, value: string | number | boolean | null): Constant {
  const isNull = value === null;
  const type = { id: isNull ? "NULL" : typeId, type_info: null };
  return {
    class: "CONSTANT",
    type: "VALUE_CONSTANT",
    alias: "",
    value: isNull ? { type, is_null: true } : { type, is_null: false, value },
  };
}

/** Puts what `make` makes of the expression in its place, under its name. */
export function wrap(expression: Expression, make: (inner: Expression) => Expression): void {
  const { alias } = expression;
  const inner = { ...expression, alias: "" };
  for (const key of Object.keys(expression)) delete expression[key];
  Object.assign(expression, make(inner), { alias });
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
