// Step 9 of a batch's life: which tables does a query read, and may it?
//
// Walks the syntax tree once, by the kinds of node it knows; what it does not know is refused.
// Every table in the tree is either a CTE in scope or a measurement of a database that the caller
// may read, and either way loses the name that the user wrote: no text of a query ever names
// something in the engine. So file names, catalog tables and replacement scans are not forbidden,
// they are unreachable; a name that no measurement can have is refused to say so. Functions are
// called by allow-list (lib/sql/functions.ts).
//
// Left for later steps: the tables found (lib/sql/scan-sql.ts puts subqueries in their place), with
// what the query demands of their rows (lib/sql/pruning.ts), and sums that may be time +
// milliseconds (lib/sql/durations.ts). Next: lib/sql/pruning.ts.

import { SluiceError } from "#lib/base/errors.ts";
import type { Ast, BaseTable, ColumnRef, Expression, FromNode, FunctionCall } from "./ast.ts";
import { isExpression, isObject, type QueryNode, type SelectNode } from "./ast.ts";
import { isFunctionAllowed, isTableFunctionAllowed } from "./functions.ts";
import { findConditions } from "./pruning.ts";
import { notAllowed, refuseUnseen } from "./refuse-unseen.ts";
import type { DerivedTable, Leaf, Resolved, Scope, Sum, TableReference } from "./scope.ts";

export interface ResolveContext {
  /** Database of bare table names. */
  readonly database: string;
  isReadable(database: string): boolean;
}

/** What a database or a measurement can be called at all; see lib/protocol/walk-batch.ts. */
const STORED_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** No database has these names; people who try them look for the engine's catalog. */
const ENGINE_SCHEMAS = new Set(["information_schema", "pg_catalog"]);

const EXPRESSION_CLASSES = new Set(
  (
    "BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA OPERATOR " +
    "POSITIONAL_REFERENCE STAR SUBQUERY WINDOW"
  ).split(" "),
);

/** Changes `ast` in place. Throws `sql_not_allowed`, `permission_denied`. */
export function resolveQuery(ast: Ast, context: ResolveContext): Resolved {
  const resolver = new Resolver(context);
  const statement = ast.statements[0]!;
  statement.node = resolver.query(statement.node, new Map(), null);
  refuseUnseen(ast.statements, resolver.seen);
  const { tables, sums, comparisons, cteNames, columnNames, usesAllColumns } = resolver;
  findConditions(resolver.scopes, tables);
  return {
    tables,
    sums,
    comparisons,
    cteNames,
    columnNames: usesAllColumns ? null : columnNames,
  };
}

/** CTEs in sight by name, lower case. */
type Ctes = ReadonlyMap<string, Cte>;

interface Cte extends DerivedTable {
  /** What it is called now. */
  readonly name: string;
  /** Nothing is known of its columns. */
  readonly isOpaque: boolean;
}

/** What is said of a leaf by where it stands in FROM. */
type Place = Pick<Leaf, "isPrunable" | "isNullable">;

class Resolver {
  readonly tables: TableReference[] = [];
  /** Of every SELECT. */
  readonly scopes = new Map<QueryNode, Scope>();
  readonly sums: Sum[] = [];
  readonly comparisons: { comparison: Expression; scope: Scope }[] = [];
  readonly cteNames = new Map<string, string>();
  readonly columnNames = new Set<string>();
  readonly seen = new Set<object>();
  usesAllColumns = false;
  readonly #context: ResolveContext;

  constructor(context: ResolveContext) {
    this.#context = context;
  }

  /** Returns the node to stand in its place. */
  query(node: QueryNode, ctes: Ctes, outer: Scope | null): QueryNode {
    // A materialised CTE is told twice: as a wrapper, and in the map of what it wraps.
    if (node.type === "CTE_NODE") return this.query(node["child"] as QueryNode, ctes, outer);
    const inner = this.#nameCtes(node, ctes, outer);
    switch (node.type) {
      case "SELECT_NODE":
        this.#select(node as SelectNode, inner, outer);
        return node;
      case "SET_OPERATION_NODE":
      case "RECURSIVE_CTE_NODE": {
        node["left"] = this.query(node["left"] as QueryNode, inner, outer);
        node["right"] = this.query(node["right"] as QueryNode, inner, outer);
        this.#expressions(node["modifiers"], inner, { leaves: [], joins: [], outer });
        return node;
      }
      default:
        throw notAllowed(`a query of kind ${node.type}`);
    }
  }

