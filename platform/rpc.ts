// Calls to Durable Objects: refusals become errors again, the platform's own errors become ours.

import { isRefusal, isSluiceError, SluiceError, type Refusal } from "#lib/base/errors.ts";

/** The answer of `call`, or a SluiceError: the callee's refusal, or `buffer_unavailable`. */
export async function unwrap<Call extends Promise<unknown>>(
  call: Call,
): Promise<Exclude<Awaited<Call>, Refusal>> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    throw isSluiceError(error) ? error : unavailable(error);
  }
  if (isRefusal(answer)) throw new SluiceError(answer.refused, answer.message, answer.detail);
  return answer as Exclude<Awaited<Call>, Refusal>;
}

/**
 * Whether the call did its work is unknown here: an object that was reset may have committed
 * before. So the caller is told to send the same request again, which an idempotency key makes
 * safe.
 */
function unavailable(error: unknown): SluiceError {
  const message =
    "storage did not answer; send the same request again with the same Idempotency-Key";
  return new SluiceError("buffer_unavailable", message, { retry_after_s: 1 }, { cause: error });
}
