// A query's refusal in the shape of Arc's, with `code`, `detail` and `request_id` added.

import { ERRORS, type SluiceError } from "#lib/base/errors.ts";
import { rfc3339 } from "./results/writer.ts";

/** With its HTTP status. */
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
