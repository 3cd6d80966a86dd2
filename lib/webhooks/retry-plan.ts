// When a webhook that failed is sent again, and when no more.
//
// Twice as long each time up to an hour, less a random part, so that senders that failed together
// do not come back together. A receiver that says how long to wait is not asked sooner.

import { LIMITS } from "#lib/base/limits.ts";

export interface Failures {
  /** In a row. */
  readonly count: number;
  /** When the first of them was. */
  readonly sinceMs: number;
}

/** `random`: from 0 up to, not including, 1. */
export function retryDelayMs(
  failureCount: number,
  retryAfterMs: number | null,
  random: number,
): number {
  // The power is capped as well, or it becomes Infinity.
  const doubled = LIMITS.webhookRetryMs * 2 ** Math.min(failureCount - 1, 30);
  const delayMs = Math.min(doubled, LIMITS.webhookRetryMsMax);
  const shortened = Math.ceil(delayMs * (1 - random / 2));
  return Math.max(shortened, retryAfterMs ?? 0);
}

/** Nobody will ever take it: to go on would be to knock at a closed door for years. */
export function isGivenUp({ count, sinceMs }: Failures, nowMs: number): boolean {
  const isLong = nowMs - sinceMs >= LIMITS.webhookGiveUpAfterMs;
  return isLong && count >= LIMITS.webhookGiveUpFailuresMin;
}
