// Step 3 for line protocol: every line a row, every measurement a batch in columns.
//
// Tags and fields are columns alike. Next: gather.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { FilePart } from "./cut-parts.ts";
import type { BatchBuilder } from "./encode-batch.ts";
import { type Gathered, Gatherer, type GatherOptions } from "./gather.ts";
import { type Line, type LineCell, LineReader } from "./line-reader.ts";
import type { Precision } from "./line-values.ts";
import { NameCache } from "./name-cache.ts";

/** `receivedUs`: the time of lines that have none. Refuses as gatherItems does. */
export function gatherLines(
  bytes: Uint8Array,
  precision: Precision,
  receivedUs: number,
  options: GatherOptions,
): Gathered {
  if (bytes.length > LIMITS.rowFormBytesMax) {
    const limit = LIMITS.rowFormBytesMax;
    const message = `${bytes.length} bytes of lines, more than ${limit}; send less at once`;
    throw new SluiceError("body_too_large", message, { limit });
  }
  const gathered = gatherLineParts([{ bytes, firstLine: 1 }], precision, receivedUs, options);
  if (gathered.acceptedCount > 0 || gathered.rejected.size > 0) return gathered;
  throw new SluiceError("body_empty", "the body holds no lines");
}

/** The same for neighbouring parts of a file, in order, which may hold no lines at all. */
export function gatherLineParts(
  parts: readonly FilePart[],
  precision: Precision,
  receivedUs: number,
  options: GatherOptions,
): Gathered {
  const names = new NameCache();
  const gatherer = new Gatherer(options);
  for (const { bytes, firstLine } of parts) {
    const reader = new LineReader(bytes, names, precision, firstLine);
    while (reader.advance()) {
      const place = reader.lineNumber;
      const taken = gatherer.take(place, () => readLine(reader, gatherer));
      if (taken !== null) appendLine(taken, place, receivedUs);
    }
  }
  return gatherer.finish();
}

interface TakenLine {
  readonly line: Line;
  readonly builder: BatchBuilder;
}

function readLine(reader: LineReader, gatherer: Gatherer): TakenLine {
  const line = reader.read();
  const builder = gatherer.batch(line.measurement);
  const names = line.cells.map(({ name }) => name);
  builder.checkRoom(names, 1);
  return { line, builder };
}

function appendLine({ line, builder }: TakenLine, place: number, receivedUs: number): void {
  builder.time.writeInteger(line.timeUs ?? receivedUs);
  for (const cell of line.cells) appendCell(builder, cell);
  builder.endRows(place);
}

function appendCell(builder: BatchBuilder, cell: LineCell): void {
  const column = builder.column(cell.name);
  if ("text" in cell) column.writeText(cell.text.bytes, cell.text.start, cell.text.end);
  else if ("float" in cell) column.writeFloat(cell.float);
  else if ("integer" in cell) column.writeInteger(cell.integer);
  else column.writeBoolean(cell.boolean);
}
