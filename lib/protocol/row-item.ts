// One row as Arc's clients write it: `{"m", "t", "h", "fields"|"f", "tags", "time_unit"?}`.
//
// What comes out is where the cells lie in the body, checked one by one: they are copied into
// columns as they stand. The rules are Arc's: a number as "m" or "h" gets a prefix, a missing host
// is "unknown", a list of fields has numbers for names, tags are text, and a field that has the
// name of a tag becomes `<name>_value`.
//
// Refuses what no batch would take, two cells of one name, and a tag or field called `time`.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { isUtf8 } from "#lib/columnar/utf8.ts";
import { checkNested, readCellAsText, unsupported } from "./cell-text.ts";
import type { MessagePackReader } from "./msgpack-reader.ts";
import { isMapTag, KIND_OF_TAG, nameOfTag, SIZE_OF_TAG, TAG } from "./msgpack-tags.ts";
import type { NameCache } from "./name-cache.ts";
import { readTimes, resolveTimes, type TimeUnit } from "./time-column.ts";
import { readTimestamp } from "./timestamps.ts";
import { readKey, readMeasurement, readTimeUnit } from "./walk-batch.ts";

/** `bytes[start .. end)` of the body, or the text where a value was made into one. */
export interface RowCell {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly text: string | null;
}

export interface RowItem {
  readonly measurement: string;
  /** null: none was given. */
  readonly timeUs: bigint | null;
  /** Tags, then fields; no two of one name. */
  readonly cells: readonly RowCell[];
}

/** The parts of an item as they come; keys stand in any order. */
interface RowParts {
  measurement: string | null;
  /** Where the value of "t" begins: its unit may stand behind it. */
  timeAt: number | null;
  timeUnit: TimeUnit | null;
  host: RowCell | null;
  tags: RowCell[];
  fields: RowCell[] | null;
}

const UINT64_BEYOND_INT64 = 0x7f;
const discarded = new Int32Array(2);

/** Reads the map at the reader's position, and leaves the reader behind it. */
export function readRowItem(reader: MessagePackReader, names: NameCache): RowItem {
  const parts: RowParts = {
    measurement: null,
    timeAt: null,
    timeUnit: null,
    host: null,
    tags: [],
    fields: null,
  };
  const keys = new Set<string>();
  for (let left = reader.mapLength(); left > 0; left--) {
    readPart(reader, names, parts, readKey(reader, keys));
  }
  const { measurement, fields, tags } = parts;
  if (measurement === null) {
    throw reader.refuse("batch_shape_invalid", 'the measurement\'s name, "m", is missing');
  }
  if (fields === null) {
    throw reader.refuse("batch_shape_invalid", 'there are neither "columns" nor "fields"');
  }
  const host = parts.host ?? tags.find(({ name }) => name === "host") ?? hostOf("unknown");
  const otherTags = tags.filter(({ name }) => name !== "host");
  const cells = withoutTwins([host, ...otherTags], fields);
  return { measurement, timeUs: readTime(reader, parts), cells };
}

function readPart(reader: MessagePackReader, names: NameCache, parts: RowParts, key: string): void {
  switch (key) {
    case "m":
      parts.measurement = isInteger(reader)
        ? `measurement_${readCellAsText(reader)}`
        : readMeasurement(reader);
      return;
    case "t":
      if (reader.tag() !== TAG.nil) parts.timeAt = reader.position;
      return reader.skip(1);
    case "time_unit":
      parts.timeUnit = readTimeUnit(reader);
      return;
    case "h":
      parts.host = readHost(reader);
      return;
    case "tags":
      parts.tags = readTags(reader, names);
      return;
    case "fields":
    case "f":
      if (parts.fields !== null) {
        throw reader.refuse("batch_shape_invalid", '"fields" and "f" stand in one row');
      }
      parts.fields = readFields(reader, names);
      return;
    default:
      reader.skip(1);
  }
}

function isInteger(reader: MessagePackReader): boolean {
  return KIND_OF_TAG[reader.tag()] === KIND.int;
}

function readHost(reader: MessagePackReader): RowCell | null {
  const tag = reader.tag();
  if (tag === TAG.nil) {
    reader.skip(1);
    return null;
  }
  if (isInteger(reader)) return hostOf(`host_${readCellAsText(reader)}`);
  if (KIND_OF_TAG[tag] === KIND.text) return readCell(reader, "host");
  const reason = `the host, "h", is ${nameOfTag(tag)}, neither text nor an integer`;
  throw reader.refuse("batch_shape_invalid", reason);
}

