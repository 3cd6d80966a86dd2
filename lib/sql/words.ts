// The words of an SQL text, for the few things that the engine's parser does not tell.
//
// Text within strings, quotes and comments is none of them: the pieces are matched from left to
// right, so that a match inside one of them cannot begin.

const PIECES = [
  /[eE]'(?:[^'\\]|''|\\[^])*'/, // in these alone a backslash escapes
  /'(?:[^']|'')*'/,
  /"(?:[^"]|"")*"/,
  /\$(\w*)\$[^]*?\$\1\$/,
  /--[^\n]*/,
  /\/\*[^]*?\*\//,
  /[\w$]+(?=(\s*\.)?)/,
  /[^]/,
];

/** One piece after the other. Groups: the tag of a dollar quote; the dot behind a bare word. */
export const PIECE = new RegExp(PIECES.map(({ source }) => source).join("|"), "g");

export interface Word {
  readonly text: string;
  /** Where it begins in the SQL. */
  readonly at: number;
}

/** Bare words, quoted ones with their quotes, and signs one by one; no spaces, no comments. */
export function wordsOf(sql: string): Word[] {
  return [...sql.matchAll(PIECE)]
    .map(({ 0: text, index: at }) => ({ text, at }))
    .filter(({ text }) => !/^(?:\s|--|\/\*)/.test(text));
}
