// Writing an Arrow IPC stream: the schema, batches, an end. The partner of lib/sql/arrow-stream.ts.
//
// A batch's header has the same shape always, so it is laid out by hand: a table of four fields, a
// table of three, and two vectors of pairs. The values behind it are copied and not looked at.
// Format: arrow.apache.org/docs/format/Columnar.html, "Serialization and IPC"; Message.fbs.

import { type FlatNode, flatbufferBytes } from "#lib/parquet/flatbuffer.ts";
import { ARROW, type ArrowBatch, type ArrowColumn, type ArrowField } from "./arrow-stream.ts";

const METADATA_VERSION_5 = 4;
const SCHEMA = 1;
const RECORD_BATCH = 3;
const ALIGNMENT = 8;

/** What a stream ends with. */
export const ARROW_END: Uint8Array = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** No field may be a decimal, an interval or a union (lib/sql/plain-columns.ts sees to it). */
export function schemaMessage(fields: readonly ArrowField[]): Uint8Array {
  const schema: FlatNode = { table: [null, { vector: fields.map(fieldNode) }] };
  return framed(flatbufferBytes({ table: [METADATA_VERSION_5, SCHEMA, schema] }), []);
}

/** The first `rowCount` rows; buffers may hold more. */
export function batchMessage({ rowCount, columns }: ArrowBatch): Uint8Array {
  const nodes: Pair[] = [];
  const buffers: Pair[] = [];
  const body: Uint8Array[] = [];
  let bodyBytes = 0;
  const add = (bytes: Uint8Array): void => {
    const padded = padded8(bytes.byteLength);
    buffers.push([bodyBytes, bytes.byteLength]);
    body.push(bytes);
    if (padded > bytes.byteLength) body.push(new Uint8Array(padded - bytes.byteLength));
    bodyBytes += padded;
  };
  const addColumn = ({ field, validity, buffers: own, children }: ArrowColumn, length: number) => {
    nodes.push([length, field.type === ARROW.null ? length : countNulls(validity, length)]);
    if (field.type !== ARROW.null) add(validity ?? NO_BYTES);
    for (const { buffer, byteOffset, byteLength } of own) {
      add(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    }
    for (const child of children) addColumn(child, child.length);
  };
  for (const column of columns) addColumn(column, rowCount);
  return framed(batchHeader(rowCount, nodes, buffers, bodyBytes), body);
}

type Pair = readonly [first: number, second: number];

const NO_BYTES = new Uint8Array(0);

function countNulls(validity: Uint8Array | null, length: number): number {
  if (validity === null) return 0;
  let nulls = 0;
  for (let row = 0; row < length; row++) {
    if (((validity[row >> 3]! >> (row & 7)) & 1) === 0) nulls++;
  }
  return nulls;
}

/** Places of the parts, from the start of the header. All int64 stand at multiples of eight. */
const ROOT = 0;
const MESSAGE_VTABLE = 4;
const MESSAGE = 16;
const BATCH_VTABLE = 40;
const BATCH = 52;
const NODES = 76;

function batchHeader(
  rowCount: number,
  nodes: readonly Pair[],
  buffers: readonly Pair[],
  bodyBytes: number,
): Uint8Array {
  const buffersAt = NODES + 8 + nodes.length * 16;
  const bytes = new Uint8Array(padded8(buffersAt + 4 + buffers.length * 16));
  const view = new DataView(bytes.buffer);
  view.setUint32(ROOT, MESSAGE, true);
  // Fields of a message: version, type and table of its header, length of its body.
  vtable(view, MESSAGE_VTABLE, 24, [4, 6, 8, 16]);
  view.setInt32(MESSAGE, MESSAGE - MESSAGE_VTABLE, true);
  view.setInt16(MESSAGE + 4, METADATA_VERSION_5, true);
  view.setUint8(MESSAGE + 6, RECORD_BATCH);
  view.setUint32(MESSAGE + 8, BATCH - (MESSAGE + 8), true);
  view.setBigInt64(MESSAGE + 16, BigInt(bodyBytes), true);
  // Fields of a batch: its rows, nodes, buffers.
  vtable(view, BATCH_VTABLE, 20, [4, 12, 16]);
  view.setInt32(BATCH, BATCH - BATCH_VTABLE, true);
  view.setBigInt64(BATCH + 4, BigInt(rowCount), true);
  pairs(view, BATCH + 12, NODES, nodes);
  pairs(view, BATCH + 16, buffersAt, buffers);
  return bytes;
}

function vtable(view: DataView, at: number, tableBytes: number, fields: readonly number[]): void {
  view.setUint16(at, 4 + 2 * fields.length, true);
  view.setUint16(at + 2, tableBytes, true);
  for (const [index, field] of fields.entries()) view.setUint16(at + 4 + 2 * index, field, true);
}

function pairs(view: DataView, referenceAt: number, at: number, items: readonly Pair[]): void {
  view.setUint32(referenceAt, at - referenceAt, true);
  view.setUint32(at, items.length, true);
  for (const [index, [first, second]] of items.entries()) {
    view.setBigInt64(at + 4 + index * 16, BigInt(first), true);
    view.setBigInt64(at + 12 + index * 16, BigInt(second), true);
  }
}

/** Marker, length of the header padded to eight bytes, header, body. */
function framed(header: Uint8Array, body: readonly Uint8Array[]): Uint8Array {
  const headerBytes = padded8(header.byteLength);
  const bodyBytes = body.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = new Uint8Array(8 + headerBytes + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xffff_ffff, true);
  view.setUint32(4, headerBytes, true);
  bytes.set(header, 8);
  let at = 8 + headerBytes;
  for (const part of body) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function padded8(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

function fieldNode(field: ArrowField): FlatNode {
  const isNullable = field.isNullable ? 1 : 0;
  const noDictionary = null;
  const children: FlatNode = { vector: field.children.map(fieldNode) };
  const name = { text: field.name };
  return { table: [name, isNullable, field.type, typeNode(field), noDictionary, children] };
}

function typeNode({ type, bitWidth, isSigned, unit, timeZone }: ArrowField): FlatNode {
  switch (type) {
    case ARROW.int:
      return { table: [bitWidth, isSigned ? 1 : 0] };
    case ARROW.float:
    case ARROW.date:
      return { table: [unit] };
    case ARROW.time:
      return { table: [unit, bitWidth] };
    case ARROW.timestamp:
      return { table: [unit, timeZone === null ? null : { text: timeZone }] };
    default:
      return { table: [] };
  }
}
