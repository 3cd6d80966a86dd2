// Where records of CSV and of line protocol end, byte by byte, in chunks that are cut anywhere.
//
// The readers say what is wrong with a record; here it only matters that a good one is never cut.
// A bad one may take what follows it along, up to a quote: it is refused before that is looked at.

import type { ErrorCode } from "#lib/base/errors.ts";

export interface RecordEnds {
  /** What records without an end are refused with. */
  readonly code: ErrorCode;
  /**
   * Behind the next end of a record in `bytes[from ..)`; -1: all is looked at, and none is there.
   */
  next(bytes: Uint8Array, from: number): number;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A newline outside of quotes; a doubled quote closes and opens. */
export class CsvRecordEnds implements RecordEnds {
  readonly code = "csv_invalid";
  #linesToSkip: number;
  #isQuoted = false;

  /** `skipLines`: in front of the header; quotes mean nothing there, and no record ends. */
  constructor(skipLines: number) {
    this.#linesToSkip = skipLines;
  }

  next(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) this.#isQuoted = this.#linesToSkip === 0 && !this.#isQuoted;
      else if (byte !== LF || this.#isQuoted) continue;
      else if (this.#linesToSkip === 0) return at + 1;
      else this.#linesToSkip -= 1;
    }
    return -1;
  }
}

/** What the next byte belongs to. `value`: it is the first of a field's value. */
type Place = "start" | "comment" | "names" | "fields" | "value" | "text";

/** A newline outside of the text of a field, as line-reader.ts reads lines. */
export class LineRecordEnds implements RecordEnds {
  readonly code = "line_invalid";
  #place: Place = "start";
  #isEscaped = false;

  next(bytes: Uint8Array, from: number): number {
    let place = this.#place;
    let isEscaped = this.#isEscaped;
    let at = from;
    let isEnd = false;
    while (at < bytes.length && !isEnd) {
      const byte = bytes[at++]!;
      if (isEscaped) {
        isEscaped = false;
        if (place === "text" ? byte === QUOTE || byte === BACKSLASH : isEscapedInNames(byte)) {
          continue;
        }
      }
      isEnd = byte === LF && place !== "text";
      isEscaped = byte === BACKSLASH && place !== "comment";
      place = isEnd ? "start" : placeAfter(place, byte);
    }
    this.#place = place;
    this.#isEscaped = isEscaped && !isEnd;
    return isEnd ? at : -1;
  }
}

function isEscapedInNames(byte: number): boolean {
  return byte === COMMA || byte === SPACE || byte === EQUALS;
}

function placeAfter(place: Place, byte: number): Place {
  switch (place) {
    case "start":
      if (byte === SPACE || byte === TAB || byte === CR) return "start";
      return byte === HASH ? "comment" : "names";
    case "comment":
      return "comment";
    case "names":
      return byte === SPACE ? "fields" : "names";
    case "text":
      return byte === QUOTE ? "fields" : "text";
    case "value":
      if (byte === QUOTE) return "text";
      return byte === EQUALS ? "value" : "fields";
    case "fields":
      return byte === EQUALS ? "value" : "fields";
  }
}