function hostOf(text: string): RowCell {
  return { name: "host", start: 0, end: 0, text };
}

function readTags(reader: MessagePackReader, names: NameCache): RowCell[] {
  if (reader.tag() === TAG.nil) {
    reader.skip(1);
    return [];
  }
  const tags: RowCell[] = [];
  for (let left = cellCount(reader, reader.mapLength()); left > 0; left--) {
    const name = readName(reader, names);
    const cell = readCell(reader, name);
    const kind = KIND_OF_TAG[reader.bytes[cell.start]];
    if (kind === KIND.text || kind === 0) {
      tags.push(cell);
    } else {
      reader.position = cell.start;
      tags.push({ ...cell, text: readCellAsText(reader) });
    }
  }
  return tags;
}

function readFields(reader: MessagePackReader, names: NameCache): RowCell[] {
  const fields: RowCell[] = [];
  if (isMapTag(reader.tag())) {
    for (let left = cellCount(reader, reader.mapLength()); left > 0; left--) {
      fields.push(readCell(reader, readName(reader, names)));
    }
  } else {
    const count = cellCount(reader, reader.arrayLength());
    for (let i = 0; i < count; i++) fields.push(readCell(reader, `field_${i}`));
  }
  return fields;
}

/** Checked before an object is made for each. */
function cellCount(reader: MessagePackReader, count: number): number {
  const limit = LIMITS.columnsPerBatchMax;
  if (count <= limit) return count;
  throw reader.refuse("batch_too_large", `${count} columns, more than ${limit}`, { limit });
}

function readName(reader: MessagePackReader, names: NameCache): string {
  const tag = reader.tag();
  if (KIND_OF_TAG[tag] !== KIND.text) {
    throw reader.refuse("column_name_invalid", `a column's name is ${nameOfTag(tag)}, not text`);
  }
  const start = reader.textStart();
  return names.name(reader.bytes, start, reader.position);
}

/** Moves past a cell that a column can hold. */
function readCell(reader: MessagePackReader, name: string): RowCell {
  reader.column = name;
  const start = reader.position;
  const tag = reader.tag();
  const kind = KIND_OF_TAG[tag];
  if (kind === KIND.text) {
    const textStart = reader.textStart();
    if (!isUtf8(reader.bytes, textStart, reader.position)) {
      throw reader.refuse("text_invalid", "text is not valid UTF-8");
    }
  } else if (kind === KIND.nested) {
    checkNested(reader);
  } else if (kind === KIND.timestamp) {
    readTimestamp(reader, discarded, 0);
  } else if (kind !== 0 || tag === TAG.nil) {
    reader.take(SIZE_OF_TAG[tag]);
    if (tag === TAG.uint64 && reader.bytes[start + 1] > UINT64_BEYOND_INT64) {
      throw reader.refuse("value_out_of_range", "the integer is above 9223372036854775807");
    }
  } else {
    throw unsupported(reader, tag);
  }
  reader.column = null;
  return { name, start, end: reader.position, text: null };
}

/** As Arc names them: the tag keeps its name. Also the rule of line protocol. */
export function withoutTwins<Cell extends { readonly name: string }>(
  tags: readonly Cell[],
  fields: readonly Cell[],
): Cell[] {
  const taken = new Set<string>();
  for (const { name } of tags) claim(taken, name);
  const tagNames = new Set(taken);
  const named = fields.map((cell) =>
    tagNames.has(cell.name) ? { ...cell, name: `${cell.name}_value` } : cell,
  );
  for (const { name } of named) claim(taken, name);
  return [...tags, ...named];
}

function claim(taken: Set<string>, name: string): void {
  if (name === TIME_COLUMN) {
    const message = `"${TIME_COLUMN}" is the column of the timestamp; no tag or field is called so`;
    throw new SluiceError("column_name_invalid", message, { column: name });
  }
  if (taken.has(name)) {
    const message = `column ${JSON.stringify(name)} is there twice`;
    throw new SluiceError("column_name_invalid", message, { column: name });
  }
  taken.add(name);
}

function readTime(reader: MessagePackReader, { timeAt, timeUnit }: RowParts): bigint | null {
  if (timeAt === null) return null;
  const end = reader.position;
  reader.position = timeAt;
  reader.column = "t";
  const times = readTimes(reader, discarded, 0, 1);
  const { minUs } = resolveTimes(reader, times, timeUnit);
  reader.column = null;
  reader.position = end;
  return minUs;
}