  /** CTEs of one WITH see each other, but only a recursive one sees itself. */
  #nameCtes(node: QueryNode, ctes: Ctes, outer: Scope | null): Ctes {
    const { map } = node.cte_map;
    if (map.length === 0) return ctes;
    const inner = new Map(ctes);
    for (const { key, value } of map) {
      const name = `cte_${this.cteNames.size}`;
      this.cteNames.set(name, key);
      const isOpaque = value.aliases.length > 0 || value.query.node.type === "RECURSIVE_CTE_NODE";
      inner.set(key.toLowerCase(), { name, isOpaque, query: null, useCount: 0 });
    }
    for (const entry of map) {
      const key = entry.key.toLowerCase();
      const { query } = entry.value;
      const visible = new Map(inner);
      const cte = inner.get(key)!;
      entry.key = cte.name;
      if (query.node.type === "RECURSIVE_CTE_NODE") {
        query.node["cte_name"] = entry.key;
      } else {
        visible.delete(key);
        if (ctes.has(key)) visible.set(key, ctes.get(key)!);
      }
      query.node = cte.query = this.query(query.node, visible, outer);
    }
    return inner;
  }

  #select(node: SelectNode, ctes: Ctes, outer: Scope | null): void {
    const scope: Scope = { leaves: [], joins: [], outer };
    this.scopes.set(node, scope);
    this.#from(node.from_table, ctes, scope, {
      isPrunable: node.sample === null,
      isNullable: false,
    });
    for (const [key, value] of Object.entries(node)) {
      if (key !== "from_table" && key !== "cte_map") this.#expressions(value, ctes, scope);
    }
  }

  #from(node: FromNode, ctes: Ctes, scope: Scope, place: Place): void {
    this.seen.add(node);
    const sampled = node.sample === null ? place : { ...place, isPrunable: false };
    switch (node.type) {
      case "EMPTY":
        return;
      case "BASE_TABLE":
        scope.leaves.push(this.#table(node as BaseTable, ctes, sampled));
        return;
      case "JOIN":
        return this.#join(node, ctes, scope, sampled);
      case "SUBQUERY": {
        const subquery = node["subquery"] as { node: QueryNode };
        subquery.node = this.query(subquery.node, ctes, scope);
        const isRenamed = (node["column_name_alias"] as string[]).length > 0;
        const source = isRenamed ? null : { query: subquery.node, useCount: 1 };
        scope.leaves.push(derivedLeaf(node.alias, source, sampled));
        return;
      }
      case "TABLE_FUNCTION": {
        const call = node["function"] as FunctionCall;
        if (call.class !== "FUNCTION" || !isTableFunctionAllowed(call)) {
          throw notAllowed(`the table function ${call.function_name}`);
        }
        this.#expressions(call.children, ctes, scope);
        scope.leaves.push(derivedLeaf(node.alias || call.function_name, null, sampled));
        return;
      }
      case "EXPRESSION_LIST":
        this.#expressions(node["values"], ctes, scope);
        scope.leaves.push(derivedLeaf(node.alias, null, sampled));
        return;
      case "PIVOT":
        return this.#pivot(node, ctes, scope);
      default:
        throw notAllowed(`${node.type} in FROM`);
    }
  }

  #join(node: FromNode, ctes: Ctes, scope: Scope, place: Place): void {
    const { join_type: type, ref_type: kind } = node;
    const condition = node["condition"] as Expression | null;
    // In these two, a row that is left out changes what its neighbours are joined with.
    const isPrunable = place.isPrunable && kind !== "ASOF" && kind !== "POSITIONAL";
    const keepsLeft = ["INNER", "LEFT", "SEMI", "ANTI"].includes(type as string);
    const keepsRight = ["INNER", "RIGHT", "SEMI", "ANTI"].includes(type as string);
    const start = scope.leaves.length;
    const isLeftNullable = place.isNullable || !keepsLeft;
    this.#from(node["left"] as FromNode, ctes, scope, { isPrunable, isNullable: isLeftNullable });
    const middle = scope.leaves.length;
    const isRightNullable = place.isNullable || !keepsRight;
    this.#from(node["right"] as FromNode, ctes, scope, { isPrunable, isNullable: isRightNullable });
    if (condition !== null && kind === "REGULAR") {
      const left = type === "INNER" || type === "SEMI" || type === "RIGHT";
      const right = type === "INNER" || type === "SEMI" || type === "LEFT" || type === "ANTI";
      const bounded = [
        ...(left ? scope.leaves.slice(start, middle) : []),
        ...(right ? scope.leaves.slice(middle) : []),
      ];
      scope.joins.push({ condition, bounded, isInner: type === "INNER" });
    }
    if (kind === "NATURAL") this.usesAllColumns = true;
    for (const name of node["using_columns"] as string[]) this.#noteColumn(name);
    this.#expressions(condition, ctes, scope);
  }

  /** UNPIVOT too. Its source is in nobody's sight but its own. */
  #pivot(node: FromNode, ctes: Ctes, outer: Scope): void {
    const scope: Scope = { leaves: [], joins: [], outer };
    const place = { isPrunable: false, isNullable: false };
    this.#from(node["source"] as FromNode, ctes, scope, place);
    this.usesAllColumns = true;
    for (const pivot of node["pivots"] as { pivot_enum: string }[]) {
      if (pivot.pivot_enum !== "") throw notAllowed("PIVOT over the values of an ENUM");
      this.#expressions(pivot, ctes, scope);
    }
    this.#expressions(node["aggregates"], ctes, scope);
    outer.leaves.push(derivedLeaf(node.alias, null, place));
  }

  #table(node: BaseTable, ctes: Ctes, place: Place): Leaf {
    const { catalog_name: catalog, schema_name: schema, table_name: name } = node;
    const alias = (node.alias === "" ? name : node.alias).toLowerCase();
    if (catalog !== "") {
      const text = `${catalog}.${schema}.${name}`;
      throw notAllowed(`"${text}": a table is named "measurement" or "database.measurement"`);
    }
    const hasOwnNames = node.column_name_alias.length === 0;
    const cte = schema === "" ? ctes.get(name.toLowerCase()) : undefined;
    if (cte !== undefined) {
      if (node.alias === "") node.alias = name;
      node.table_name = cte.name;
      cte.useCount++;
      return derivedLeaf(alias, hasOwnNames && !cte.isOpaque ? cte : null, place);
    }
    const database = schema === "" ? this.#context.database : schema;
    if (ENGINE_SCHEMAS.has(database.toLowerCase())) throw notAllowed(`tables of ${database}`);
    for (const stored of [database, name]) {
      if (!STORED_NAME.test(stored)) throw notAllowed(`"${stored}" as the name of a table`);
    }
    if (!this.#context.isReadable(database)) {
      const message = `Permission denied: read required on database "${database}"`;
      throw new SluiceError("permission_denied", message, { required: "read", database });
    }
    const table = { database, measurement: name, node, conditions: [] };
    this.tables.push(table);
    // Names given by position say nothing about which columns they are.
    if (!hasOwnNames) this.usesAllColumns = true;
    const { isPrunable, isNullable } = place;
    return {
      alias,
      table,
      source: null,
      hasOwnNames,
      isPrunable: isPrunable && hasOwnNames,
      isNullable,
    };
  }

  /** Looks through any value for expressions and queries. */
  #expressions(value: unknown, ctes: Ctes, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const item of value) this.#expressions(item, ctes, scope);
    } else if (isExpression(value)) {
      this.#expression(value, ctes, scope);
    } else if (isObject(value)) {
      for (const inner of Object.values(value)) this.#expressions(inner, ctes, scope);
    }
  }

  #expression(expression: Expression, ctes: Ctes, scope: Scope): void {
    switch (expression.class) {
      case "CONSTANT":
        return;
      case "COLUMN_REF":
        return this.#column(expression as ColumnRef, scope);
      case "SUBQUERY": {
        const subquery = expression["subquery"] as { node: QueryNode };
        subquery.node = this.query(subquery.node, ctes, scope);
        return this.#expressions(expression["child"], ctes, scope);
      }
      case "STAR":
        this.usesAllColumns = true;
        break;
      case "FUNCTION":
      case "WINDOW":
        this.#function(expression as FunctionCall, scope);
        break;
      case "COMPARISON":
      case "BETWEEN":
      case "OPERATOR":
        if (expression.type.startsWith("COMPARE_")) {
          this.comparisons.push({ comparison: expression, scope });
        }
        break;
      default:
        if (!EXPRESSION_CLASSES.has(expression.class)) throw notAllowed(expression.class);
    }
    for (const [key, value] of Object.entries(expression)) {
      // A type is not an expression, although it may hold constants.
      if (key !== "cast_type") this.#expressions(value, ctes, scope);
    }
  }

  #function(call: FunctionCall, scope: Scope): void {
    if (!isFunctionAllowed(call)) throw notAllowed(`the function ${call.function_name}`);
    const { function_name: name, children } = call;
    if ((name === "+" || name === "-") && children.length === 2) {
      this.sums.push({ call, scope, scopes: this.scopes });
    }
  }

  /** `database.measurement.column` loses its database: the table has only its alias by now. */
  #column({ column_names: names }: ColumnRef, scope: Scope): void {
    for (const name of names) this.#noteColumn(name);
    const last = names.at(-1)!.toLowerCase();
    const [database, measurement] = names;
    for (let at: Scope | null = scope; at !== null; at = at.outer) {
      // The name of a table in the place of a column is its whole row.
      if (at.leaves.some(({ alias }) => alias === last)) this.usesAllColumns = true;
      const isMeant = ({ table, alias }: Leaf) =>
        table?.database === database && alias === measurement?.toLowerCase();
      if (names.length > 2 && at.leaves.some(isMeant)) names.shift();
    }
  }

  #noteColumn(name: string): void {
    this.columnNames.add(name.toLowerCase());
  }
}

function derivedLeaf(alias: string, source: DerivedTable | null, place: Place): Leaf {
  return { alias: alias.toLowerCase(), table: null, source, hasOwnNames: false, ...place };
}
