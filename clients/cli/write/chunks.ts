// Rows and lines to request bodies. The same file gives the same bodies, so that a write that was
// broken off can be repeated under the same keys.

import { compress } from "../../client/compress.ts";
import { checkRows, GatheredRows, type Row } from "../../client/gather-rows.ts";
import { encodeColumns, type TimeUnit } from "../../client/encode-columns.ts";
import { readLines } from "../../client/lines.ts";
import { CommandFailed } from "../command.ts";
import { CsvTypes } from "./csv-types.ts";
import type { Bytes, FileRow, PlacedRow } from "./rows.ts";
import { fileTimeUs } from "./times.ts";

export interface Chunk {
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly rowCount: number;
  /** From where to where in the file, for messages. */
  readonly place: string;
}

export interface RowFile {
  readonly measurement: string;
  readonly timeColumn: string;
  readonly timeUnit: TimeUnit | undefined;
  /** Fields of CSV are all text, and get their types here. */
  readonly isCsv: boolean;
}

const ROWS_MAX = 10_000;
/** Of the cells of one chunk: the server takes some ten times as much in one request. */
const CELL_BYTES_MAX = 8_000_000;
const LINE_CHARACTERS_MAX = 2_000_000;

/** A chunk for each 10,000 rows or 8 MB. Refuses, with its place, a row whose time is none. */
export async function* chunkRows(
  rows: AsyncIterable<PlacedRow>,
  file: RowFile,
): AsyncGenerator<Chunk> {
  const types = new CsvTypes();
  const floatColumns = new Set<string>();
  for await (const placed of inGroups(rows, ROWS_MAX)) {
    const plain = placed.map(({ row }) => row);
    const typed = file.isCsv ? types.convert(plain) : plain;
    const timed = typed.map((row, i) => withTime(row, file, placed[i]!.place));
    // Without any time the server's is better than ours: repeated bodies must be the same.
    const hasTimes = timed.some((row) => row["time"] !== undefined);
    let gathered = new GatheredRows();
    let first = 0;
    for (const [at, row] of checkRows(file.measurement, timed).entries()) {
      gathered.add(row);
      if (gathered.bytes < CELL_BYTES_MAX && at < placed.length - 1) continue;
      const { time, ...others } = gathered.columns(floatColumns);
      const columns = hasTimes ? { time: time!, ...others } : others;
      yield {
        path: "/api/v1/write/msgpack",
        contentType: "application/msgpack",
        body: await compress(encodeColumns(file.measurement, columns, "us")),
        rowCount: at + 1 - first,
        place: `${placed[first]!.place} to ${placed[at]!.place}`,
      };
      gathered = new GatheredRows();
      first = at + 1;
    }
  }
}

function withTime(row: FileRow, { timeColumn, timeUnit }: RowFile, place: string): Row {
  const { [timeColumn]: time, ...others } = row;
  try {
    const us = fileTimeUs(time, timeUnit);
    return us === null ? (others as Row) : ({ ...others, time: us } as Row);
  } catch (error) {
    throw new CommandFailed(`${place}, column ${timeColumn}: ${(error as Error).message}`);
  }
}

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Line protocol is cut at line ends that are not inside a quoted field, and sent as it is. */
export async function* chunkLines(
  bytes: Bytes,
  timeUnit: TimeUnit | undefined,
): AsyncGenerator<Chunk> {
  const precision = timeUnit === undefined ? "" : `?precision=${timeUnit}`;
  let lineNumber = 0;
  let firstLine = 1;
  let rowCount = 0;
  let text = "";
  let pending = "";
  const end = async (): Promise<Chunk> => ({
    path: `/api/v1/write/line-protocol${precision}`,
    contentType: "text/plain; charset=utf-8",
    body: await compress(new TextEncoder().encode(text)),
    rowCount,
    place: `line ${firstLine} to line ${lineNumber}`,
  });
  for await (const line of readLines(bytes)) {
    lineNumber += 1;
    pending += `${line}\n`;
    // A quote that is never closed would take in the rest of the file: the server refuses it.
    if (isInsideQuotes(pending) && pending.length < LINE_CHARACTERS_MAX) continue;
    if (pending.trim() !== "" && !pending.startsWith("#")) rowCount += 1;
    text += pending;
    pending = "";
    if (rowCount < ROWS_MAX && text.length < LINE_CHARACTERS_MAX) continue;
    yield await end();
    [text, rowCount, firstLine] = ["", 0, lineNumber + 1];
  }
  text += pending;
  if (pending !== "") rowCount += 1;
  if (text.trim() !== "") yield await end();
}

/** Quotes mean something among the fields only, which begin behind the first bare space. */
function isInsideQuotes(line: string): boolean {
  if (!line.includes('"') || line.startsWith("#")) return false;
  const fields = /^(?:\\.|[^\\ ])* (.*)$/s.exec(line)?.[1] ?? "";
  let isInside = false;
  for (const [token] of fields.matchAll(/\\.|"/gs)) if (token === '"') isInside = !isInside;
  return isInside;
}
