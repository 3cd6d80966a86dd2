// Bodies of requests, made smaller for the way.
//
// gzip, but not where it packs more than a hundred times: a server refuses what grows like a bomb,
// and thousands of equal log lines do. Those travel as they are.

const GZIP_MAGIC = 0x1f;
/** Below it nothing is taken for a bomb. */
const HARMLESS_BYTES = 1_000_000;
const RATIO_MAX = 100;

export async function compress(plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const isSuspicious = plain.length > HARMLESS_BYTES && plain.length > packed.length * RATIO_MAX;
  return isSuspicious ? plain : packed;
}

/** Of what `compress` gave. Neither MessagePack's maps nor text begin with gzip's first byte. */
export function encodingHeaders(body: Uint8Array): Readonly<Record<string, string>> {
  return body[0] === GZIP_MAGIC ? { "content-encoding": "gzip" } : {};
}
