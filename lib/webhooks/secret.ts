// Secrets of webhooks: `whsec_` and the base64 of 24 to 64 random bytes, as Standard Webhooks has
// them (https://www.standardwebhooks.com).

import { SluiceError } from "#lib/base/errors.ts";

const PREFIX = "whsec_";
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const BYTES_MIN = 24;
const BYTES_MAX = 64;

/** `random`: 32 unpredictable bytes. */
export function formatWebhookSecret(random: Uint8Array): string {
  return PREFIX + Buffer.from(random).toString("base64");
}

/** The key that is signed with. Throws `parameter_invalid`; the message does not tell the text. */
export function webhookKey(secret: string): Uint8Array {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : "";
  const key = Buffer.from(BASE64.test(encoded) ? encoded : "", "base64");
  if (key.byteLength >= BYTES_MIN && key.byteLength <= BYTES_MAX) return key;
  const message = `"secret" must be ${PREFIX} and the base64 of ${BYTES_MIN} to ${BYTES_MAX} bytes`;
  throw new SluiceError("parameter_invalid", message, { field: "secret" });
}
