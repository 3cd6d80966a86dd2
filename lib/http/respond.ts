// Every answer that is not a query's rows: JSON values, and every error in one shape.

import { ERRORS, isSluiceError, SluiceError } from "#lib/base/errors.ts";

/** Carries an error's code, for those who count and do not read bodies. */
export const ERROR_HEADER = "x-sluice-error";

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/**
 * Arc's `{"error": text}` with `code`, `detail` and `request_id` added. `success: false` stands in
 * Arc's answers of authentication and queries; elsewhere it does no harm.
 */
export function errorResponse(
  error: SluiceError,
  requestId: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const { status, kind } = ERRORS[error.code];
  const body = {
    success: false,
    error: error.message,
    code: error.code,
    detail: error.detail,
    request_id: requestId,
    ...more,
  };
  const headers: Record<string, string> = {
    "x-request-id": requestId,
    [ERROR_HEADER]: error.code,
  };
  if (kind === "overloaded" || kind === "unavailable") {
    headers["retry-after"] = String(error.detail["retry_after_s"] ?? 1);
  }
  if (status === 401) headers["www-authenticate"] = "Bearer";
  return json(body, status, headers);
}

/** What nobody foresaw is our bug; the cause is kept for the log and not told outside. */
export function asSluiceError(error: unknown): SluiceError {
  if (isSluiceError(error)) return error;
  return new SluiceError("bug", "internal error", {}, { cause: error });
}
