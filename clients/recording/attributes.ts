// Attributes to JSON text that every database reads in the same way.
//
// What JSON has no word for still says something: an Error its name and message, a bigint its
// digits, a value that refers to itself "[object Object]". Zero bytes and halves of surrogate pairs
// become U+FFFD: SQLite, DuckDB and JSON disagree about them, and one such row would make queries
// over all the others fail.

import type { Attributes } from "./model.ts";

/** JSON text of an object. Throws only what a getter or `toJSON` of the caller's throws. */
export function attributesText(attributes: Attributes): string {
  const text = jsonOf(attributes) ?? jsonEach(attributes);
  return DOUBTFUL_ESCAPE.test(text) ? JSON.stringify(plainValue(JSON.parse(text))) : text;
}

/** A text as it is kept and asked for. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

const DOUBTFUL_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** undefined where the whole refers to itself: then only the attribute that does is given up. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, speakable);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function jsonEach(attributes: Attributes): string {
  const parts = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const text = jsonOf(value) ?? JSON.stringify(String(value));
    return [`${JSON.stringify(key)}:${text}`];
  });
  return `{${parts.join(",")}}`;
}

function speakable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value;
}

function plainValue(value: unknown): unknown {
  if (typeof value === "string") return plainText(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [plainText(key), plainValue(inner)]);
  return Object.fromEntries(entries) as unknown;
}
