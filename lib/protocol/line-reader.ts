// One line of InfluxDB's line protocol after the other, to cells.
//
//   measurement[,tag=value]* field=value[,field=value]* [timestamp]
//
// A backslash escapes a comma, space or equals sign in names and tags, and a quote or backslash
// in a text between quotes; before anything else it stands for itself. A newline between quotes
// is part of the text. Every byte is looked at a fixed number of times.
//
// Refuses (`line_invalid` and what batches refuse) what the grammar has no place for: it is never
// guessed at and never dropped. Format: "Line protocol reference" of InfluxDB 1 and 2; the choice
// where they differ stands in docs/protocol.md.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { isUtf8 } from "#lib/columnar/utf8.ts";
import { parseFieldValue, parseTimestamp, type Precision } from "./line-values.ts";
import type { NameCache } from "./name-cache.ts";
import { withoutTwins } from "./row-item.ts";

/** `text`: `bytes[start .. end)`, escapes resolved. */
export type LineCell =
  | { readonly name: string; readonly text: TextSlice }
  | { readonly name: string; readonly integer: number | bigint }
  | { readonly name: string; readonly float: number }
  | { readonly name: string; readonly boolean: boolean };

export interface TextSlice {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface Line {
  readonly measurement: string;
  /** Tags, then fields; no two of one name. */
  readonly cells: readonly LineCell[];
  /** null: none was given. */
  readonly timeUs: bigint | null;
}

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
/** What a backslash may stand before, in names and tags. */
const ESCAPED_IN_NAMES = new Set([COMMA, SPACE, EQUALS]);
const ESCAPED_IN_TEXTS = new Set([QUOTE, BACKSLASH]);
const UTF8 = new TextDecoder();

/** What a byte is to the name that it stands in. */
const ROLE = { part: 0, end: 1, fault: 2 } as const;
const IN_MEASUREMENT = rolesOf([COMMA, SPACE], [LF]);
const IN_KEY = rolesOf([EQUALS], [COMMA, SPACE, LF]);
const IN_TAG = rolesOf([COMMA, SPACE], [EQUALS, LF]);

function rolesOf(ends: readonly number[], faults: readonly number[]): Uint8Array {
  const roles = new Uint8Array(256);
  for (const byte of ends) roles[byte] = ROLE.end;
  for (const byte of faults) roles[byte] = ROLE.fault;
  return roles;
}

export class LineReader {
  readonly #bytes: Uint8Array;
  readonly #names: NameCache;
  readonly #precision: Precision;
  readonly #isUtf8: boolean;
  #position = 0;
  /** Of the line at hand, from 1; a newline between quotes counts too. */
  lineNumber: number;

  /** `firstLine`: what line of the file the bytes begin with. */
  constructor(bytes: Uint8Array, names: NameCache, precision: Precision, firstLine = 1) {
    this.lineNumber = firstLine;
    this.#bytes = bytes;
    this.#names = names;
    this.#precision = precision;
    this.#isUtf8 = isUtf8(bytes, 0, bytes.length);
  }

  /** Moves to the next line that is neither blank nor a comment; false: there is none. */
  advance(): boolean {
    const bytes = this.#bytes;
    while (this.#position < bytes.length) {
      const byte = bytes[this.#position];
      if (byte === LF) {
        this.lineNumber += 1;
        this.#position += 1;
      } else if (byte === SPACE || byte === TAB || byte === CR) {
        this.#position += 1;
      } else if (byte === HASH) {
        this.#position = this.#endOfLine(this.#position);
      } else {
        return true;
      }
    }
    return false;
  }

  /** Reads the line and moves behind it, also when it throws. */
  read(): Line {
    const start = this.#position;
    const startNumber = this.lineNumber;
    try {
      return this.#readLine(start);
    } catch (error) {
      this.#position = this.#endOfBadLine(start);
      this.lineNumber = startNumber + countNewlines(this.#bytes, start, this.#position);
      throw error;
    }
  }

  #readLine(start: number): Line {
    const measurement = this.#readMeasurement();
    const tags: LineCell[] = [];
    while (this.#bytes[this.#position] === COMMA) {
      this.#position += 1;
      tags.push(this.#readTag());
      checkCount(tags.length);
    }
    this.#skipSpaces();
    const fields: LineCell[] = [];
    do {
      fields.push(this.#readField());
      checkCount(tags.length + fields.length);
    } while (this.#takeComma());
    const timeUs = this.#readTimestamp();
    if (!this.#isUtf8 && !isUtf8(this.#bytes, start, this.#position)) {
      throw new SluiceError("text_invalid", "the line is not valid UTF-8");
    }
    return { measurement, cells: withoutTwins(tags, fields), timeUs };
  }

  #readMeasurement(): string {
    const { bytes, start, end } = this.#readName("the measurement's name", IN_MEASUREMENT);
    // Longer ones are refused by whoever checks the name; they need not be decoded whole.
    const shown = Math.min(end, start + LIMITS.measurementNameCharsMax + 1);
    return UTF8.decode(bytes.subarray(start, shown));
  }

  #readTag(): LineCell {
    const key = this.#readName("a tag's name", IN_KEY);
    this.#position += 1;
    const name = this.#names.name(key.bytes, key.start, key.end);
    const text = this.#readName(`tag ${JSON.stringify(name)}`, IN_TAG);
    return { name, text };
  }

  #readField(): LineCell {
    const key = this.#readName("a field's name", IN_KEY);
    this.#position += 1;
    const name = this.#names.name(key.bytes, key.start, key.end);
    if (this.#bytes[this.#position] === QUOTE) return { name, text: this.#readText(name) };
    return { name, ...parseFieldValue(name, this.#readToken()) };
  }

  /** Up to an unescaped byte that ends it; not empty, and within the line. */
  #readName(what: string, roles: Uint8Array): TextSlice {
    const bytes = this.#bytes;
    const start = this.#position;
    let at = start;
    let isEscaped = false;
    for (; at < bytes.length && roles[bytes[at]] === ROLE.part; at++) {
      if (bytes[at] !== BACKSLASH || !ESCAPED_IN_NAMES.has(bytes[at + 1])) continue;
      isEscaped = true;
      at += 1;
    }
    if (at >= bytes.length || bytes[at] === LF) {
      throw invalid(`the line ends in ${what}; it has no field`);
    }
    if (at === start) throw invalid(`${what} is empty`);
    if (roles[bytes[at]] === ROLE.fault) {
      const found = JSON.stringify(String.fromCharCode(bytes[at]));
      throw invalid(`${what} holds ${found}, which needs a backslash before it`);
    }
    this.#position = at;
    return isEscaped ? unescape(bytes, start, at, ESCAPED_IN_NAMES) : { bytes, start, end: at };
  }

  #readText(name: string): TextSlice {
    const bytes = this.#bytes;
    const start = this.#position + 1;
    let isEscaped = false;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === LF) {
        this.lineNumber += 1;
      } else if (byte === BACKSLASH && ESCAPED_IN_TEXTS.has(bytes[at + 1])) {
        isEscaped = true;
        at += 1;
      } else if (byte === QUOTE) {
        this.#position = at + 1;
        return isEscaped ? unescape(bytes, start, at, ESCAPED_IN_TEXTS) : { bytes, start, end: at };
      }
    }
    throw invalid(`field ${JSON.stringify(name)}: the quote is never closed`);
  }

