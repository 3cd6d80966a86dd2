// For receivers: is this request from the server that has the secret, unchanged, and of now?
//
// By the Standard Webhooks scheme: HMAC-SHA256 over id, time and body. WebCrypto only, so that it
// works in Node, Workers and browsers alike. Format: docs/protocol.md, "Triggers".

export interface VerifiedWebhook {
  /** The same at every attempt: whoever remembers it handles each request once. */
  readonly id: string;
  readonly body: unknown;
}

/** Older or younger requests may be copies of somebody who listened. */
const TOLERANCE_S = 300;

/**
 * `body`: the request's, byte for byte or as text, not parsed. `secret`: `whsec_…`. `nowMs`: the
 * receiver's clock. Throws an Error that says what is wrong; then the request is to be refused.
 */
export async function verifyWebhook(
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>,
  body: string | Uint8Array<ArrayBuffer>,
  secret: string,
  nowMs: number = Date.now(),
): Promise<VerifiedWebhook> {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const ageS = nowMs / 1_000 - (/^\d{1,12}$/.test(timestamp) ? Number(timestamp) : NaN);
  if (!(Math.abs(ageS) <= TOLERANCE_S)) throw new Error("webhook-timestamp is not of now");
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  const key = await keyOf(secret);
  // While a secret is replaced there may be several signatures.
  for (const signature of headerOf(headers, "webhook-signature").split(" ")) {
    const bytes = signature.startsWith("v1,") ? fromBase64(signature.slice(3)) : null;
    if (bytes !== null && (await crypto.subtle.verify("HMAC", key, bytes, signed))) {
      return { id, body: JSON.parse(text) };
    }
  }
  throw new Error("no webhook-signature is right");
}

function headerOf(
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`${name} is missing`);
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = secret.startsWith("whsec_") ? fromBase64(secret.slice("whsec_".length)) : null;
  if (bytes === null) throw new Error("the secret is not whsec_ and base64");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [
    "verify",
  ]);
}

/** null: it is none. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
