// What a query names, and what is in sight where: the words in which resolve.ts tells the steps
// after it what it has found.

import type { BaseTable, Expression, FunctionCall, QueryNode } from "./ast.ts";
import type { Condition } from "./conditions.ts";

/** One place where the query names a measurement. */
export interface TableReference {
  readonly database: string;
  readonly measurement: string;
  readonly node: BaseTable;
  /** What the query demands of its rows; all hold at once. */
  readonly conditions: Condition[];
}

/** One item of a FROM clause. */
export interface Leaf {
  /** Lower case: the engine's names ignore case. */
  readonly alias: string;
  /** null: a CTE, a subquery or a table function. */
  readonly table: TableReference | null;
  /** null: no CTE and no subquery, or its columns go by other names than inside. */
  readonly source: DerivedTable | null;
  /** Its columns go by the table's own names. */
  readonly hasOwnNames: boolean;
  /** Leaving out rows that WHERE drops anyway changes nothing. */
  readonly isPrunable: boolean;
  /** An outer join may make up a row in which its columns are NULL. */
  readonly isNullable: boolean;
}

/** A query that stands for a table. */
export interface DerivedTable {
  /** null: not resolved yet. */
  query: QueryNode | null;
  /** Places that read it. */
  useCount: number;
}

export interface JoinCondition {
  readonly condition: Expression;
  /** Rows of these that do not meet it can be left out. */
  readonly bounded: readonly Leaf[];
  readonly isInner: boolean;
}

/** The names that an expression can see. */
export interface Scope {
  readonly leaves: Leaf[];
  /** Of the FROM clause that the names are from. */
  readonly joins: JoinCondition[];
  readonly outer: Scope | null;
}

export interface Sum {
  readonly call: FunctionCall;
  /** The names in sight. */
  readonly scope: Scope;
  /** Those of every SELECT of the query. */
  readonly scopes: ReadonlyMap<QueryNode, Scope>;
}

export interface Resolved {
  readonly tables: readonly TableReference[];
  /** No column but these can matter, lower case. null: any can (`*`, a whole row as a value …). */
  readonly columnNames: ReadonlySet<string> | null;
  /** Every `+` and `-` of two operands. */
  readonly sums: readonly Sum[];
  /** Every comparison, with the names in sight. */
  readonly comparisons: readonly { readonly comparison: Expression; readonly scope: Scope }[];
  /** What the CTEs are called in the query, by the names that they have now. */
  readonly cteNames: ReadonlyMap<string, string>;
}
