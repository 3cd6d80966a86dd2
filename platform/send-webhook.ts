// One attempt to deliver a webhook: the only request that Sluice makes to somebody else's server.

import { LIMITS } from "#lib/base/limits.ts";
import { judgeAnswer, type WebhookOutcome } from "#lib/webhooks/answers.ts";
import { signedHeaders, type Webhook } from "#lib/webhooks/sign.ts";
import * as metrics from "#lib/telemetry/metrics/events.ts";
import { meter } from "./telemetry.ts";

const OUTCOMES = { delivered: "ok", failed: "retry", gone: "gone" } as const;

/** Never throws: whatever goes wrong on the way is a failed attempt. */
export async function sendWebhook(
  url: string,
  webhook: Webhook,
  secret: string,
): Promise<WebhookOutcome> {
  const startMs = Date.now();
  const outcome = await send(url, webhook, secret);
  meter.add(metrics.deliveries, 1, OUTCOMES[outcome.kind]);
  meter.observe(metrics.deliverySeconds, (Date.now() - startMs) / 1_000);
  return outcome;
}

async function send(url: string, webhook: Webhook, secret: string): Promise<WebhookOutcome> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: signedHeaders(webhook, secret, Date.now()),
      body: webhook.body,
      // A redirect could lead signed events anywhere: whoever made the trigger named one URL.
      redirect: "manual",
      signal: AbortSignal.timeout(LIMITS.webhookTimeoutMs),
    });
    const { status, headers } = response;
    // What is in the answer does not matter; a connection that waits for it to be read does.
    await response.body?.cancel();
    return judgeAnswer(status, headers.get("retry-after"), Date.now());
  } catch (error) {
    return { kind: "failed", status: null, reason: reasonOf(error), retryAfterMs: null };
  }
}

function reasonOf(error: unknown): string {
  const isLate = error instanceof Error && error.name === "TimeoutError";
  if (isLate) return `no answer within ${LIMITS.webhookTimeoutMs / 1_000} s`;
  return `no answer: ${error instanceof Error ? error.message : String(error)}`;
}
