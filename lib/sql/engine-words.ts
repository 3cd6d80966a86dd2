// The engine's messages, made to speak of the user's SQL.
//
// The engine sees tables as subqueries over files, and CTEs by names that we gave them; what it
// quotes of its text would mean nothing to whoever wrote the query, and shows what is not theirs.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";

/** `cteNames` as in lib/sql/scope.ts. What is not the engine's is left as it is. */
export function inWordsOfQuery(error: unknown, cteNames: ReadonlyMap<string, string>): unknown {
  if (!isSluiceError(error) || !ENGINE_CODES.has(error.code)) return error;
  const message = error.message
    .replace(QUOTED_LINE, "")
    .replaceAll(/\bcte_\d+\b/g, (name) => cteNames.get(name) ?? name)
    .replaceAll(/Values list "/g, 'Table "')
    .replaceAll(OUR_FILE, "the table's file")
    .trimEnd();
  return new SluiceError(error.code, message, error.detail, { cause: error.cause });
}

const ENGINE_CODES = new Set(["sql_invalid", "query_failed", "query_unsupported"]);
/** An excerpt with a caret under it, always at the end. */
const QUOTED_LINE = /\s*\nLINE \d+:[^]*$/;
const OUR_FILE = /["']?(?:files|tails)\/\d+\.parquet["']?/g;
