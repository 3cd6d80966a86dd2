// SHOW DATABASES and SHOW TABLES | MEASUREMENTS [FROM database]: not SELECTs, so read before the
// engine sees anything, by their words.

export type ShowStatement =
  | { readonly kind: "databases" }
  | { readonly kind: "tables"; readonly database: string | null };

/** null: the SQL is something else. */
export function parseShow(sql: string): ShowStatement | null {
  const words = wordsOf(sql);
  if (words === null || words[0]?.toLowerCase() !== "show") return null;
  const what = words[1]?.toLowerCase();
  if (what === "databases" && words.length === 2) return { kind: "databases" };
  if (what !== "tables" && what !== "measurements") return null;
  if (words.length === 2) return { kind: "tables", database: null };
  const isFrom = words.length === 4 && words[2]!.toLowerCase() === "from";
  return isFrom ? { kind: "tables", database: words[3]! } : null;
}

/**
 * Words and quoted names; comments and semicolons at the end are dropped. null: too odd for SHOW.
 */
function wordsOf(sql: string): string[] | null {
  const token = /\s+|--[^\n]*|\/\*[^]*?\*\/|([\w-]+)|"([^"]+)"|'([^']+)'|`([^`]+)`|(;)/y;
  const words: string[] = [];
  let isEnded = false;
  while (token.lastIndex < sql.length) {
    const match = token.exec(sql);
    if (match === null) return null;
    const [, plain, double, single, tick, end] = match;
    const word = plain ?? double ?? single ?? tick;
    if (end !== undefined) isEnded = true;
    if (word === undefined) continue;
    // A quoted keyword is a name, and a word after the semicolon is another statement.
    if (isEnded || words.length === 4) return null;
    words.push(word);
  }
  return words;
}
