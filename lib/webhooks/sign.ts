// The signature of a webhook, by the Standard Webhooks scheme: HMAC-SHA256 over id, time and body,
// so that a receiver knows who sent it, that nothing was changed, and when. How receivers check it:
// clients/client/verify-webhook.ts. Format: docs/protocol.md.

import { createHmac } from "node:crypto";
import { webhookKey } from "./secret.ts";

export interface Webhook {
  /** The same at every attempt, so that a receiver can tell a repeat. */
  readonly webhookId: string;
  /** JSON text. */
  readonly body: string;
}

/** Headers of one attempt at `nowMs`. Throws `parameter_invalid` for a secret that is none. */
export function signedHeaders(
  { webhookId, body }: Webhook,
  secret: string,
  nowMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signed = `${webhookId}.${timestamp}.${body}`;
  const signature = createHmac("sha256", webhookKey(secret)).update(signed).digest("base64");
  return {
    "content-type": "application/json",
    "user-agent": "Sluice-Webhooks/1",
    "webhook-id": webhookId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
