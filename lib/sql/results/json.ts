// A query's answer in the shape of Arc's JSON: keys in Arc's order, then ours.

import type { ArrowBatch, ArrowField } from "#lib/sql/arrow-stream.ts";
import { cellTextFor } from "#lib/sql/cell-text.ts";
import { type AnswerEnd, bytesOf, costFields, NO_BYTES, rfc3339 } from "./writer.ts";
import type { ResultWriter } from "./writer.ts";

export interface JsonOptions {
  /** True: integers of 64 bits and more are strings. */
  readonly areLongsQuoted: boolean;
  /** True: the cost stands under Arc's `profile`, too. */
  readonly hasProfile: boolean;
}

export class JsonResult implements ResultWriter {
  readonly contentType = "application/json";
  readonly #options: JsonOptions;
  #hasRows = false;

  constructor(options: JsonOptions) {
    this.#options = options;
  }

  begin(fields: readonly ArrowField[]): Uint8Array {
    const names = fields.map(({ name }) => name);
    return bytesOf(`{"success":true,"columns":${JSON.stringify(names)},"data":[`);
  }

  rows({ rowCount, columns }: ArrowBatch): Uint8Array {
    if (rowCount === 0) return NO_BYTES;
    const cells = columns.map((column) => cellTextFor(column, this.#options.areLongsQuoted));
    let text = "";
    for (let row = 0; row < rowCount; row++) {
      text += this.#hasRows ? ",[" : "[";
      this.#hasRows = true;
      for (let at = 0; at < cells.length; at++) {
        if (at > 0) text += ",";
        text += cells[at]!(row);
      }
      text += "]";
    }
    return bytesOf(text);
  }

  end({ rowCount, isTruncated, executionMs, nowMs, cost }: AnswerEnd): Uint8Array {
    const told = cost === null ? null : costFields(cost);
    const fields: Record<string, unknown> = {
      row_count: rowCount,
      execution_time_ms: Math.round(executionMs),
      timestamp: rfc3339(nowMs),
      ...(isTruncated ? { truncated: true } : {}),
      ...(told === null ? {} : { cost: told }),
      ...(this.#options.hasProfile ? { profile: told ?? {} } : {}),
    };
    return bytesOf(`],${JSON.stringify(fields).slice(1)}`);
  }
}
