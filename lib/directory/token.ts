// The text of a token: `sluice_<id>_<secret>`. The id finds the record, the secret proves it.
//
// The secret has 256 random bits, so one SHA-256 is enough: there is nothing to guess slowly.
// Only its digest is stored.

import { createHash, timingSafeEqual } from "node:crypto";

const PATTERN = /^sluice_(\d{1,15})_([A-Za-z0-9_-]{43})$/;

/** `random` gives 32 unpredictable bytes. */
export function makeSecret(random: Uint8Array): { secret: string; digest: string } {
  const secret = Buffer.from(random).toString("base64url");
  return { secret, digest: digestOf(secret) };
}

export function formatToken(tokenId: number, secret: string): string {
  return `sluice_${tokenId}_${secret}`;
}

export function parseToken(text: string): { tokenId: number; secret: string } | null {
  const match = PATTERN.exec(text);
  return match === null ? null : { tokenId: Number(match[1]), secret: match[2]! };
}

export function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes the same time wherever the two differ; both are hex digests of equal length. */
export function isSameDigest(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
