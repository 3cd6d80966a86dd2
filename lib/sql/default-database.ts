// `FROM default.cpu`: the database that everybody has bears a name that SQL keeps for itself.
//
// Arc's clients write it without quotes, so the parser is given it with quotes. `default` before a
// dot means nothing else in SQL.

import { PIECE } from "./words.ts";

/** The same SQL with the bare word quoted wherever it qualifies a name. */
export function quoteDefaultDatabase(sql: string): string {
  return sql.replaceAll(PIECE, (piece, _tag: string | undefined, dot: string | undefined) =>
    dot !== undefined && piece.toLowerCase() === "default" ? `"${piece}"` : piece,
  );
}
