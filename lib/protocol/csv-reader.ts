// Records of a CSV text, one after the other. Format: RFC 4180, and what people write: LF alone as
// end of line, any one character as delimiter, a byte order mark in front.
//
// Refuses (`csv_invalid`) quotes that are never closed or stand in the middle of a field.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";

const QUOTE = '"';

export class CsvReader {
  readonly #text: string;
  readonly #delimiter: string;
  #position: number;
  /** Of the position, from 1; a newline between quotes counts too. */
  lineNumber: number;
  /** Where the last record began. */
  recordLine: number;

  /** `firstLine`: what line of the file the text begins with. */
  constructor(text: string, delimiter: string, firstLine = 1) {
    this.#text = text;
    this.#delimiter = delimiter;
    this.#position = firstLine === 1 && text.startsWith("\ufeff") ? 1 : 0;
    this.lineNumber = firstLine;
    this.recordLine = firstLine;
  }

  /** Characters read so far. */
  get position(): number {
    return this.#position;
  }

  skipLines(count: number): void {
    for (let left = count; left > 0 && this.#position < this.#text.length; left--) {
      const end = this.#text.indexOf("\n", this.#position);
      this.#position = end === -1 ? this.#text.length : end + 1;
      this.lineNumber += 1;
    }
  }

  /** null: there are no more. Blank lines are no records. */
  next(): string[] | null {
    const text = this.#text;
    while (this.#isLineEnd()) this.#endLine();
    if (this.#position >= text.length) return null;
    this.recordLine = this.lineNumber;
    const fields: string[] = [];
    for (;;) {
      fields.push(text[this.#position] === QUOTE ? this.#readQuoted() : this.#readPlain());
      if (fields.length > LIMITS.columnsPerBatchMax) {
        throw this.#invalid(`more than ${LIMITS.columnsPerBatchMax} fields`);
      }
      if (text[this.#position] !== this.#delimiter) break;
      this.#position += 1;
    }
    if (this.#position < text.length) {
      if (!this.#isLineEnd()) throw this.#invalid("a quote stands in the middle of a field");
      this.#endLine();
    }
    return fields;
  }

  #readPlain(): string {
    const text = this.#text;
    const start = this.#position;
    let at = start;
    for (; at < text.length; at++) {
      const character = text[at];
      if (character === this.#delimiter || character === "\n" || character === QUOTE) break;
    }
    this.#position = at;
    const isLineEnd = at >= text.length || text[at] === "\n";
    return text.slice(start, isLineEnd && at > start && text[at - 1] === "\r" ? at - 1 : at);
  }

  #readQuoted(): string {
    const text = this.#text;
    const start = this.#position + 1;
    let end = text.indexOf(QUOTE, start);
    let isDoubled = false;
    while (end !== -1 && text[end + 1] === QUOTE) {
      isDoubled = true;
      end = text.indexOf(QUOTE, end + 2);
    }
    if (end === -1) throw this.#invalid("a quote is never closed");
    const field = text.slice(start, end);
    this.#position = end + 1;
    for (let at = field.indexOf("\n"); at !== -1; at = field.indexOf("\n", at + 1)) {
      this.lineNumber += 1;
    }
    return isDoubled ? field.replaceAll('""', QUOTE) : field;
  }

  #isLineEnd(): boolean {
    const character = this.#text[this.#position];
    return (
      character === "\n" ||
      (character === "\r" && (this.#text[this.#position + 1] ?? "\n") === "\n")
    );
  }

  #endLine(): void {
    this.#position += this.#text[this.#position] === "\r" ? 2 : 1;
    this.lineNumber += 1;
  }

  #invalid(reason: string): SluiceError {
    const { recordLine } = this;
    return new SluiceError("csv_invalid", `line ${recordLine}: ${reason}`, { line: recordLine });
  }
}
