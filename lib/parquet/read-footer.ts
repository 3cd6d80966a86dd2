// The footer of a file of ours, as far as reading rows needs it: columns, row groups, where they
// lie.
//
// What is there twice (names in the schema and in every chunk, sizes, counts, bounds of the time)
// must be the same twice. So a bit that flips here is found or changes no row.
// FileMetaData in
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

import { TIME_COLUMN } from "#lib/columnar/kinds.ts";
import type { ColumnType } from "#lib/columnar/types.ts";

import { ByteReader } from "./byte-reader.ts";
import { fileCorrupt } from "./file-corrupt.ts";
import {
  CODEC_ZSTD,
  CONVERTED_TYPE,
  MAGIC,
  type ParquetColumn,
  PHYSICAL_TYPES,
  REPETITION,
} from "./format.ts";
import { readThrift, type ThriftStruct } from "./read-thrift.ts";

const TAIL_BYTES = 8;
const BOUND_BYTES = 8;

export interface FileLayout {
  readonly columns: readonly ParquetColumn[];
  readonly rowCount: number;
  readonly rowGroups: readonly RowGroupLayout[];
}

export interface RowGroupLayout {
  readonly rowCount: number;
  /** Of the row's number in the file. */
  readonly firstRow: number;
  /** All column chunks lie in one stretch, one behind the other. */
  readonly offset: number;
  readonly byteLength: number;
  /** In the order of the columns. */
  readonly chunks: readonly ChunkLayout[];
  /** First and last time in µs, two words each, low word first. */
  readonly timeBounds: Int32Array;
}

export interface ChunkLayout {
  readonly byteLength: number;
  readonly nullCount: number;
}

/** `footer`: the last bytes of a file of `byteLength` bytes, with its 8-byte tail. */
export function readFooter(footer: Uint8Array, byteLength: number): FileLayout {
  const tail = new ByteReader(footer, Math.max(0, footer.length - TAIL_BYTES));
  const isOurs = tail.uint32() === footer.length - TAIL_BYTES;
  if (!isOurs || !tail.take(4).every((byte, i) => byte === MAGIC[i])) {
    throw fileCorrupt("the file does not end as a Parquet file");
  }
  const reader = new ByteReader(footer, 0, footer.length - TAIL_BYTES);
  const file = readThrift(reader);
  if (!reader.isAtEnd) throw fileCorrupt("the footer is longer than its content");

  const columns = readSchema(file.structs(2));
  const rowGroups: RowGroupLayout[] = [];
  let firstRow = 0;
  let offsetMin = MAGIC.length;
  for (const fields of file.structs(4)) {
    const rowGroup = readRowGroup(fields, columns, firstRow);
    const { offset, rowCount } = rowGroup;
    const end = offset + rowGroup.byteLength;
    if (offset < offsetMin || end > byteLength - footer.length) {
      throw fileCorrupt("a row group lies where none can be");
    }
    rowGroups.push(rowGroup);
    firstRow += rowCount;
    offsetMin = end;
  }
  if (firstRow !== file.size(3)) throw fileCorrupt("the footer counts its rows in two ways");
  return { columns, rowCount: firstRow, rowGroups };
}

function readSchema([root, ...elements]: readonly ThriftStruct[]): ParquetColumn[] {
  if (root?.size(5) !== elements.length) throw fileCorrupt("the schema has lost columns");
  const columns = elements.map((element) => {
    const isRequired = element.integer(3) === REPETITION.required;
    return { name: element.text(4), type: readType(element), isRequired };
  });
  const time = columns.filter(({ name }) => name === TIME_COLUMN);
  if (time.length !== 1 || time[0].type !== "timestamp" || !time[0].isRequired) {
    throw fileCorrupt("the file has no time");
  }
  return columns;
}

function readType(element: ThriftStruct): ColumnType {
  const converted = element.has(6) ? element.integer(6) : null;
  const logical = element.has(10) ? element.struct(10) : null;
  const type = (Object.keys(PHYSICAL_TYPES) as ColumnType[]).find(
    (candidate) =>
      PHYSICAL_TYPES[candidate] === element.integer(1) &&
      convertedTypeOf(candidate) === converted &&
      isLogicalTypeOf(candidate, logical),
  );
  if (type === undefined) throw fileCorrupt("a column has a foreign type");
  return type;
}

function convertedTypeOf(type: ColumnType): number | null {
  if (type === "utf8") return CONVERTED_TYPE.utf8;
  return type === "timestamp" ? CONVERTED_TYPE.timestampMicros : null;
}

function isLogicalTypeOf(type: ColumnType, logical: ThriftStruct | null): boolean {
  if (type === "utf8") return logical?.has(1) === true;
  if (type === "timestamp") return logical?.has(8) === true && logical.struct(8).struct(2).has(2);
  return logical === null;
}

function readRowGroup(
  fields: ThriftStruct,
  columns: readonly ParquetColumn[],
  firstRow: number,
): RowGroupLayout {
  const rowCount = fields.size(3);
  const metadata = fields.structs(1).map((chunk) => chunk.struct(3));
  if (metadata.length !== columns.length || rowCount === 0) {
    throw fileCorrupt("a row group has lost columns or rows");
  }
  const offset = fields.size(5);
  let end = offset;
  let plainByteLength = 0;
  const chunks = metadata.map((chunk, i) => {
    checkChunk(chunk, columns[i], rowCount);
    const start = chunk.has(11) ? chunk.size(11) : chunk.size(9);
    if (start !== end) throw fileCorrupt("columns do not lie one behind the other");
    const byteLength = chunk.size(7);
    end += byteLength;
    plainByteLength += chunk.size(6);
    return { byteLength, nullCount: chunk.struct(12).size(3) };
  });
  const byteLength = end - offset;
  if (byteLength !== fields.size(6) || plainByteLength !== fields.size(2)) {
    throw fileCorrupt("a row group has not the size of its columns");
  }
  const timeBounds = readTimeBounds(
    metadata[columns.findIndex(({ isRequired }) => isRequired)].struct(12),
  );
  return { rowCount, firstRow, offset, byteLength, chunks, timeBounds };
}

function checkChunk(chunk: ThriftStruct, { name, type }: ParquetColumn, rowCount: number): void {
  const path = chunk.texts(3);
  if (path.length !== 1 || path[0] !== name) throw fileCorrupt("a column has two names");
  const isOurs = chunk.integer(1) === PHYSICAL_TYPES[type] && chunk.integer(4) === CODEC_ZSTD;
  if (!isOurs) throw fileCorrupt("a column is stored in a foreign way");
  if (chunk.size(5) !== rowCount) throw fileCorrupt("a column has not as many rows as its group");
}

function readTimeBounds(statistics: ThriftStruct): Int32Array {
  const min = statistics.binary(6);
  const max = statistics.binary(5);
  if (min.length !== BOUND_BYTES || max.length !== BOUND_BYTES) {
    throw fileCorrupt("the time has no bounds");
  }
  const bytes = new Uint8Array(2 * BOUND_BYTES);
  bytes.set(min);
  bytes.set(max, BOUND_BYTES);
  return new Int32Array(bytes.buffer);
}
