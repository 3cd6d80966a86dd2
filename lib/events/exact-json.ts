// JSON whose numbers stay as they are written, nested as deep as is allowed.
//
// A double holds 15 digits for certain, so 123456789.123456789 would come back as another number.
// Such a number stays the text that it is (JSON.rawJSON, ECMAScript 2026). Asking for the text of
// each number makes parsing ten times slower, so one look over the whole text tells first whether
// there is one. The same look finds nesting that the parser's or a reader's stack could not take.

export interface JsonSurvey {
  /** How many lists and objects lie inside each other. */
  readonly depth: number;
  /** Where it is deepest: the item of the outermost list, or the field of the object. */
  readonly item: number;
  /** Every number is what JavaScript would write. */
  readonly isPlain: boolean;
}

// Of ES2026; TypeScript's library does not have them yet.
declare global {
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

type Reviver = (key: string, value: unknown) => unknown;

/** Throws SyntaxError. `survey`: of this text. */
export function parseExactJson(text: string, { isPlain }: JsonSurvey): unknown {
  return isPlain ? JSON.parse(text) : JSON.parse(text, keepNumber as Reviver);
}

const [QUOTE, COMMA, MINUS, NINE, ZERO] = [0x22, 0x2c, 0x2d, 0x39, 0x30];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Of text that need not be JSON; then it is of some text. */
export function surveyJson(text: string): JsonSurvey {
  let depth = 0;
  let current = 0;
  let deepest = { depth: 0, item: 0 };
  let isPlain = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfText(text, at);
    } else if (code === LIST || code === OBJECT) {
      depth += 1;
      if (depth > deepest.depth) deepest = { depth, item: current };
    } else if (code === LIST_END || code === OBJECT_END) {
      depth -= 1;
    } else if (code === COMMA) {
      if (depth === 1) current += 1;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, at);
      isPlain &&= isPlainNumber(text.slice(at, end));
      at = end - 1;
    }
  }
  return { ...deepest, isPlain };
}

/** Where its last quote is. */
function endOfText(text: string, start: number): number {
  let end = start;
  let backslashes: number;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
  } while (backslashes % 2 === 1);
  return end;
}

const END_OF_NUMBER = /[^-+.\deE]|$/g;

function endOfNumber(text: string, start: number): number {
  END_OF_NUMBER.lastIndex = start;
  return END_OF_NUMBER.exec(text)!.index;
}

function isPlainNumber(source: string): boolean {
  return JSON.stringify(Number(source)) === source;
}

function keepNumber(_: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value !== "number" || isPlainNumber(source!) ? value : JSON.rawJSON(source!);
}
