// Step 3 for all forms of a MessagePack body but the one that is stored as it came.
//
// A body may be one row, a map {"batch": [...]}, or a list; what these hold are items: rows,
// batches in columns, and, in a list, maps with a "batch" of their own. They are numbered from 0 as
// they stand. Rows and columns of one measurement are gathered into one batch.
//
// Refuses bodies whose structure is broken whole, because the next item cannot be found then;
// everything else is the fault of an item. Next: gather.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { type Gathered, Gatherer, type GatherOptions } from "./gather.ts";
import { MessagePackReader } from "./msgpack-reader.ts";
import { isMapTag, KIND_OF_TAG, nameOfTag } from "./msgpack-tags.ts";
import { NameCache } from "./name-cache.ts";
import { readRowItem, type RowItem } from "./row-item.ts";
import { type BatchScan, scanBatch } from "./scan-batch.ts";
import { readTimes, scaleTimes } from "./time-column.ts";
import { wordsToBigint } from "./timestamps.ts";
import { walkBatch } from "./walk-batch.ts";
import type { BatchBuilder } from "./encode-batch.ts";

/** A list in which a map has a "batch"; a batch in a batch is none. */
const BATCH_DEPTH_MAX = 2;
const ITEM_KEYS = ["batch", "columns", "fields", "f"] as const;

/** False: the body is one batch in columns, or nothing that we know. Reads as far as needed. */
export function holdsItems(bytes: Uint8Array): boolean {
  const reader = new MessagePackReader(bytes);
  if (bytes.length === 0 || KIND_OF_TAG[reader.tag()] !== KIND.nested) return false;
  if (!isMapTag(reader.tag())) return true;
  for (let left = reader.mapLength(); left > 0; left--) {
    const key = readItemKey(reader);
    if (key !== null) return key !== "columns";
    reader.skip(1);
  }
  return false;
}

/**
 * `bytes`: the body, uncompressed. `receivedUs`: the time of rows that have none.
 * Refuses with a SluiceError of kind "invalid"; where items may be left out, only what is wrong
 * with the whole.
 */
export function gatherItems(
  bytes: Uint8Array,
  receivedUs: number,
  options: GatherOptions,
): Gathered {
  if (bytes.length > LIMITS.rowFormBytesMax) {
    const limit = LIMITS.rowFormBytesMax;
    const message = `${bytes.length} bytes of rows, more than ${limit}; send columns, or less`;
    throw new SluiceError("body_too_large", message, { limit });
  }
  const reader = new MessagePackReader(bytes);
  const gathering = { reader, gatherer: new Gatherer(options), names: new NameCache(), receivedUs };
  const itemCount = gatherFrom(gathering, 0, 0);
  const trailing = bytes.length - reader.position;
  if (trailing > 0) throw reader.refuse("msgpack_invalid", `${trailing} bytes follow the batch`);
  if (itemCount === 0) throw reader.refuse("batch_shape_invalid", "the body holds no items");
  return gathering.gatherer.finish();
}

interface Gathering {
  readonly reader: MessagePackReader;
  readonly gatherer: Gatherer;
  readonly names: NameCache;
  readonly receivedUs: number;
}

/** Reads the value at the reader's position; returns the number of the item behind it. */
function gatherFrom(gathering: Gathering, firstItem: number, depth: number): number {
  const { reader } = gathering;
  const isList = KIND_OF_TAG[reader.tag()] === KIND.nested && !isMapTag(reader.tag());
  if (isList && depth === 0) return gatherList(gathering, firstItem, 1);
  const { end, parts } = locateParts(reader);
  const batchAt = parts.get("batch");
  if (batchAt !== undefined && parts.size === 1 && depth < BATCH_DEPTH_MAX) {
    reader.position = batchAt;
    const nextItem = gatherList(gathering, firstItem, BATCH_DEPTH_MAX);
    reader.position = end;
    return nextItem;
  }
  gatherItem(gathering, firstItem, [...parts.keys()], end);
  reader.position = end;
  return firstItem + 1;
}

function gatherList(gathering: Gathering, firstItem: number, depth: number): number {
  let item = firstItem;
  for (let left = gathering.reader.arrayLength(); left > 0; left--) {
    item = gatherFrom(gathering, item, depth);
  }
  return item;
}

type ItemKey = (typeof ITEM_KEYS)[number];