  /** A number, a word or a time: up to a comma, space or the end of the line. */
  #readToken(): string {
    const bytes = this.#bytes;
    let token = "";
    let at = this.#position;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === COMMA || byte === SPACE || byte === LF || byte === CR) break;
      token += String.fromCharCode(byte);
    }
    this.#position = at;
    return token;
  }

  #takeComma(): boolean {
    if (this.#bytes[this.#position] !== COMMA) return false;
    this.#position += 1;
    return true;
  }

  #readTimestamp(): bigint | null {
    const before = this.#position;
    this.#skipSpaces();
    if (this.#isLineEnd()) return null;
    if (this.#position === before) throw invalid("a comma or a space must follow a field");
    const timeUs = parseTimestamp(this.#readToken(), this.#precision);
    this.#skipSpaces();
    if (this.#isLineEnd()) return timeUs;
    throw invalid("something follows the timestamp");
  }

  #skipSpaces(): void {
    while (this.#bytes[this.#position] === SPACE) this.#position += 1;
  }

  #isLineEnd(): boolean {
    const bytes = this.#bytes;
    const at = bytes[this.#position] === CR ? this.#position + 1 : this.#position;
    return at >= bytes.length || bytes[at] === LF;
  }

  /**
   * Where the line would end if it were good: at a newline that is not between quotes. Else what
   * stands in a text could be taken for lines. A quote that is never closed counts for nothing.
   */
  #endOfBadLine(start: number): number {
    const bytes = this.#bytes;
    let isInFields = false;
    let isInText = false;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at];
      if (isInText) {
        if (byte === BACKSLASH && ESCAPED_IN_TEXTS.has(bytes[at + 1])) at += 1;
        else if (byte === QUOTE) isInText = false;
      } else if (byte === LF) {
        return at;
      } else if (byte === BACKSLASH && ESCAPED_IN_NAMES.has(bytes[at + 1])) {
        at += 1;
      } else if (byte === SPACE) {
        isInFields = true;
      } else if (byte === QUOTE && isInFields && bytes[at - 1] === EQUALS) {
        isInText = true;
      }
    }
    return isInText ? this.#endOfLine(start) : bytes.length;
  }

  #endOfLine(from: number): number {
    const at = this.#bytes.indexOf(LF, from);
    return at === -1 ? this.#bytes.length : at;
  }
}

function countNewlines(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at] === LF) count += 1;
  return count;
}

function unescape(
  bytes: Uint8Array,
  start: number,
  end: number,
  escaped: ReadonlySet<number>,
): TextSlice {
  const text = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === BACKSLASH && at + 1 < end && escaped.has(bytes[at + 1])) at += 1;
    text[length++] = bytes[at];
  }
  return { bytes: text, start: 0, end: length };
}

function checkCount(count: number): void {
  const limit = LIMITS.columnsPerBatchMax;
  if (count <= limit) return;
  throw new SluiceError("batch_too_large", `more than ${limit} tags and fields`, { limit });
}

function invalid(reason: string): SluiceError {
  return new SluiceError("line_invalid", reason);
}
