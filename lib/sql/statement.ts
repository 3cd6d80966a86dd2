// A question as a syntax tree: SQL with its parameters, DESCRIBE and its kin, or a table's rows.
//
// The engine's parser serialises SELECT alone. So the first word of the others is read here, the
// SELECT behind it goes the way of every SELECT, and the word is put back before what the engine
// runs. EXPLAIN ANALYZE is refused, as its plan would tell of a query that nobody capped; PIVOT
// without the values that become columns, because the parser makes several statements of it, one of
// them CREATE TYPE.
// Next: lib/sql/resolve.ts.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type Ast, type QueryNode, readAst } from "./ast.ts";
import { quoteDefaultDatabase } from "./default-database.ts";
import type { SqlEngine } from "./engine.ts";
import { avoidDefects, refuseAllOfSets } from "./engine-defects.ts";
import { nameColumns } from "./column-names.ts";
import { matchStatement } from "./match-statement.ts";
import { bindParams } from "./params.ts";
import { onlySelect, parseCondition, parseOrder } from "./single-expression.ts";
import type { Question, SqlQuestion, TableQuestion } from "./types.ts";

export interface Statement {
  readonly ast: Ast;
  /** Goes before the printed tree. */
  readonly verb: Verb;
}

type Verb = "" | "DESCRIBE" | "SUMMARIZE" | "EXPLAIN";
type Parser = Pick<SqlEngine, "parse" | "print">;

/** Throws `sql_invalid`, `sql_not_allowed`. */
export function readStatement(question: Question, engine: Parser): Statement {
  if (question.kind === "table") return { ast: tableRows(question, engine), verb: "" };
  if (question.kind === "match") return { ast: matchStatement(question, engine), verb: "" };
  const { verb, sql } = splitVerb(question.sql);
  refuseAllOfSets(sql);
  const ast = readAst(parse(sql, engine));
  bindParams(ast, question.params);
  nameColumns(ast, engine);
  avoidDefects(ast);
  if (!question.isEstimate) return { ast, verb };
  if (verb !== "") throw new SluiceError("sql_not_allowed", `${verb} has no rows to estimate`);
  return { ast: countOf(ast, engine), verb };
}

function parse(sql: string, engine: Parser): string {
  try {
    return engine.parse(quoteDefaultDatabase(sql));
  } catch (error) {
    const isOther = !isSluiceError(error) || error.code !== "sql_not_allowed";
    if (isOther || firstWord(sql).word !== "PIVOT") throw error;
    const message = "PIVOT needs the values that become columns: PIVOT … ON column IN (…) USING …";
    throw new SluiceError("sql_not_allowed", message);
  }
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
  const { from_table: from } = onlySelect(count);
  (from["subquery"] as { node: QueryNode }).node = ast.statements[0]!.node;
  return count;
}

function tableRows({ where, orderBy, ...question }: TableQuestion, engine: Parser): Ast {
  const { measurement, limit, offset } = question;
  const name = `"${measurement.replaceAll('"', '""')}"`;
  const ast = readAst(engine.parse(`SELECT * FROM ${name} LIMIT ${limit} OFFSET ${offset}`));
  const select = onlySelect(ast);
  if (where !== null) select.where_clause = parseCondition(where, engine);
  select.modifiers.unshift(parseOrder(orderBy, engine));
  return ast;
}
