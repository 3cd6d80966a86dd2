// Which rows of a file meet a condition, as a query: how a delete asks for what it is to leave out.
//
// The condition goes the way of every WHERE, so that it means here what it means in a SELECT. It is
// asked of each file by itself and at different times, though, so it must not see other tables, be
// chance, or read the clock: `now()` is the moment at which the delete was asked for.
//
// Throws `sql_invalid` for what is not one expression, `sql_not_allowed` naming what it may not
// use.

import { SluiceError } from "#lib/base/errors.ts";
import type { Ast, ColumnRef, Expression, FunctionCall, SelectNode } from "./ast.ts";
import { cast, constant, isExpression, isObject, readAst } from "./ast.ts";
import type { SqlEngine } from "./engine.ts";
import { avoidDefects, refuseAllOfSets } from "./engine-defects.ts";
import { FILE_ROW } from "./scan-sql.ts";
import { parseCondition } from "./single-expression.ts";
import type { MatchQuestion } from "./types.ts";

export function matchStatement(
  { schema, where, nowMs }: MatchQuestion,
  engine: Pick<SqlEngine, "parse">,
): Ast {
  refuseAllOfSets(where);
  const condition = parseCondition(where, engine);
  const columns = new Set(schema.columns.map(({ name }) => name.toLowerCase()));
  fixTimes(condition, columns, nowMs);
  const ast = readAst(engine.parse(`SELECT ${FILE_ROW} FROM "${schema.measurement}"`));
  (ast.statements[0]!.node as SelectNode).where_clause = condition;
  avoidDefects(ast);
  return ast;
}

/** What tells the time, by the type of what it tells. */
const CLOCKS: Readonly<Record<string, "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP" | "DATE">> = {
  now: "TIMESTAMP WITH TIME ZONE",
  get_current_timestamp: "TIMESTAMP WITH TIME ZONE",
  transaction_timestamp: "TIMESTAMP WITH TIME ZONE",
  current_timestamp: "TIMESTAMP WITH TIME ZONE",
  current_localtimestamp: "TIMESTAMP",
  localtimestamp: "TIMESTAMP",
  today: "DATE",
  current_date: "DATE",
};
const UNSTEADY = new Set(
  "random uuid gen_random_uuid get_current_time current_localtime current_time localtime".split(
    " ",
  ),
);

/** `columns`: names in lower case, which mean the column and not the keyword. */
function fixTimes(value: unknown, columns: ReadonlySet<string>, nowMs: number): void {
  if (Array.isArray(value)) {
    for (const item of value) fixTimes(item, columns, nowMs);
  } else if (isObject(value)) {
    if (isExpression(value)) check(value, columns, nowMs);
    for (const inner of Object.values(value)) fixTimes(inner, columns, nowMs);
  }
}

function check(expression: Expression, columns: ReadonlySet<string>, nowMs: number): void {
  if (expression.class === "SUBQUERY") throw notAllowed("a subquery");
  const name = nameOf(expression, columns);
  if (name === null) return;
  if (name === FILE_ROW) throw new SluiceError("sql_invalid", `there is no column "${name}"`);
  const isAgeOfToday = name === "age" && (expression as FunctionCall).children?.length === 1;
  if (UNSTEADY.has(name) || isAgeOfToday) throw notAllowed(name);
  const type = CLOCKS[name];
  if (type === undefined) return;
  const { alias } = expression;
  const text = new Date(nowMs).toISOString();
  for (const key of Object.keys(expression)) delete expression[key];
  const told = type === "DATE" ? text.slice(0, 10) : text.replace("T", " ").replace("Z", "");
  const zoned = type === "TIMESTAMP WITH TIME ZONE" ? `${told}+00` : told;
  Object.assign(expression, cast(constant("VARCHAR", zoned), type), { alias });
}

/** Of a function, or of a keyword that stands where a column could; in lower case. */
function nameOf(expression: Expression, columns: ReadonlySet<string>): string | null {
  if (expression.class === "FUNCTION") {
    return (expression as FunctionCall).function_name.toLowerCase();
  }
  if (expression.class !== "COLUMN_REF") return null;
  const { column_names: names } = expression as ColumnRef;
  const name = names.at(-1)!.toLowerCase();
  return columns.has(name) || (names.length > 1 && name !== FILE_ROW) ? null : name;
}

function notAllowed(what: string): SluiceError {
  return new SluiceError("sql_not_allowed", `not allowed in the condition of a delete: ${what}`);
}
