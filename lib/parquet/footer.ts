// The footer: schema, row groups, and where everything lies. A reader starts here.
// FileMetaData in
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

import type { ColumnChunk } from "./column-chunk.ts";
import type { FileRange } from "./file-output.ts";
import {
  CODEC_ZSTD,
  CONVERTED_TYPE,
  ENCODING,
  PAGE_TYPE,
  PHYSICAL_TYPES,
  REPETITION,
  type ParquetColumn,
} from "./format.ts";
import { boundBytes, type ValueStatistics } from "./statistics.ts";
import { thriftBytes, type ThriftFields } from "./thrift-compact.ts";

export interface ChunkEntry {
  readonly chunk: ColumnChunk;
  readonly bloomFilter: FileRange | null;
  readonly columnIndex: FileRange | null;
  readonly offsetIndex: FileRange;
}

export interface FooterContent {
  readonly columns: readonly ParquetColumn[];
  /** Per row group its chunks, in the order of the columns. */
  readonly rowGroups: readonly (readonly ChunkEntry[])[];
  readonly keyValues: Readonly<Record<string, string>>;
  readonly createdBy: string;
}

export function footerBytes(content: FooterContent): Uint8Array {
  const { columns, rowGroups } = content;
  return thriftBytes((file) => {
    file.i32(1, 2); // format version
    writeSchema(file, columns);
    file.i64(
      3,
      sum(rowGroups, ([first]) => first.chunk.rowCount),
    );
    file.structList(4, [...rowGroups.entries()], (rowGroup, [ordinal, chunks]) =>
      writeRowGroup(rowGroup, chunks, ordinal, columns),
    );
    file.structList(5, Object.entries(content.keyValues), (pair, [key, value]) => {
      pair.text(1, key);
      pair.text(2, value);
    });
    file.text(6, content.createdBy);
    // Bounds are ordered as their logical type says.
    file.structList(7, columns, (order) => order.emptyStruct(1));
  });
}

function writeSchema(file: ThriftFields, columns: readonly ParquetColumn[]): void {
  const root = null;
  file.structList(2, [root, ...columns], (element, column) => {
    if (column === root) {
      element.text(4, "schema");
      element.i32(5, columns.length);
      return;
    }
    element.i32(1, PHYSICAL_TYPES[column.type]);
    element.i32(3, column.isRequired ? REPETITION.required : REPETITION.optional);
    element.text(4, column.name);
    if (column.type === "utf8") {
      element.i32(6, CONVERTED_TYPE.utf8);
      element.struct(10, (logicalType) => logicalType.emptyStruct(1));
    } else if (column.type === "timestamp") {
      element.i32(6, CONVERTED_TYPE.timestampMicros);
      element.struct(10, (logicalType) =>
        logicalType.struct(8, (timestamp) => {
          timestamp.bool(1, true); // adjusted to UTC
          timestamp.struct(2, (unit) => unit.emptyStruct(2)); // microseconds
        }),
      );
    }
  });
}

function writeRowGroup(
  rowGroup: ThriftFields,
  chunks: readonly ChunkEntry[],
  ordinal: number,
  columns: readonly ParquetColumn[],
): void {
  const first = chunks[0].chunk;
  rowGroup.structList(1, chunks, writeChunk);
  rowGroup.i64(
    2,
    sum(chunks, ({ chunk }) => chunk.plainByteLength),
  );
  rowGroup.i64(3, first.rowCount);
  const timeColumn = columns.findIndex(({ isRequired }) => isRequired);
  if (timeColumn !== -1) {
    rowGroup.structList(4, [timeColumn], (sorting, ordinalOfColumn) => {
      sorting.i32(1, ordinalOfColumn);
      sorting.bool(2, false); // descending
      sorting.bool(3, false); // NULLs first
    });
  }
  rowGroup.i64(5, startOf(first));
  rowGroup.i64(
    6,
    sum(chunks, ({ chunk }) => chunk.byteLength),
  );
  rowGroup.i16(7, ordinal);
}

function writeChunk(fields: ThriftFields, entry: ChunkEntry): void {
  fields.i64(2, 0); // once the place of a copy of the metadata; now always zero
  fields.struct(3, (metadata) => writeChunkMetadata(metadata, entry));
  fields.i64(4, entry.offsetIndex.offset);
  fields.i32(5, entry.offsetIndex.byteLength);
  if (entry.columnIndex !== null) {
    fields.i64(6, entry.columnIndex.offset);
    fields.i32(7, entry.columnIndex.byteLength);
  }
}

function writeChunkMetadata(metadata: ThriftFields, { chunk, bloomFilter }: ChunkEntry): void {
  const pageCounts = encodingCounts(chunk);
  metadata.i32(1, PHYSICAL_TYPES[chunk.type]);
  metadata.i32List(2, [...new Set([ENCODING.rle, ...pageCounts.map(({ encoding }) => encoding)])]);
  metadata.textList(3, [chunk.name]);
  metadata.i32(4, CODEC_ZSTD);
  metadata.i64(5, chunk.rowCount);
  metadata.i64(6, chunk.plainByteLength);
  metadata.i64(7, chunk.byteLength);
  metadata.i64(9, chunk.pages[0].range.offset);
  if (chunk.dictionaryOffset !== null) metadata.i64(11, chunk.dictionaryOffset);
  metadata.struct(12, (statistics) => writeStatistics(statistics, chunk));
  metadata.structList(13, pageCounts, (fields, { pageType, encoding, count }) => {
    fields.i32(1, pageType);
    fields.i32(2, encoding);
    fields.i32(3, count);
  });
  if (bloomFilter !== null) {
    metadata.i64(14, bloomFilter.offset);
    metadata.i32(15, bloomFilter.byteLength);
  }
}

/** Tells a reader, among other things, that all values of a chunk are in its dictionary. */
function encodingCounts({ dictionaryOffset, pages }: ColumnChunk) {
  const counts = [...new Set(pages.map(({ encoding }) => encoding))].map((encoding) => ({
    pageType: PAGE_TYPE.data as number,
    encoding: encoding as number,
    count: pages.filter((page) => page.encoding === encoding).length,
  }));
  if (dictionaryOffset === null) return counts;
  return [{ pageType: PAGE_TYPE.dictionary, encoding: ENCODING.plain, count: 1 }, ...counts];
}

function writeStatistics(
  fields: ThriftFields,
  { type, statistics }: { type: ParquetColumn["type"]; statistics: ValueStatistics },
): void {
  fields.i64(3, statistics.nullCount);
  if (statistics.bounds === null) return;
  const { min, max } = statistics.bounds;
  fields.binary(5, boundBytes(type, max));
  fields.binary(6, boundBytes(type, min));
  fields.bool(7, max.isExact);
  fields.bool(8, min.isExact);
}

function startOf(chunk: ColumnChunk): number {
  return chunk.dictionaryOffset ?? chunk.pages[0].range.offset;
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
