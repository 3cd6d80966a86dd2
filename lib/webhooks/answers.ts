// What a receiver's answer to a webhook means.

import { LIMITS } from "#lib/base/limits.ts";

export type WebhookOutcome =
  | { readonly kind: "delivered"; readonly status: number }
  /** The receiver wants no more of them: 410. */
  | { readonly kind: "gone"; readonly status: number }
  | {
      readonly kind: "failed";
      /** null: there was no answer. */
      readonly status: number | null;
      readonly reason: string;
      /** The receiver asked for so long a wait; null: it did not. */
      readonly retryAfterMs: number | null;
    };

/** `retryAfter`: the header of that name. */
export function judgeAnswer(
  status: number,
  retryAfter: string | null,
  nowMs: number,
): WebhookOutcome {
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  if (status === 410) return { kind: "gone", status };
  const isRedirect = status >= 300 && status < 400;
  const reason = isRedirect
    ? `the receiver answered ${status}; redirects are not followed`
    : `the receiver answered ${status}`;
  return { kind: "failed", status, reason, retryAfterMs: retryAfterMs(retryAfter, nowMs) };
}

/** Seconds, or a date; null for anything else. */
function retryAfterMs(text: string | null, nowMs: number): number | null {
  if (text === null || text.trim() === "") return null;
  const waitMs = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return null;
  return Math.min(Math.max(waitMs, 0), LIMITS.webhookRetryAfterMsMax);
}
