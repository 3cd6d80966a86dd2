// Result columns in types that every client reads, as Arc hands them out.
//
// SUM of integers is a HUGEINT here and arrives as a decimal of 38 digits, which Arrow clients take
// for a string or for nothing at all. So decimals without a fraction become int64 and the others
// float64; intervals and unions become text. The type follows from the query alone and never from
// the values: a sum that int64 cannot hold is refused, and says what to do.

import { SluiceError } from "#lib/base/errors.ts";
import { textColumn } from "./arrow-columns.ts";
import { ARROW, type ArrowBatch, type ArrowColumn, type ArrowField } from "./arrow-stream.ts";
import { cellText, decimalText, int128 } from "./cell-text.ts";

/** The field that a column of this one is handed out under. */
export function plainField(field: ArrowField): ArrowField {
  switch (field.type) {
    case ARROW.decimal:
      return field.scale === 0
        ? { ...field, type: ARROW.int, bitWidth: 64, isSigned: true }
        : { ...field, type: ARROW.float, unit: DOUBLE, scale: 0 };
    case ARROW.interval:
    case ARROW.union:
      return { ...field, type: ARROW.utf8, children: [] };
    default:
      return { ...field, children: field.children.map(plainField) };
  }
}

export function plainBatch({ rowCount, columns }: ArrowBatch): ArrowBatch {
  return { rowCount, columns: columns.map(plainColumn) };
}

const DOUBLE = 2;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export function plainColumn(column: ArrowColumn): ArrowColumn {
  const field = plainField(column.field);
  switch (column.field.type) {
    case ARROW.decimal:
      return field.type === ARROW.int ? integers(column, field) : doubles(column, field);
    case ARROW.interval:
    case ARROW.union:
      return texts(column, field);
    default:
      return { ...column, field, children: column.children.map(plainColumn) };
  }
}

function integers(column: ArrowColumn, field: ArrowField): ArrowColumn {
  const values = new BigInt64Array(column.length);
  eachValue(column, (value, row) => {
    if (value < INT64_MIN || value > INT64_MAX) throw beyondInt64(field.name);
    values[row] = value;
  });
  return { ...column, field, buffers: [new DataView(values.buffer)] };
}

function doubles(column: ArrowColumn, field: ArrowField): ArrowColumn {
  const { scale } = column.field;
  const values = new Float64Array(column.length);
  eachValue(column, (value, row) => {
    values[row] = Number(decimalText(value, scale));
  });
  return { ...column, field, buffers: [new DataView(values.buffer)] };
}

function eachValue(column: ArrowColumn, take: (value: bigint, row: number) => void): void {
  const [view] = column.buffers;
  for (let row = 0; row < column.length; row++) {
    if (isValid(column, row)) take(int128(view!, row * 16), row);
  }
}

export function isValid({ validity }: ArrowColumn, row: number): boolean {
  return validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1;
}

function texts(column: ArrowColumn, field: ArrowField): ArrowColumn {
  const text = plainText(column);
  const cells = Array.from({ length: column.length }, (_, row) => text(row));
  return { ...textColumn(field.name, cells), field };
}

/** The text of a cell, without the quotes of JSON round a text; null for NULL. */
export function plainText(column: ArrowColumn): (row: number) => string | null {
  const text = cellText(column);
  return (row) => {
    const json = text(row);
    if (json === "null") return null;
    return json.startsWith('"') ? (JSON.parse(json) as string) : json;
  };
}

export function beyondInt64(column: string): SluiceError {
  const message =
    `column "${column}" has an integer beyond int64, which this format cannot hold: ` +
    "cast it to DOUBLE or VARCHAR";
  return new SluiceError("query_failed", message, { column });
}
