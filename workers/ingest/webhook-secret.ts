// The secret that a trigger's or an alert's webhooks are signed with: given, or made here.

import { SluiceError } from "#lib/base/errors.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { formatWebhookSecret, webhookKey } from "#lib/webhooks/secret.ts";

const SECRET_BYTES = 32;

export function newSecret(): string {
  return formatWebhookSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
}

/** null: none is given. Throws `parameter_invalid`. */
export function secretField(body: JsonObject): string | null {
  const secret = body["secret"] ?? null;
  if (secret === null) return null;
  if (typeof secret !== "string") {
    throw new SluiceError("parameter_invalid", '"secret" must be a text', { field: "secret" });
  }
  webhookKey(secret);
  return secret;
}
