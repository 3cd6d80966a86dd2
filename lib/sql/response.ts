// A query's answer in the shape of Arc's: keys in Arc's order, then ours.

import { ERRORS, type SluiceError } from "#lib/base/errors.ts";
import type { ArrowBatch } from "./arrow-stream.ts";
import { cellText } from "./cell-text.ts";
import type { QueryCost } from "./types.ts";

export interface AnswerEnd {
  readonly rowCount: number;
  /** True: there were more rows than an answer may have. */
  readonly isTruncated: boolean;
  readonly executionMs: number;
  readonly nowMs: number;
  readonly cost: QueryCost | null;
}

export function answerStart(columns: readonly string[]): string {
  return `{"success":true,"columns":${JSON.stringify(columns)},"data":[`;
}

/** Rows joined by commas, at most `rowsMax` of them. */
export function rowsText({ rowCount, columns }: ArrowBatch, rowsMax: number): string {
  const cells = columns.map(cellText);
  const rows: string[] = [];
  for (let row = 0; row < Math.min(rowCount, rowsMax); row++) {
    let text = "[";
    for (let at = 0; at < cells.length; at++) {
      if (at > 0) text += ",";
      text += cells[at]!(row);
    }
    rows.push(`${text}]`);
  }
  return rows.join(",");
}

export function answerEnd({ rowCount, isTruncated, executionMs, nowMs, cost }: AnswerEnd): string {
  const fields: Record<string, unknown> = {
    row_count: rowCount,
    execution_time_ms: Math.round(executionMs),
    timestamp: rfc3339(nowMs),
    ...(isTruncated ? { truncated: true } : {}),
    ...(cost === null ? {} : { cost: costFields(cost) }),
  };
  return `],${JSON.stringify(fields).slice(1)}`;
}

/** The whole answer for rows that are at hand. */
export function smallAnswer(columns: readonly string[], rows: unknown[][], end: AnswerEnd): string {
  return answerStart(columns) + JSON.stringify(rows).slice(1, -1) + answerEnd(end);
}

/** Arc's error of a query, with `code`, `detail` and `request_id` added; and its HTTP status. */
export function errorAnswer(
  error: SluiceError,
  requestId: string,
  nowMs: number,
): { status: number; body: string } {
  const body = JSON.stringify({
    success: false,
    columns: null,
    data: null,
    row_count: 0,
    execution_time_ms: 0,
    timestamp: rfc3339(nowMs),
    error: error.message,
    code: error.code,
    detail: error.detail,
    request_id: requestId,
  });
  return { status: ERRORS[error.code].status, body };
}

function costFields(cost: QueryCost): Record<string, unknown> {
  return {
    files_considered: cost.filesConsidered,
    files_read: cost.filesRead,
    bytes_read: cost.bytesRead,
    tail_rows: cost.tailRows,
    snapshot_version: cost.snapshotVersion,
    ms: cost.stages,
  };
}

/** Seconds, as Go's RFC3339. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
