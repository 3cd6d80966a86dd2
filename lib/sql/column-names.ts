// Names of the columns that a query does not name: its own text, as the engine would print it.
//
// The engine takes the text of what it runs, and that is not what the user wrote: tables have
// become files, and defects of the engine other calls. So the names are fixed before that.

import { type Ast, type Expression, isObject, selectOf, type SelectNode, writeAst } from "./ast.ts";
import type { SqlEngine } from "./engine.ts";

/** Changes `ast`. */
export function nameColumns(ast: Ast, engine: Pick<SqlEngine, "print">): void {
  visit(ast.statements, engine);
}

function visit(value: unknown, engine: Pick<SqlEngine, "print">): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, engine);
  } else if (isObject(value)) {
    if (value["type"] === "SELECT_NODE") {
      for (const item of (value as unknown as SelectNode).select_list) nameItem(item, engine);
    }
    for (const inner of Object.values(value)) visit(inner, engine);
  }
}

function nameItem(item: Expression, engine: Pick<SqlEngine, "print">): void {
  if (item.alias !== "" || item.class === "COLUMN_REF" || !isChangedLater(item)) return;
  item.alias = engine.print(writeAst(selectOf([item]))).slice("SELECT ".length);
}

/** `COLUMNS(*)` stands for many columns, which no one name fits. */
function isChangedLater(item: Expression): boolean {
  const { hasStar, hasChange } = lookInto(item, { hasStar: false, hasChange: false });
  return hasChange && !hasStar;
}

interface Seen {
  hasStar: boolean;
  hasChange: boolean;
}

const CHANGED = new Set(["SUBQUERY", "WINDOW", "CONSTANT", "FUNCTION", "COMPARISON", "CAST"]);

function lookInto(value: unknown, seen: Seen): Seen {
  if (!isObject(value)) return seen;
  if (value["class"] === "STAR") seen.hasStar = true;
  if (CHANGED.has(String(value["class"]))) seen.hasChange = true;
  for (const inner of Object.values(value)) lookInto(inner, seen);
  return seen;
}
