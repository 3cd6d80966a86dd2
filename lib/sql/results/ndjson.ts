// Newline-delimited JSON: an object per row, cells as in lib/sql/results/json.ts.
//
// The last line says when rows are missing: {"truncated":true} beyond the row cap, {"error":…} for
// a query that failed when its answer had begun.

import { SluiceError } from "#lib/base/errors.ts";
import type { ArrowBatch, ArrowField } from "#lib/sql/arrow-stream.ts";
import { cellTextFor } from "#lib/sql/cell-text.ts";
import { type AnswerEnd, bytesOf, distinctNames, NO_BYTES } from "./writer.ts";
import type { ResultWriter } from "./writer.ts";

export class NdjsonResult implements ResultWriter {
  readonly contentType = "application/x-ndjson";
  readonly #areLongsQuoted: boolean;
  /** `{"a":`, `,"b":` … */
  #keys: string[] = [];

  constructor(areLongsQuoted: boolean) {
    this.#areLongsQuoted = areLongsQuoted;
  }

  begin(fields: readonly ArrowField[]): Uint8Array {
    const names = distinctNames(fields);
    this.#keys = names.map((name, at) => `${at === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    return NO_BYTES;
  }

  rows({ rowCount, columns }: ArrowBatch): Uint8Array {
    const cells = columns.map((column) => cellTextFor(column, this.#areLongsQuoted));
    let text = "";
    for (let row = 0; row < rowCount; row++) {
      for (let at = 0; at < cells.length; at++) text += this.#keys[at]! + cells[at]!(row);
      text += "}\n";
    }
    return bytesOf(text);
  }

  end({ isTruncated, rowCount }: AnswerEnd): Uint8Array {
    if (!isTruncated) return NO_BYTES;
    return bytesOf(`${JSON.stringify({ truncated: true, row_count: rowCount })}\n`);
  }

  readonly fail = ({ message, code, detail }: SluiceError): Uint8Array =>
    bytesOf(`${JSON.stringify({ error: message, code, detail })}\n`);
}
