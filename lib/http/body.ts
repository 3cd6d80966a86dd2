// Step 2 of a batch's life: the body is read, never more of it than the limit.
//
// Content-Length is believed only to refuse early; what counts is what arrives.
// Next: lib/protocol/scan-batch.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { joinBytes } from "#lib/base/join-bytes.ts";

/** Throws `body_too_large`, or `body_empty` for zero bytes. */
export async function readBody(
  request: Request,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > bytesMax) throw tooLarge(declared, bytesMax);
  if (request.body === null) throw empty();
  // The usual case in one call: the runtime cuts a body at its declared length.
  const bytes =
    declared > 0
      ? new Uint8Array(await request.arrayBuffer())
      : await readCounted(request.body, bytesMax);
  if (bytes.byteLength === 0) throw empty();
  return bytes;
}

/** The body as it comes. Refuses as `readBody` does, but zero bytes are no chunk. */
export async function* bodyChunks(
  { headers, body }: Request,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  const declared = Number(headers.get("content-length") ?? 0);
  if (declared > bytesMax) throw tooLarge(declared, bytesMax);
  if (body !== null) yield* counted(body, bytesMax);
}

async function* counted(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let byteLength = 0;
  for await (const chunk of body) {
    byteLength += chunk.byteLength;
    if (byteLength > bytesMax) throw tooLarge(byteLength, bytesMax);
    yield chunk;
  }
}

async function readCounted(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of counted(body, bytesMax)) chunks.push(chunk);
  return joinBytes(chunks);
}

function tooLarge(byteLength: number, limit: number): SluiceError {
  const message = `Payload too large (${byteLength} bytes, max ${limit}). Send smaller batches.`;
  return new SluiceError("body_too_large", message, { limit });
}

function empty(): SluiceError {
  return new SluiceError("body_empty", "Empty payload");
}
