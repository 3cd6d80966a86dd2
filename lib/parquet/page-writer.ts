// Takes page bodies and appends them to the file compressed, each behind its header, which holds a
// checksum: a bit that flips inside compressed text may well decompress to other text.
//
// All pages are zstd, level 1: level 3 takes a sixth more time to save nothing worth it on our
// data, level 6 three times as long to save a twentieth.

import { constants, crc32, zstdCompressSync } from "node:zlib";

import { ByteWriter } from "./byte-writer.ts";
import type { FileOutput, FileRange } from "./file-output.ts";
import { thriftBytes, type ThriftFields } from "./thrift-compact.ts";

const ZSTD_LEVEL_1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export class PageWriter {
  /** The body of the page in progress. */
  readonly body = new ByteWriter(64 * 1024);
  /** All pages so far as they would be without compression, headers too. */
  plainByteLength = 0;
  readonly #output: FileOutput;

  constructor(output: FileOutput) {
    this.#output = output;
  }

  /** Of the next page in the file. */
  get offset(): number {
    return this.#output.offset;
  }

  /** `pageType` is one of PAGE_TYPE; `writeHeader` adds the fields of that type to the header. */
  endPage(pageType: number, writeHeader: (header: ThriftFields) => void): FileRange {
    const compressed = zstdCompressSync(this.body.written(), ZSTD_LEVEL_1);
    const header = thriftBytes((fields) => {
      fields.i32(1, pageType);
      fields.i32(2, this.body.length);
      fields.i32(3, compressed.length);
      fields.i32(4, crc32(compressed) | 0);
      writeHeader(fields);
    });
    this.plainByteLength += header.length + this.body.length;
    this.body.clear();

    const { offset } = this.#output.append(header);
    this.#output.append(compressed);
    return { offset, byteLength: this.#output.offset - offset };
  }
}
