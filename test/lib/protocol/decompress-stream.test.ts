// Files unpacked from chunks, as compression.test.ts has it for bodies that are held whole.

import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { decompressChunks } from "#lib/protocol/decompress-stream.ts";
import { chunksOf, joined } from "../../helpers/chunks.ts";

const TEXT = new Uint8Array(
  Buffer.from(Array.from({ length: 60_000 }, (_, i) => `line ${i * 7919}`).join("\n")),
);
const GZIP = gzipSync(TEXT);
const ZSTD = zstdCompressSync(TEXT);
const MANY = 500_000_000;

function unpacked(bytes: Uint8Array, size: number, bytesMax = MANY): Promise<Uint8Array> {
  return joined(decompressChunks(chunksOf(bytes, [size]), bytesMax));
}

describe("a file", () => {
  test.each([1_000, 65_536, 1e9])("in chunks of %i bytes comes whole", async (size) => {
    for (const sent of [TEXT, GZIP, ZSTD, TEXT.subarray(0, 3), new Uint8Array(0)]) {
      const expected = sent === GZIP || sent === ZSTD ? TEXT : sent;
      expect(Buffer.compare(await unpacked(sent, size), expected)).toBe(0);
    }
  });

  test("is told by its first bytes, also one by one", async () => {
    for (const sent of [gzipSync("short"), zstdCompressSync("short"), Buffer.from("short")]) {
      expect(Buffer.from(await unpacked(sent, 1)).toString()).toBe("short");
    }
  });

  test("of several gzip members is read whole", async () => {
    const twice = Buffer.concat([TEXT, TEXT]);
    const read = await unpacked(Buffer.concat([GZIP, GZIP]), 5_000);
    expect(Buffer.compare(read, twice)).toBe(0);
  });

  test.each<[string, Uint8Array]>([
    ["gzip that is cut short", GZIP.subarray(0, -5)],
    ["zstd that is cut short", ZSTD.subarray(0, -5)],
    ["gzip with a wrong checksum", GZIP.map((byte, at) => (at === GZIP.length - 6 ? ~byte : byte))],
    ["gzip with something behind it", Buffer.concat([GZIP, Buffer.from("some more junk")])],
    ["zstd with something behind it", Buffer.concat([ZSTD, Buffer.from("some more junk")])],
    ["two zstd frames", Buffer.concat([ZSTD, ZSTD])],
    [
      "zstd with a window that takes too much memory",
      zstdCompressSync(Buffer.alloc(20_000_000, TEXT), {
        params: { [constants.ZSTD_c_windowLog]: LIMITS.importZstdWindowLogMax + 1 },
      }),
    ],
  ])("of %s is refused, whatever the chunks", async (_, sent) => {
    for (const size of [1_000, 1e9]) {
      const code = "body_compression_invalid";
      await expect(unpacked(sent, size)).rejects.toMatchObject({ code });
    }
  });

  test("may have as many bytes as are allowed, and not one more", async () => {
    for (const sent of [TEXT, GZIP, ZSTD]) {
      expect(await unpacked(sent, 9_000, TEXT.length)).toHaveLength(TEXT.length);
      await expect(unpacked(sent, 9_000, TEXT.length - 1)).rejects.toMatchObject({
        code: "body_too_large",
        detail: { limit: TEXT.length - 1 },
      });
    }
  });

  test("grows as it likes up to what may be held, and beyond that by a factor", async () => {
    const most = new Uint8Array(LIMITS.rowFormBytesMax);
    expect(await unpacked(gzipSync(most), 9_000)).toHaveLength(most.length);
    const more = gzipSync(new Uint8Array(LIMITS.rowFormBytesMax + 1));
    await expect(unpacked(more, 9_000)).rejects.toMatchObject({ code: "body_too_large" });
  });

  test.each([TEXT, GZIP, ZSTD])("whose chunks fail fails with them", async (sent) => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield sent.subarray(0, 1_000);
      throw new SluiceError("body_too_large", "enough");
    }
    const reading = joined(decompressChunks(failing(), MANY));
    await expect(reading).rejects.toMatchObject({ code: "body_too_large", message: "enough" });
  });
});
