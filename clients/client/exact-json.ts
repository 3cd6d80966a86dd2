// JSON of which whole numbers beyond 2^53 come back as bigints: JSON.parse would round them, and an
// id that is off by one is a wrong id.

import { SluiceRequestError } from "./errors.ts";

/** Texts, so that digits in them are passed over, and numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Without so many digits in a row nothing can be beyond 2^53. */
const MANY_DIGITS = /\d{16}/;
/** Of a text that stands for a bigint. No text of an answer begins so: a NUL in JSON is \u0000. */
const MARK = "\0bigint:";

/** Throws `answer_incomplete` for what is not JSON. */
export function parseExactJson<T>(text: string): T {
  try {
    if (!MANY_DIGITS.test(text)) return JSON.parse(text) as T;
    const marked = text.replace(TOKENS, (token) =>
      isLarge(token) ? `"${JSON.stringify(MARK).slice(1, -1)}${token}"` : token,
    );
    if (marked === text) return JSON.parse(text) as T;
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === "string" && value.startsWith(MARK)
        ? BigInt(value.slice(MARK.length))
        : value,
    ) as T;
  } catch (cause) {
    const shown = text.slice(0, 100);
    throw new SluiceRequestError(`the answer is not whole: ${shown}`, {
      code: "answer_incomplete",
      cause,
    });
  }
}

function isLarge(token: string): boolean {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}
