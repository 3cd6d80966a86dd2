// Step 2 of a batch's life: the body as it came, to the bytes of the batch.
//
// Compression is told by the first bytes, as Arc does, and not by the header, which clients forget
// and proxies strip. No batch can be mistaken for it: a MessagePack map begins with 0x80 to 0x8f,
// 0xde or 0xdf, gzip with 1f 8b and zstd with 28 b5 2f fd.
//
// Refuses bodies that are too large, or grow too large, before the memory is spent; and bodies that
// are cut short, damaged, or followed by something else. Zero bytes behind gzip are padding, as
// gzip(1) has it. Next: lib/protocol/scan-batch.ts.

import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { zstdFrameLength } from "./zstd-frame.ts";

/** Less than a packet: compressing it saves nothing. */
const COMPRESSED_FROM_BYTES = 1_000;
const DECLARED_KNOWN = new Set(["", "identity", "gzip", "x-gzip", "zstd"]);

/**
 * Returns `body` itself when it is not compressed. `declaredEncoding` is the Content-Encoding, null
 * without one; it matters only where it promises something that we cannot read.
 * Refuses: `body_too_large`, `body_compression_invalid`.
 */
export function decompressBody(body: Uint8Array, declaredEncoding: string | null): Uint8Array {
  if (body.length > LIMITS.bodyBytesMax) {
    throw tooLarge(`the body has ${body.length} bytes`, LIMITS.bodyBytesMax);
  }
  if (isGzip(body)) return decompress(body, gunzipSync);
  if (isZstd(body)) {
    refuseSecondFrame(body);
    return decompress(body, zstdDecompressSync);
  }
  const declared = declaredEncoding?.trim().toLowerCase() ?? "";
  if (DECLARED_KNOWN.has(declared)) return body;
  const message = `content-encoding ${JSON.stringify(declared)} is not one of gzip and zstd`;
  throw new SluiceError("body_compression_invalid", message, { found: declared });
}

/**
 * A batch of our own making, as it is stored: gzip, where that pays and decompressBody will take it
 * back.
 */
export function compressBatch(bytes: Uint8Array): Uint8Array {
  if (bytes.length < COMPRESSED_FROM_BYTES) return bytes;
  const compressed = gzipSync(bytes, { level: 1 });
  return bytes.length <= decompressedBytesMax(compressed.length) ? compressed : bytes;
}

type Decompressor = (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

function decompress(body: Uint8Array, decompressor: Decompressor): Uint8Array {
  const maxOutputLength = decompressedBytesMax(body.length);
  try {
    return decompressor(body, { maxOutputLength });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw tooLarge(`the body's ${body.length} bytes decompress to more`, maxOutputLength);
    }
    const message = `the compressed body is damaged: ${(cause as Error).message}`;
    throw new SluiceError("body_compression_invalid", message, {}, { cause });
  }
}

function decompressedBytesMax(compressedBytes: number): number {
  const ratioBytesMax = Math.max(LIMITS.bodyRatioGraceBytes, compressedBytes * LIMITS.bodyRatioMax);
  return Math.min(LIMITS.bodyDecodedBytesMax, ratioBytesMax);
}

function refuseSecondFrame(body: Uint8Array): void {
  const trailing = body.length - zstdFrameLength(body);
  if (trailing <= 0) return;
  const message = `${trailing} bytes follow the zstd frame; a body is one frame`;
  throw new SluiceError("body_compression_invalid", message);
}

export function tooLarge(what: string, limit: number): SluiceError {
  return new SluiceError("body_too_large", `${what} than ${limit}`, { limit });
}

export function isGzip(body: Uint8Array): boolean {
  return body[0] === 0x1f && body[1] === 0x8b;
}

export function isZstd(body: Uint8Array): boolean {
  return body[0] === 0x28 && body[1] === 0xb5 && body[2] === 0x2f && body[3] === 0xfd;
}
