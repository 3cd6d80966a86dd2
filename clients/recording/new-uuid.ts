// UUIDs of version 4, on pages without TLS, too: there browsers have no crypto.randomUUID.

export function newUuid(): string {
  const { randomUUID } = crypto as { randomUUID?: () => string };
  return randomUUID === undefined ? uuidOf(randomBytes()) : crypto.randomUUID();
}

/** https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4 */
export function uuidOf(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function randomBytes(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(16));
}
