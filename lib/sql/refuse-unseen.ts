// The last look at a resolved query: is there a table in it that the walk did not come by?
//
// The walk (resolve.ts) goes where the tree is known to have branches. Should a branch be unknown
// to it, a table there would keep the name that the user wrote, and the engine would look for it.

import { SluiceError } from "#lib/base/errors.ts";
import { isObject } from "./ast.ts";

/** Throws `sql_not_allowed` for a table or table function that is not among `seen`. */
export function refuseUnseen(value: unknown, seen: ReadonlySet<object>): void {
  if (!isObject(value)) return;
  const isNamed = value["type"] === "BASE_TABLE" || value["type"] === "TABLE_FUNCTION";
  if (isNamed && !seen.has(value)) throw notAllowed("a table in this place");
  for (const inner of Object.values(value)) refuseUnseen(inner, seen);
}

export function notAllowed(what: string): SluiceError {
  return new SluiceError("sql_not_allowed", `not allowed in a query: ${what}`);
}
