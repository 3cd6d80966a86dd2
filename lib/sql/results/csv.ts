// CSV by RFC 4180, with a header line and \n.
//
// NULL is an empty field and the empty text is "". NaN and the infinities are NaN, Infinity and
// -Infinity; times are RFC 3339; lists, structs and maps are JSON; blobs are base64.

import {
  ARROW,
  type ArrowBatch,
  type ArrowColumn,
  type ArrowField,
} from "#lib/sql/arrow-stream.ts";
import { cellText, slice } from "#lib/sql/cell-text.ts";
import { isValid } from "#lib/sql/plain-columns.ts";
import { type AnswerEnd, bytesOf, NO_BYTES, refuseTruncated, type ResultWriter } from "./writer.ts";

export class CsvResult implements ResultWriter {
  readonly contentType = "text/csv; charset=utf-8; header=present";

  begin(fields: readonly ArrowField[]): Uint8Array {
    if (fields.length === 0) return NO_BYTES;
    return bytesOf(`${fields.map(({ name }) => field(name)).join(",")}\n`);
  }

  rows({ rowCount, columns }: ArrowBatch): Uint8Array {
    const cells = columns.map(cellField);
    let text = "";
    for (let row = 0; row < rowCount; row++) {
      for (let at = 0; at < cells.length; at++) {
        if (at > 0) text += ",";
        if (isValid(columns[at]!, row)) text += cells[at]!(row);
      }
      text += "\n";
    }
    return bytesOf(text);
  }

  end(end: AnswerEnd): Uint8Array {
    refuseTruncated(end);
    return NO_BYTES;
  }
}

const DECODER = new TextDecoder();

/** Of a cell that is not NULL. */
function cellField(column: ArrowColumn): (row: number) => string {
  const { field: is, buffers } = column;
  const json = cellText(column);
  switch (is.type) {
    case ARROW.utf8:
      return (row) => field(DECODER.decode(slice(buffers, row)));
    case ARROW.null:
      return () => "";
    case ARROW.float: {
      const [values] = buffers;
      const read =
        is.unit === 1
          ? (row: number) => values!.getFloat32(row * 4, true)
          : (row: number) => values!.getFloat64(row * 8, true);
      return (row) => {
        const value = read(row);
        return Number.isFinite(value) ? json(row) : String(value);
      };
    }
    case ARROW.list:
    case ARROW.struct:
    case ARROW.map:
      return (row) => field(json(row));
    default:
      // Of what is left nothing needs quotes but a union, which may hold a text.
      return (row) => {
        const text = json(row);
        return text.startsWith('"') ? field(JSON.parse(text) as string) : text;
      };
  }
}

function field(text: string): string {
  const isPlain = text !== "" && !/[",\r\n]/.test(text) && text.trim() === text;
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}
