// A question as a syntax tree: SQL with its parameters, DESCRIBE and its kin, or a table's rows.
//
// The engine's parser serialises SELECT alone. So the first word of the others is read here, the
// SELECT behind it goes the way of every SELECT, and the word is put back before what the engine
// runs. EXPLAIN ANALYZE is refused, as its plan would tell of a query that nobody capped; PIVOT,
// because the parser makes several statements of it, one of them CREATE TYPE.
// Next: lib/sql/resolve.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type Ast, type Expression, type QueryNode, readAst, type SelectNode } from "./ast.ts";
import { quoteDefaultDatabase } from "./default-database.ts";
import type { SqlEngine } from "./engine.ts";
import { bindParams } from "./params.ts";
import type { Question, SqlQuestion, TableQuestion } from "./types.ts";

export interface Statement {
  readonly ast: Ast;
  /** Goes before the printed tree. */
  readonly verb: Verb;
}

type Verb = "" | "DESCRIBE" | "SUMMARIZE" | "EXPLAIN";
type Parser = Pick<SqlEngine, "parse">;

/** Throws `sql_invalid`, `sql_not_allowed`. */
export function readStatement(question: Question, engine: Parser): Statement {
  if (question.kind === "table") return { ast: tableRows(question, engine), verb: "" };
  const { verb, sql } = splitVerb(question.sql);
  const ast = readAst(engine.parse(quoteDefaultDatabase(sql)));
  bindParams(ast, question.params);
  if (!question.isEstimate) return { ast, verb };
  if (verb !== "") throw new SluiceError("sql_not_allowed", `${verb} has no rows to estimate`);
  return { ast: countOf(ast, engine), verb };
}

export function checkSqlLength({ sql }: SqlQuestion): void {
  const limit = LIMITS.sqlBytesMax;
  if (sql.trim() === "") throw new SluiceError("sql_invalid", "SQL query is required");
  if (new TextEncoder().encode(sql).byteLength > limit) {
    const message = `SQL query exceeds maximum length (${limit} bytes)`;
    throw new SluiceError("sql_invalid", message, { limit });
  }
}

const VERBS: Readonly<Record<string, Verb>> = {
  DESC: "DESCRIBE",
  DESCRIBE: "DESCRIBE",
  SUMMARIZE: "SUMMARIZE",
  EXPLAIN: "EXPLAIN",
};
/** What a query begins with. Anything else behind DESCRIBE is the name of a table. */
const QUERY_WORDS = new Set(["SELECT", "WITH", "FROM", "VALUES", "TABLE", ""]);

function splitVerb(sql: string): { verb: Verb; sql: string } {
  const { word, rest } = firstWord(sql);
  const verb = VERBS[word] ?? "";
  if (verb === "") return { verb, sql };
  const next = firstWord(rest).word;
  if (verb !== "EXPLAIN") {
    return { verb, sql: QUERY_WORDS.has(next) && !isQuoted(rest) ? rest : `FROM ${rest}` };
  }
  if (next !== "ANALYZE") return { verb, sql: rest };
  throw new SluiceError("sql_not_allowed", "not allowed in a query: EXPLAIN ANALYZE");
}

const SPACE_OR_COMMENT = /^(?:\s+|--[^\n]*|\/\*[^]*?\*\/)*/;

/** In capitals; empty where the text begins with something else. */
function firstWord(sql: string): { word: string; rest: string } {
  const text = sql.replace(SPACE_OR_COMMENT, "");
  const word = /^\w*/.exec(text)![0];
  return { word: word.toUpperCase(), rest: text.slice(word.length) };
}

function isQuoted(sql: string): boolean {
  return sql.replace(SPACE_OR_COMMENT, "").startsWith('"');
}

/** `SELECT count(*) FROM (…)`. */
function countOf(ast: Ast, engine: Parser): Ast {
  const count = readAst(engine.parse("SELECT count(*) FROM (SELECT 1) AS counted"));
  const { from_table: from } = selectOf(count);
  (from["subquery"] as { node: QueryNode }).node = ast.statements[0]!.node;
  return count;
}

function tableRows({ where, orderBy, ...question }: TableQuestion, engine: Parser): Ast {
  const { measurement, limit, offset } = question;
  const name = `"${measurement.replaceAll('"', '""')}"`;
  const ast = readAst(engine.parse(`SELECT * FROM ${name} LIMIT ${limit} OFFSET ${offset}`));
  const select = selectOf(ast);
  if (where !== null) select.where_clause = condition(where, engine);
  select.modifiers.unshift(order(orderBy, engine));
  return ast;
}

/** Parsed alone, so that it can be nothing but one expression, whatever brackets it closes. */
function condition(where: string, engine: Parser): Expression {
  const select = selectOf(readAst(engine.parse(`SELECT (${where}\n)`)));
  const [expression, ...others] = select.select_list;
  if (others.length > 0 || !isBare(select) || select.modifiers.length > 0) throw notOne("where");
  return expression!;
}

function order(orderBy: string, engine: Parser): QueryNode["modifiers"][number] {
  const select = selectOf(readAst(engine.parse(`SELECT 1 ORDER BY ${orderBy}`)));
  const [modifier, ...others] = select.modifiers;
  const isOrder = modifier?.type === "ORDER_MODIFIER" && others.length === 0;
  if (!isOrder || !isBare(select)) throw notOne("order_by");
  return modifier;
}

function selectOf({ statements: [statement] }: Ast): SelectNode {
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
