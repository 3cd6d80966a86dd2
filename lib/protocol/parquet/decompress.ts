// A page's bytes, uncompressed, to exactly the size that its header says.
//
// LZ4 has two framings under one name and is not read; snappy is hyparquet's, the rest Node's.

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { snappyUncompress } from "hyparquet";
import { SluiceError } from "#lib/base/errors.ts";
import { damaged, guarded } from "./parquet-file.ts";

type Decompress = (bytes: Uint8Array, byteLength: number) => Uint8Array;

const CODECS: Readonly<Record<string, Decompress>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY(bytes, byteLength) {
    const page = new Uint8Array(byteLength);
    snappyUncompress(bytes, page);
    return page;
  },
  GZIP: (bytes, byteLength) => gunzipSync(bytes, bounded(byteLength)),
  BROTLI: (bytes, byteLength) => brotliDecompressSync(bytes, bounded(byteLength)),
  ZSTD: (bytes, byteLength) => zstdDecompressSync(bytes, bounded(byteLength)),
};

/** workerd counts the memory that it would take next, and asks for some when all is there. */
const ROOM_BYTES = 1 << 16;

function bounded(byteLength: number): { maxOutputLength: number } {
  return { maxOutputLength: byteLength + ROOM_BYTES };
}

/** Refuses (`parquet_invalid`) codecs that are not read. */
export function checkCodec(codec: string): void {
  if (Object.hasOwn(CODECS, codec)) return;
  const known = Object.keys(CODECS).join(", ");
  const message = `compression ${codec} is not read; write the file with one of ${known}`;
  throw new SluiceError("parquet_invalid", message, { found: codec });
}

export function decompressPage(bytes: Uint8Array, byteLength: number, codec: string): Uint8Array {
  if (byteLength === 0) return new Uint8Array(0);
  const page = guarded("a page", () => CODECS[codec]!(bytes, byteLength));
  if (page.length === byteLength) return page;
  throw damaged(`a page has ${page.length} bytes and not ${byteLength}`);
}
