// Pieces of SQL that are to be one expression and no more: a WHERE, an ORDER BY.

import { SluiceError } from "#lib/base/errors.ts";
import { type Ast, type Expression, type QueryNode, readAst, type SelectNode } from "./ast.ts";
import type { SqlEngine } from "./engine.ts";

type Parser = Pick<SqlEngine, "parse">;

/** Parsed alone, so that it can be nothing but one expression, whatever brackets it closes. */
export function parseCondition(where: string, engine: Parser): Expression {
  const select = onlySelect(readAst(engine.parse(`SELECT (${where}\n)`)));
  const [expression, ...others] = select.select_list;
  if (others.length > 0 || !isBare(select) || select.modifiers.length > 0) throw notOne("where");
  return expression!;
}

export function parseOrder(orderBy: string, engine: Parser): QueryNode["modifiers"][number] {
  const select = onlySelect(readAst(engine.parse(`SELECT 1 ORDER BY ${orderBy}`)));
  const [modifier, ...others] = select.modifiers;
  const isOrder = modifier?.type === "ORDER_MODIFIER" && others.length === 0;
  if (!isOrder || !isBare(select)) throw notOne("order_by");
  return modifier;
}

export function onlySelect({ statements: [statement] }: Ast): SelectNode {
  const { node } = statement!;
  if (node.type !== "SELECT_NODE") throw new SluiceError("sql_invalid", "not one expression");
  return node as SelectNode;
}

/** No clause but the select list and modifiers. */
function isBare(select: SelectNode): boolean {
  const {
    from_table: from,
    where_clause: where,
    group_expressions: groups,
    cte_map: ctes,
  } = select;
  const others = [select["having"], select["qualify"], select.sample, where];
  return (
    from.type === "EMPTY" &&
    groups.length === 0 &&
    ctes.map.length === 0 &&
    others.every((clause) => clause === null)
  );
}

function notOne(field: string): SluiceError {
  return new SluiceError("sql_invalid", `"${field}" must be one SQL expression and no more`, {
    field,
  });
}
