// Text to SQL statements: they end at a semicolon that is not inside quotes or a comment.

export interface Split {
  /** Without their semicolons; empty ones are left out. */
  readonly statements: readonly string[];
  /** What comes behind the last semicolon, unless it is only space and comments. */
  readonly rest: string;
}

/** A quoted thing or comment that may also be open at the end, a semicolon, or anything else. */
const TOKENS =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|;|[^'"\-/;]+|[-/]/g;

export function splitStatements(text: string): Split {
  const statements: string[] = [];
  let current = "";
  let hasContent = false;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token !== ";") {
      current += token;
      hasContent ||= !/^(?:--|\/\*|\s*$)/.test(token);
      continue;
    }
    if (hasContent) statements.push(current.trim());
    current = "";
    hasContent = false;
  }
  // An open comment or quote goes on in the next line.
  const isOpen = /^\s*\/\*(?:(?!\*\/)[\s\S])*$/.test(current);
  return { statements, rest: hasContent || isOpen ? current : "" };
}
