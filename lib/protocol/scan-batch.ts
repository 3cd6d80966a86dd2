// Step 3 of a batch's life: is it one that we can keep?
//
// One pass over the raw MessagePack, before the batch is stored and answered for. No JavaScript
// value is made per cell, because allocation and not parsing is what the hot path would pay for;
// what comes out are facts: rows, time range, and per column the kinds of values and where each
// first stands. The bytes are stored as they came; what passes here, table-builder.ts can decode.
//
// Refuses, naming column and row: broken structure, declared lengths beyond the body, text that is
// not UTF-8, cells that no query could hold, values no column can hold, times that are none. See
// walk-batch.ts for the frame. Limits: lib/base/limits.ts. Format: docs/protocol.md.
// Next: lib/catalog/schema-rules.ts.

import type { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { VALUE_KINDS, type ValueKind } from "#lib/columnar/kinds.ts";
import { findInvalidUtf8, newTextSlices } from "#lib/columnar/utf8.ts";
import { countNulls, type TextSlices } from "#lib/columnar/utf8.ts";
import { checkNested, unsupported } from "./cell-text.ts";
import { MessagePackReader } from "./msgpack-reader.ts";
import { KIND_OF_TAG, SIZE_OF_SCALAR, TAG } from "./msgpack-tags.ts";
import { beyondInt64, readTexts } from "./read-cells.ts";
import { type RawTimes, readTimes, resolveTimes, type TimeUnit } from "./time-column.ts";
import { floorDivide } from "./time-column.ts";
import { readTimestamp } from "./timestamps.ts";
import { walkBatch } from "./walk-batch.ts";

/** Plain data, so that it can cross to another isolate. */
export interface BatchScan {
  readonly measurement: string;
  readonly rowCount: number;
  /** In the order of the batch, `time` among them. */
  readonly columns: readonly ScannedColumn[];
  /** null: the batch has no `time` column, and its rows take the time of arrival. */
  readonly time: ScannedTime | null;
}

export interface ScannedTime {
  /** Declared or told by magnitude; "us" for timestamps. */
  readonly unit: TimeUnit;
  /** Rounded outwards to whole milliseconds. */
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
}

/** Texts looked at in one go: their places stay in the processor's first cache. */
const TEXT_RUN_ROWS = 1024;

/** `bytes`: one batch, uncompressed. Refuses with a SluiceError of kind "invalid". */
export function scanBatch(bytes: Uint8Array): BatchScan {
  const reader = new MessagePackReader(bytes);
  const slices = newTextSlices(TEXT_RUN_ROWS);
  const columns: ScannedColumn[] = [];
  let times = null as RawTimes | null;
  const frame = walkBatch(reader, (name, rowCount) => {
    if (name === TIME_COLUMN) {
      times = readTimes(reader, new Int32Array(2 * rowCount), 0, rowCount);
      columns.push(tallyOfTimes(times));
    } else {
      columns.push(scanColumn(reader, name, slices, rowCount));
    }
  });
  refuseSecondForm(reader, frame.keys);
  const time = times === null ? null : scannedTime(reader, times, frame.timeUnit);
  return { measurement: frame.measurement, rowCount: frame.rowCount, columns, time };
}

/** Rows beside the columns would be skipped like any other key, and so be lost in silence. */
function refuseSecondForm(reader: MessagePackReader, keys: ReadonlySet<string>): void {
  const second = ["fields", "f", "batch"].find((key) => keys.has(key));
  if (second === undefined) return;
  const reason = `"columns" and "${second}" stand in one map; which of the two is meant?`;
  throw reader.refuse("batch_shape_invalid", reason);
}

function tallyOfTimes({ form }: RawTimes): ScannedColumn {
  const kind = form === "integer" ? "int" : form;
  return { name: TIME_COLUMN, nullCount: 0, kinds: KIND[kind], firstRows: { [kind]: 0 } };
}

function scannedTime(
  reader: MessagePackReader,
  times: RawTimes,
  declared: TimeUnit | null,
): ScannedTime {
  const { unit, minUs, maxUs } = resolveTimes(reader, times, declared);
  const timeMinMs = Number(floorDivide(minUs, 1000n));
  const timeMaxMs = Number(-floorDivide(-maxUs, 1000n));
  return { unit, timeMinMs, timeMaxMs };
}

/** A ScannedColumn while it is being gathered. */
interface Tally {
  readonly name: string;
  nullCount: number;
  kinds: number;
  readonly firstRows: Partial<Record<ValueKind, number>>;
}

function scanColumn(
  reader: MessagePackReader,
  name: string,
  slices: TextSlices,
  rowCount: number,
): ScannedColumn {
  const tally: Tally = { name, nullCount: 0, kinds: 0, firstRows: {} };
  const discarded = new Int32Array(2);
  let row = 0;
  while (row < rowCount) {
    reader.row = row;
    const tag = reader.tag();
    const kind = KIND_OF_TAG[tag];
    if (kind === KIND.text) {
      row = scanTexts(reader, tally, slices, row, rowCount);
    } else if (SIZE_OF_SCALAR[tag] > 0) {
      row = scanScalars(reader, tally, row, rowCount);
    } else {
      if (kind === KIND.timestamp) readTimestamp(reader, discarded, 0);
      else if (kind === KIND.nested) scanNested(reader);
      else throw unsupported(reader, tag);
      noteKind(tally, kind, row);
      row += 1;
    }
  }
  return tally;
}

function refuseLongTexts(
  reader: MessagePackReader,
  { starts, ends }: TextSlices,
  firstRow: number,
  count: number,
): void {
  const limit = LIMITS.cellBytesMax;
  if (reader.bytes.length <= limit) return;
  for (let at = 0; at < count; at++) {
    const byteLength = ends[at]! - starts[at]!;
    if (byteLength <= limit) continue;
    reader.row = firstRow + at;
    throw tooLarge(reader, byteLength, limit);
  }
}

function scanNested(reader: MessagePackReader): void {
  const start = reader.position;
  checkNested(reader);
  const byteLength = reader.position - start;
  const limit = LIMITS.nestedCellBytesMax;
  if (byteLength > limit) throw tooLarge(reader, byteLength, limit);
}

function tooLarge(reader: MessagePackReader, byteLength: number, limit: number): SluiceError {
  return reader.refuse("cell_too_large", `a cell of ${byteLength} bytes, more than ${limit}`);
}

function noteKind(tally: Tally, kind: number, row: number): void {
  if ((tally.kinds & kind) !== 0) return;
  tally.kinds |= kind;
  const name = VALUE_KINDS.find((known) => KIND[known] === kind)!;
  tally.firstRows[name] = row;
}

/** nil, booleans, integers and floats: the tag alone says how long they are. */
function scanScalars(
  reader: MessagePackReader,
  tally: Tally,
  firstRow: number,
  rowCount: number,
): number {
  const { bytes } = reader;
  let position = reader.position;
  let nullCount = 0;
  let seen = tally.kinds;
  let row = firstRow;
  for (; row < rowCount; row++) {
    const tag = position < bytes.length ? bytes[position] : TAG.never;
    const size = SIZE_OF_SCALAR[tag];
    if (size === 0) break;
    const kind = KIND_OF_TAG[tag];
    if ((kind & ~seen) !== 0) {
      noteKind(tally, kind, row);
      seen |= kind;
    }
    if (tag === TAG.nil) nullCount += 1;
    else if (tag === TAG.uint64 && bytes[position + 1] > 0x7f) throw beyondInt64(reader, row);
    position += size;
  }
  if (position > bytes.length) throw reader.truncated();
  reader.position = position;
  tally.nullCount += nullCount;
  return row;
}

/** One run of texts and nil. */
function scanTexts(
  reader: MessagePackReader,
  tally: Tally,
  slices: TextSlices,
  firstRow: number,
  rowCount: number,
): number {
  const stopRow = readTexts(reader, slices, firstRow, rowCount);
  if (stopRow === firstRow) throw reader.truncated();
  noteKind(tally, KIND.text, firstRow);
  const textCount = stopRow - firstRow;
  const invalid = findInvalidUtf8(reader.bytes, reader.view, slices, textCount);
  if (invalid !== null) {
    reader.row = firstRow + invalid;
    throw reader.refuse("text_invalid", "text is not valid UTF-8");
  }
  refuseLongTexts(reader, slices, firstRow, textCount);
  tally.nullCount += countNulls(slices, textCount);
  return stopRow;
}
