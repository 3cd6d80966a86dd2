// How many rows a query would answer with, and how much of a warning that deserves, as Arc says it.

import type { ArrowBatch } from "#lib/sql/arrow-stream.ts";
import { type AnswerEnd, bytesOf, NO_BYTES, type ResultWriter } from "./writer.ts";

/** From so many rows on. The texts are for people. */
const LEVELS = [
  { rowsMin: 1_000_000, level: "high", advice: "add a LIMIT or narrow the time range" },
  { rowsMin: 100_000, level: "medium", advice: "consider a LIMIT" },
  { rowsMin: 10_000, level: "low", advice: "it may take a moment" },
] as const;

/** Takes the one row of a query that counts. */
export class EstimateResult implements ResultWriter {
  readonly contentType = "application/json";
  #rowCount = 0;

  begin(): Uint8Array {
    return NO_BYTES;
  }

  rows({ rowCount, columns }: ArrowBatch): Uint8Array {
    if (rowCount > 0) this.#rowCount = Number(columns[0]!.buffers[0]!.getBigInt64(0, true));
    return NO_BYTES;
  }

  end({ executionMs }: AnswerEnd): Uint8Array {
    const rows = this.#rowCount;
    const found = LEVELS.find(({ rowsMin }) => rows >= rowsMin);
    const answer = {
      success: true,
      estimated_rows: rows,
      warning_level: found?.level ?? "none",
      warning_message: found === undefined ? "" : `the query returns ${rows} rows: ${found.advice}`,
      execution_time_ms: Math.round(executionMs),
    };
    return bytesOf(JSON.stringify(answer));
  }
}
