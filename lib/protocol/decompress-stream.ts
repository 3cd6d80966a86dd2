// A file that comes in chunks, unpacked piece by piece: compression.ts for what is not held whole.
//
// Refuses the same, later: what it has given out by then is not to be trusted further than the next
// error. A file that may be held in memory anyway may grow as it likes; beyond that by the factor
// that bodies have, reckoned with what has come so far.

import { constants, createGunzip, createZstdDecompress, type Gunzip } from "node:zlib";
import type { ZstdDecompress } from "node:zlib";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { joinBytes } from "#lib/base/join-bytes.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { isGzip, isZstd, tooLarge } from "./compression.ts";

const MAGIC_BYTES = 4;
const OUTPUT_BYTES = 1 << 18;

/** Refuses `body_too_large` beyond `bytesMax`, and `body_compression_invalid`. */
export async function* decompressChunks(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  const input = new CountedChunks(chunks);
  const start = await input.start();
  const isPacked = isGzip(start) || isZstd(start);
  const output = isPacked ? unpack(input, isZstd(start)) : input.all();
  let byteLength = 0;
  for await (const chunk of output) {
    byteLength += chunk.length;
    if (byteLength > bytesMax) throw tooLarge("the file has more bytes", bytesMax);
    const limit = Math.max(LIMITS.rowFormBytesMax, input.byteLength * LIMITS.bodyRatioMax);
    if (byteLength > limit) {
      throw tooLarge(`the file's first ${input.byteLength} bytes decompress to more`, limit);
    }
    yield chunk;
  }
}

async function* unpack(input: CountedChunks, isZstdFrame: boolean): AsyncGenerator<Uint8Array> {
  const params = { [constants.ZSTD_d_windowLogMax]: LIMITS.importZstdWindowLogMax };
  const unpacked = isZstdFrame
    ? createZstdDecompress({ chunkSize: OUTPUT_BYTES, params })
    : createGunzip({ chunkSize: OUTPUT_BYTES });
  // The loop throws it too, but is over when what follows a zstd frame is met: told below.
  unpacked.on("error", () => {});
  feed(unpacked, input).catch((error: unknown) => unpacked.destroy(error as Error));
  try {
    for await (const chunk of unpacked) yield chunk as Uint8Array;
  } catch (cause) {
    if (isSluiceError(cause)) throw cause;
    const message = `the compressed file is damaged: ${(cause as Error).message}`;
    throw new SluiceError("body_compression_invalid", message, {}, { cause });
  }
  // Zlib reads member after member; zstd is done after the first frame, whatever follows.
  if (!isZstdFrame) return;
  for await (const _ of input.all()) continue;
  const trailing = input.byteLength - unpacked.bytesWritten;
  if (trailing === 0) return;
  const message = `${trailing} bytes follow the zstd frame; a file is one frame`;
  throw new SluiceError("body_compression_invalid", message);
}

/** One chunk at a time: each is taken once its output is. Stops for good behind a zstd frame. */
async function feed(unpacked: Gunzip | ZstdDecompress, input: CountedChunks): Promise<void> {
  for await (const chunk of input.all()) {
    await new Promise<void>((resolve, reject) => {
      unpacked.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }
  unpacked.end();
}

class CountedChunks {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #start = new Uint8Array(0);
  /** What came so far. */
  byteLength = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The first bytes, as many as tell how the rest is compressed. They come again with the rest. */
  async start(): Promise<Uint8Array> {
    while (this.#start.length < MAGIC_BYTES) {
      const chunk = await this.#next();
      if (chunk === null) break;
      this.#start = joinBytes([this.#start, chunk]);
    }
    return this.#start;
  }

  async *all(): AsyncGenerator<Uint8Array> {
    const start = this.#start;
    this.#start = new Uint8Array(0);
    if (start.length > 0) yield start;
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) yield chunk;
  }

  async #next(): Promise<Uint8Array | null> {
    const { done, value } = await this.#chunks.next();
    if (done) return null;
    this.byteLength += value.length;
    return value;
  }
}
