// The schema once more, as Arrow says it: the value of the footer's `ARROW:schema`.
//
// Arrow's readers (pyarrow, arrow-rs, Polars, DataFusion) take types from it that Parquet's own
// schema can't express, such as the time zone's name. It is an IPC message of a schema and nothing
// else.
// https://github.com/apache/arrow/blob/main/format/Schema.fbs and Message.fbs

import { Buffer } from "node:buffer";

import type { ColumnType } from "#lib/columnar/types.ts";

import { flatbufferBytes, type FlatNode } from "./flatbuffer.ts";
import type { ParquetColumn } from "./format.ts";

const METADATA_VERSION_5 = 4;
const MESSAGE_SCHEMA = 1;
const DOUBLE_PRECISION = 2;
const MICROSECOND = 2;

/** Number of the type in Arrow's union, and its table. */
const ARROW_TYPES: Readonly<Record<ColumnType, readonly [number, FlatNode]>> = {
  int64: [2, { table: [64, 1] }], // width, is signed
  float64: [3, { table: [DOUBLE_PRECISION] }],
  utf8: [5, { table: [] }],
  bool: [6, { table: [] }],
  timestamp: [10, { table: [MICROSECOND, { text: "UTC" }] }],
};

/** Base64 of the encapsulated message. */
export function arrowSchema(columns: readonly ParquetColumn[]): string {
  const message = flatbufferBytes({
    table: [
      METADATA_VERSION_5,
      MESSAGE_SCHEMA,
      { table: [null, { vector: columns.map(fieldOf) }] },
    ],
  });
  // Marker, length of the message padded to eight bytes, message.
  const paddedLength = Math.ceil(message.length / 8) * 8;
  const framed = new Uint8Array(8 + paddedLength);
  const view = new DataView(framed.buffer);
  view.setUint32(0, 0xffff_ffff, true);
  view.setUint32(4, paddedLength, true);
  framed.set(message, 8);
  return Buffer.from(framed).toString("base64");
}

function fieldOf(column: ParquetColumn): FlatNode {
  const [typeNumber, type] = ARROW_TYPES[column.type];
  const isNullable = column.isRequired ? 0 : 1;
  const noDictionary = null;
  const noChildren: FlatNode = { vector: [] };
  return { table: [{ text: column.name }, isNullable, typeNumber, type, noDictionary, noChildren] };
}
