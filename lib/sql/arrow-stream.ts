// Reading an Arrow IPC stream: what the engine answers in.
//
// Columns are views of the received bytes; nothing is copied and no object is made per cell.
// Format: arrow.apache.org/docs/format/Columnar.html. Numbers of types and fields are those of
// Arrow's Schema.fbs and Message.fbs. Next: lib/sql/cell-text.ts.

import { assert } from "#lib/base/assert.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { Table } from "./flatbuffer.ts";

export const ARROW = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  map: 17,
} as const;

export interface ArrowField {
  readonly name: string;
  readonly isNullable: boolean;
  /** A number of ARROW. */
  readonly type: number;
  /** int, time: bits of a value. */
  readonly bitWidth: number;
  readonly isSigned: boolean;
  /** float: 1 is single, 2 double. date: 0 days. time, timestamp: 0 s, 1 ms, 2 µs, 3 ns. */
  readonly unit: number;
  /** timestamp: null says nothing of where the clock hung. */
  readonly timeZone: string | null;
  /** decimal: digits behind the point. 0 is also what a HUGEINT comes as. */
  readonly scale: number;
  readonly children: readonly ArrowField[];
}

export interface ArrowColumn {
  readonly field: ArrowField;
  readonly length: number;
  /** One bit per row, 1 = a value. null: all are. */
  readonly validity: Uint8Array | null;
  /** Buffers after the validity bitmap, by type: values, or offsets and values. */
  readonly buffers: readonly DataView[];
  readonly children: readonly ArrowColumn[];
}

export interface ArrowBatch {
  readonly rowCount: number;
  readonly columns: readonly ArrowColumn[];
}

/** Types with a unit, and the one that is meant when none is written. */
const UNITS_DEFAULT = new Map<number, number>([
  [ARROW.float, 0],
  [ARROW.date, 1],
  [ARROW.time, 1],
  [ARROW.timestamp, 0],
]);

const SCHEMA = 1;
const RECORD_BATCH = 3;

export class ArrowStreamReader {
  fields: readonly ArrowField[] = [];

  /** Takes whole messages, as many as there are; returns the batches among them. */
  read(bytes: Uint8Array): ArrowBatch[] {
    const batches: ArrowBatch[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at + 8 <= bytes.byteLength) {
      assert(view.getUint32(at, true) === 0xffff_ffff, "an Arrow message begins with -1");
      const headerBytes = view.getUint32(at + 4, true);
      if (headerBytes === 0) break;
      const message = Table.root(bytes.subarray(at + 8, at + 8 + headerBytes));
      const bodyAt = at + 8 + headerBytes;
      at = bodyAt + message.int64(3);
      const batch = this.#take(message, bytes.subarray(bodyAt, at));
      if (batch !== null) batches.push(batch);
    }
    return batches;
  }

  #take(message: Table, body: Uint8Array): ArrowBatch | null {
    const header = message.table(2)!;
    switch (message.uint8(1)) {
      case SCHEMA:
        this.fields = header.tables(1).map(readField);
        return null;
      case RECORD_BATCH:
        return this.#batch(header, body, this.fields);
      default:
        throw new Error("unknown Arrow message");
    }
  }

  #batch(header: Table, body: Uint8Array, fields: readonly ArrowField[]): ArrowBatch {
    const nodes = header.pairs(1);
    const buffers = header.pairs(2);
    const nextBuffer = (): DataView => {
      const { first: offset, second: byteLength } = buffers.shift()!;
      return new DataView(body.buffer, body.byteOffset + offset, byteLength);
    };
    const readColumn = (field: ArrowField): ArrowColumn => {
      const { first: length, second: nullCount } = nodes.shift()!;
      const hasBitmap = field.type !== ARROW.null && field.type !== ARROW.union;
      const bitmap = hasBitmap ? nextBuffer() : null;
      const validity = nullCount === 0 || bitmap === null ? null : bytesOf(bitmap);
      const own = Array.from({ length: bufferCount(field) }, nextBuffer);
      const children = field.children.map(readColumn);
      return { field, length, validity, buffers: own, children };
    };
    return { rowCount: header.int64(0), columns: fields.map(readColumn) };
  }
}

/** Buffers of a column without its validity bitmap. */
function bufferCount({ type }: ArrowField): number {
  if (type === ARROW.null || type === ARROW.struct) return 0;
  return type === ARROW.utf8 || type === ARROW.binary ? 2 : 1;
}

function readField(field: Table): ArrowField {
  const type = field.uint8(2);
  const details = field.table(3)!;
  const name = field.text(0);
  if (field.table(4) !== null) {
    // This engine build announces a dictionary for an ENUM and never sends it.
    const message = `column "${name}" is an ENUM, which cannot be returned: cast it to VARCHAR`;
    throw new SluiceError("query_failed", message, { column: name });
  }
  return {
    name,
    isNullable: field.uint8(1) === 1,
    type,
    bitWidth:
      type === ARROW.int ? details.int32(0) : type === ARROW.time ? details.int32(1, 32) : 0,
    isSigned: type === ARROW.int && details.uint8(1) === 1,
    unit: UNITS_DEFAULT.has(type) ? details.int16(0, UNITS_DEFAULT.get(type)) : 0,
    timeZone: type === ARROW.timestamp ? details.text(1) || null : null,
    scale: type === ARROW.decimal ? details.int32(1) : 0,
    children: field.tables(5).map(readField),
  };
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
