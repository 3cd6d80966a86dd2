// Files of rows, read as a stream: JSON, NDJSON and CSV to objects, each with where it stands.

import { parseExactJson } from "../../client/exact-json.ts";
import { readLines } from "../../client/lines.ts";
import { CommandFailed } from "../command.ts";
import { readRecords } from "./csv.ts";

/** Values by column; of CSV all are text, and an empty field is null. */
export type FileRow = Readonly<Record<string, unknown>>;

export interface PlacedRow {
  readonly row: FileRow;
  /** For messages: `line 7`, `row 3`. */
  readonly place: string;
}

export type Bytes = ReadableStream<Uint8Array>;

/** One object for each line; empty lines are passed over. */
export async function* readNdjson(bytes: Bytes): AsyncGenerator<PlacedRow> {
  let lineNumber = 0;
  for await (const line of readLines(bytes)) {
    lineNumber += 1;
    if (line.trim() === "") continue;
    const place = `line ${lineNumber}`;
    yield { row: asRow(parseAt(place, line), place), place };
  }
}

/** A list of objects, or a single one. It is held in memory whole. */
export async function* readJson(bytes: Bytes): AsyncGenerator<PlacedRow> {
  const value = parseAt("the file", await new Response(bytes).text());
  const rows = Array.isArray(value) ? (value as unknown[]) : [value];
  for (const [index, row] of rows.entries()) {
    const place = `row ${index + 1}`;
    yield { row: asRow(row, place), place };
  }
}

/** RFC 4180 with a header. */
export async function* readCsv(bytes: Bytes): AsyncGenerator<PlacedRow> {
  let names: readonly string[] | null = null;
  for await (const { fields, lineNumber } of readRecords(bytes)) {
    const place = `line ${lineNumber}`;
    if (names === null) {
      names = checkHeader(fields.map((field) => field ?? ""));
      continue;
    }
    if (fields.length !== names.length) {
      throw new CommandFailed(`${place}: ${fields.length} fields under ${names.length} columns`);
    }
    yield { row: Object.fromEntries(names.map((name, i) => [name, fields[i]!])), place };
  }
}

function checkHeader(names: string[]): readonly string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.includes("")) throw new CommandFailed("line 1: a column has no name");
  if (twice !== undefined) throw new CommandFailed(`line 1: two columns are called "${twice}"`);
  if (names.length === 1 && /[;\t]/.test(names[0]!)) {
    throw new CommandFailed("line 1: columns are parted by commas, not by semicolons or tabs");
  }
  return names;
}

function parseAt(place: string, text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    throw new CommandFailed(`${place} is not JSON: ${text.trim().slice(0, 60)}`);
  }
}

function asRow(value: unknown, place: string): FileRow {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as FileRow;
  throw new CommandFailed(`${place} is not an object with a value for each column`);
}
