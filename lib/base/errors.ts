// Every way the system says no, in one table.
//
// A caller acts on the `kind`, a program on the `code`, a person on the message. Identity is the
// code, never a class and never a message text: an error that crossed Durable Object RPC has lost
// its class but kept its fields.

export type ErrorKind =
  | "invalid" // The request is wrong. Change it; sending it again will fail again.
  | "denied" // The token is missing, unknown, or may not do this.
  | "missing" // What the request names does not exist.
  | "overloaded" // We are full. Wait for Retry-After, then send the same request again.
  | "unavailable" // Something we need does not answer. Send again with back-off.
  | "corrupt" // Stored bytes are not what we wrote. Nothing the caller can do.
  | "internal"; // Our bug.

export const ERRORS = {
  // the request as HTTP
  route_unknown: { kind: "missing", status: 404 },
  method_not_allowed: { kind: "invalid", status: 405 },
  body_empty: { kind: "invalid", status: 400 },
  body_too_large: { kind: "invalid", status: 413 },
  body_compression_invalid: { kind: "invalid", status: 400 },
  json_invalid: { kind: "invalid", status: 400 },
  parameter_invalid: { kind: "invalid", status: 400 },
  idempotency_key_invalid: { kind: "invalid", status: 400 },
  idempotency_key_reused: { kind: "invalid", status: 409 },
  // who asks
  token_missing: { kind: "denied", status: 401 },
  token_unknown: { kind: "denied", status: 401 },
  permission_denied: { kind: "denied", status: 403 },
  // the batch
  msgpack_invalid: { kind: "invalid", status: 400 },
  batch_shape_invalid: { kind: "invalid", status: 400 },
  batch_too_large: { kind: "invalid", status: 413 },
  column_length_mismatch: { kind: "invalid", status: 400 },
  column_name_invalid: { kind: "invalid", status: 400 },
  column_type_unsupported: { kind: "invalid", status: 422 },
  column_type_conflict: { kind: "invalid", status: 422 },
  value_out_of_range: { kind: "invalid", status: 422 },
  cell_too_large: { kind: "invalid", status: 413 },
  text_invalid: { kind: "invalid", status: 400 },
  time_invalid: { kind: "invalid", status: 400 },
  name_invalid: { kind: "invalid", status: 400 },
  line_invalid: { kind: "invalid", status: 400 },
  csv_invalid: { kind: "invalid", status: 422 },
  parquet_invalid: { kind: "invalid", status: 422 },
  rejections_too_many: { kind: "invalid", status: 422 },
  event_invalid: { kind: "invalid", status: 422 },
  schema_too_wide: { kind: "invalid", status: 422 },
  // the query
  sql_invalid: { kind: "invalid", status: 400 },
  sql_not_allowed: { kind: "invalid", status: 400 },
  query_failed: { kind: "invalid", status: 422 },
  query_unsupported: { kind: "invalid", status: 422 },
  query_too_large: { kind: "invalid", status: 422 },
  query_out_of_memory: { kind: "invalid", status: 422 },
  query_timeout: { kind: "invalid", status: 504 },
  query_cancelled: { kind: "invalid", status: 409 },
  // what is named
  database_unknown: { kind: "missing", status: 404 },
  database_exists: { kind: "invalid", status: 409 },
  database_dropping: { kind: "unavailable", status: 503 },
  measurement_unknown: { kind: "missing", status: 404 },
  measurement_exists: { kind: "invalid", status: 409 },
  measurement_changing: { kind: "unavailable", status: 503 },
  measurement_is_derived: { kind: "invalid", status: 409 },
  confirmation_required: { kind: "invalid", status: 400 },
  token_exists: { kind: "invalid", status: 409 },
  token_id_unknown: { kind: "missing", status: 404 },
  incident_unknown: { kind: "missing", status: 404 },
  query_unknown: { kind: "missing", status: 404 },
  job_unknown: { kind: "missing", status: 404 },
  rollup_unknown: { kind: "missing", status: 404 },
  rollup_exists: { kind: "invalid", status: 409 },
  rollup_inactive: { kind: "invalid", status: 400 },
  rollup_result_invalid: { kind: "invalid", status: 422 },
  trigger_unknown: { kind: "missing", status: 404 },
  trigger_exists: { kind: "invalid", status: 409 },
  alert_unknown: { kind: "missing", status: 404 },
  alert_exists: { kind: "invalid", status: 409 },
  alert_inactive: { kind: "invalid", status: 400 },
  alert_result_invalid: { kind: "invalid", status: 422 },
  policy_unknown: { kind: "missing", status: 404 },
  policy_exists: { kind: "invalid", status: 409 },
  policy_inactive: { kind: "invalid", status: 400 },
  delete_unconfirmed: { kind: "invalid", status: 400 },
  compaction_running: { kind: "invalid", status: 409 },
  job_lost: { kind: "unavailable", status: 503 },
  job_cancelled: { kind: "invalid", status: 409 },
  segment_unknown: { kind: "missing", status: 404 },
  // the system
  buffer_full: { kind: "overloaded", status: 429 },
  stream_full: { kind: "overloaded", status: 429 },
  flush_timeout: { kind: "unavailable", status: 503 },
  store_unavailable: { kind: "unavailable", status: 503 },
  buffer_unavailable: { kind: "unavailable", status: 503 },
  schema_stale: { kind: "unavailable", status: 503 },
  object_tombstoned: { kind: "unavailable", status: 503 },
  files_changed: { kind: "unavailable", status: 503 },
  snapshot_expired: { kind: "unavailable", status: 503 },
  object_missing: { kind: "corrupt", status: 500 },
  file_checksum_mismatch: { kind: "corrupt", status: 500 },
  file_corrupt: { kind: "corrupt", status: 500 },
  segment_quarantined: { kind: "corrupt", status: 500 },
  segment_corrupt: { kind: "corrupt", status: 500 },
  bug: { kind: "internal", status: 500 },
} as const satisfies Record<string, { kind: ErrorKind; status: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** Where and what: keys are part of the API (`column`, `row`, `expected`, `found`, `limit` …). */
export type ErrorDetail = Record<string, string | number | boolean | null>;

export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "SluiceError";
    this.code = code;
    this.detail = detail;
  }
}

/** True for our errors, also for those that lost their class on the way through RPC. */
export function isSluiceError(error: unknown): error is SluiceError {
  return error instanceof Error && "code" in error && (error as { code: string }).code in ERRORS;
}

export function errorKind(code: ErrorCode): ErrorKind {
  return ERRORS[code].kind;
}

/**
 * An expected no, returned over RPC instead of thrown; platform/rpc.ts turns it back into a throw.
 */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

export function refusal(error: SluiceError): Refusal {
  return { refused: error.code, message: error.message, detail: error.detail };
}

/** For calls over RPC that have nothing to answer but a refusal; what is not ours goes through. */
export function asRefusal(work: () => unknown): Refusal | null {
  try {
    work();
    return null;
  } catch (error) {
    if (isSluiceError(error)) return refusal(error);
    throw error;
  }
}

/** The same for calls that have an answer. */
export function orRefusal<T>(work: () => T): T | Refusal {
  try {
    return work();
  } catch (error) {
    if (isSluiceError(error)) return refusal(error);
    throw error;
  }
}

/** The same for what takes a while. */
export async function orRefusalLater<T>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (isSluiceError(error)) return refusal(error);
    throw error;
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value;
}
