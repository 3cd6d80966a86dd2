// The pages of one column chunk, decompressed one after another.
//
// A page counts only if its header is of our making, its checksum is that of its bytes, and it
// decompresses to just the size that the header says. Files of encoder 1.0 have no checksums.

import { crc32, zstdDecompressSync } from "node:zlib";
import { releaseBytes } from "#lib/base/release-bytes.ts";

import { ByteReader } from "./byte-reader.ts";
import { fileCorrupt } from "./file-corrupt.ts";
import { ENCODING, PAGE_TYPE } from "./format.ts";
import { readThrift, type ThriftStruct } from "./read-thrift.ts";

export interface PageContent {
  readonly isDictionary: boolean;
  /** Rows, NULLs too; of a dictionary: texts. */
  readonly valueCount: number;
  readonly encoding: number;
  readonly body: ByteReader;
}

const FIELDS = { checksum: 4, data: 5, dictionary: 7 } as const;
/** One more than the content, so that the output fits the first buffer that zlib sets up. */
const OUTPUT_CHUNK_BYTES_MAX = 4 << 20;

/** Hands every page to `take`, which reads its body to the end and keeps nothing of it. */
export function readPages(chunk: Uint8Array, take: (page: PageContent) => void): void {
  const reader = new ByteReader(chunk);
  while (!reader.isAtEnd) {
    const header = readThrift(reader);
    const body = decompress(header, reader.take(header.size(3)));
    const page = { ...readHeader(header), body: new ByteReader(body) };
    take(page);
    if (!page.body.isAtEnd) throw fileCorrupt("a page holds more than its values");
    releaseBytes(body);
  }
}

function decompress(header: ThriftStruct, compressed: Uint8Array): Uint8Array {
  if (header.has(FIELDS.checksum) && header.integer(FIELDS.checksum) !== (crc32(compressed) | 0)) {
    throw fileCorrupt("a page is not what its checksum says");
  }
  const byteLength = header.size(2);
  let body: Uint8Array;
  try {
    body = zstdDecompressSync(compressed, {
      maxOutputLength: byteLength + 1,
      chunkSize: Math.min(OUTPUT_CHUNK_BYTES_MAX, Math.max(64, byteLength + 1)),
    });
  } catch {
    throw fileCorrupt("a page does not decompress");
  }
  if (body.length !== byteLength) throw fileCorrupt("a page has not the size that it says");
  return body;
}

function readHeader(header: ThriftStruct): Omit<PageContent, "body"> {
  const isDictionary = header.integer(1) === PAGE_TYPE.dictionary;
  const kind = isDictionary ? FIELDS.dictionary : FIELDS.data;
  header.assertOnly(1, 2, 3, FIELDS.checksum, kind);
  const fields = header.struct(kind);
  const valueCount = fields.size(1);
  const encoding = fields.integer(2);
  if (isDictionary) {
    fields.assertOnly(1, 2);
    if (encoding !== ENCODING.plain) throw fileCorrupt("a dictionary is in a foreign encoding");
  } else {
    fields.assertOnly(1, 2, 3, 4);
    const isOurs = header.integer(1) === PAGE_TYPE.data && fields.integer(3) === ENCODING.rle;
    if (!isOurs || fields.integer(4) !== ENCODING.rle) throw fileCorrupt("a page is not ours");
  }
  return { isDictionary, valueCount, encoding };
}