/** Where an item ends, and where the values lie that say what it is; the reader stays. */
function locateParts(reader: MessagePackReader): { end: number; parts: Map<ItemKey, number> } {
  const start = reader.position;
  const isMap = isMapTag(reader.tag());
  reader.skip(1);
  const end = reader.position;
  const parts = new Map<ItemKey, number>();
  reader.position = start;
  if (isMap) {
    for (let left = reader.mapLength(); left > 0; left--) {
      const key = readItemKey(reader);
      if (key !== null) parts.set(key, reader.position);
      reader.skip(1);
    }
  }
  reader.position = start;
  return { end, parts };
}

/** Moves past a key of any kind; null: it is not one that says what the item is. */
function readItemKey(reader: MessagePackReader): ItemKey | null {
  if (KIND_OF_TAG[reader.tag()] !== KIND.text) {
    reader.skip(1);
    return null;
  }
  const { bytes } = reader;
  const start = reader.textStart();
  const length = reader.position - start;
  for (const key of ITEM_KEYS) {
    if (key.length !== length) continue;
    let same = 0;
    while (same < length && bytes[start + same] === key.charCodeAt(same)) same += 1;
    if (same === length) return key;
  }
  return null;
}

function gatherItem(
  { reader, gatherer, names, receivedUs }: Gathering,
  item: number,
  parts: readonly ItemKey[],
  end: number,
): void {
  const start = reader.position;
  const tag = reader.tag();
  if (parts.includes("columns")) {
    const bytes = reader.bytes.subarray(start, end);
    const taken = gatherer.take(item, () => readColumnsItem(bytes, gatherer));
    if (taken !== null) appendColumns(taken, bytes, item, receivedUs);
    return;
  }
  const taken = gatherer.take(item, () => {
    if (!isMapTag(tag)) {
      throw reader.refuse("batch_shape_invalid", `${nameOfTag(tag)} is neither row nor batch`);
    }
    if (parts.includes("batch")) {
      const reason = '"batch" stands beside "fields", or within another "batch"';
      throw reader.refuse("batch_shape_invalid", reason);
    }
    return readRow(reader, names, gatherer);
  });
  reader.column = null;
  if (taken !== null) appendRow(taken, reader.bytes, item, receivedUs);
}

interface TakenRow {
  readonly row: RowItem;
  readonly builder: BatchBuilder;
}

function readRow(reader: MessagePackReader, names: NameCache, gatherer: Gatherer): TakenRow {
  const row = readRowItem(reader, names);
  const builder = gatherer.batch(row.measurement);
  const cellNames = row.cells.map(({ name }) => name);
  builder.checkRoom(cellNames, 1);
  return { row, builder };
}

function appendRow(
  { row, builder }: TakenRow,
  bytes: Uint8Array,
  item: number,
  receivedUs: number,
): void {
  builder.time.writeInteger(row.timeUs ?? receivedUs);
  for (const { name, start, end, text } of row.cells) {
    const column = builder.column(name);
    if (text === null) column.copyCells(bytes, start, end, 1);
    else column.writeString(text);
  }
  builder.endRows(item);
}

interface TakenColumns {
  readonly scan: BatchScan;
  readonly builder: BatchBuilder;
}

function readColumnsItem(bytes: Uint8Array, gatherer: Gatherer): TakenColumns {
  const scan = scanBatch(bytes);
  const builder = gatherer.batch(scan.measurement);
  const columnNames = scan.columns.map(({ name }) => name);
  builder.checkRoom(columnNames, scan.rowCount);
  return { scan, builder };
}

/** `bytes`: the item, which was scanned. */
function appendColumns(
  { scan, builder }: TakenColumns,
  bytes: Uint8Array,
  item: number,
  receivedUs: number,
): void {
  const { rowCount, time } = scan;
  const reader = new MessagePackReader(bytes);
  walkBatch(reader, (name) => {
    if (name === TIME_COLUMN) {
      const words = new Int32Array(2 * rowCount);
      const { form } = readTimes(reader, words, 0, rowCount);
      scaleTimes(form, time!.unit, words, 0, rowCount);
      for (let at = 0; at < words.length; at += 2) {
        builder.time.writeInteger(wordsToBigint(words, at));
      }
    } else {
      const start = reader.position;
      reader.skip(rowCount);
      builder.column(name).copyCells(bytes, start, reader.position, rowCount);
    }
  });
  if (time === null) for (let row = 0; row < rowCount; row++) builder.time.writeInteger(receivedUs);
  builder.endRows(item, rowCount);
}
