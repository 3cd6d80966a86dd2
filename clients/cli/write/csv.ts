// CSV as RFC 4180 has it, read as a stream: quotes, doubled quotes, line ends inside quotes.

import { CommandFailed } from "../command.ts";
import type { Bytes } from "./rows.ts";

export interface CsvRecord {
  /** null is an empty field, the empty text is `""`. */
  readonly fields: readonly (string | null)[];
  /** Of its first line, counted from 1. */
  readonly lineNumber: number;
}

/** A field with its end: quoted or plain, then a comma, the end of the line, or of the text. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
const RECORD_CHARACTERS_MAX = 16_000_000;

/** Empty lines are passed over. Refuses, with the line, what is not CSV. */
export async function* readRecords(bytes: Bytes): AsyncGenerator<CsvRecord> {
  const decoder = new TextDecoder();
  let rest = "";
  let lineNumber = 1;
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    const { records, taken, nextLine } = takeRecords(rest, lineNumber, false);
    yield* records;
    rest = rest.slice(taken);
    lineNumber = nextLine;
    if (rest.length > RECORD_CHARACTERS_MAX) {
      throw new CommandFailed(`line ${lineNumber}: the record does not end`);
    }
  }
  yield* takeRecords(rest + decoder.decode(), lineNumber, true).records;
}

/** All whole records of a text; at the end of the file the last one is whole, too. */
function takeRecords(text: string, firstLine: number, isEnd: boolean) {
  const records: CsvRecord[] = [];
  let lineNumber = firstLine;
  let taken = 0;
  let fields: (string | null)[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length || (isEnd && fields.length > 0)) {
    const field = FIELD.exec(text);
    if (field === null) {
      // A quoted field that is open may end in what comes next.
      if (!isEnd) break;
      throw new CommandFailed(`line ${lineNumber}: a quote is not where CSV has it`);
    }
    const [, quoted, plain, end] = field;
    const isCut = !isEnd && (end === "" || (end === "\r" && FIELD.lastIndex === text.length));
    if (isCut) break;
    fields.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    const isEmptyLine = fields.length === 1 && fields[0] === null;
    if (!isEmptyLine) records.push({ fields, lineNumber });
    lineNumber += text.slice(taken, FIELD.lastIndex).split(/\r\n|\n|\r/).length - 1;
    taken = FIELD.lastIndex;
    fields = [];
    if (end === "") break;
  }
  return { records, taken, nextLine: lineNumber };
}
