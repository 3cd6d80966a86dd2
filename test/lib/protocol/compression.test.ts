import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { releaseBytes } from "#lib/base/release-bytes.ts";
import { compressBatch, decompressBody } from "#lib/protocol/compression.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const TEXT = Buffer.from("a batch, a batch, a batch".repeat(10_000));
const GZIP = gzipSync(TEXT);
const ZSTD = zstdCompressSync(TEXT);

function codeOf(body: Uint8Array, declared: string | null = null): ErrorCode {
  return refusalOf(() => decompressBody(body, declared)).code;
}

describe("a batch of our own", () => {
  test.each<[string, Uint8Array, boolean]>([
    ["that is small stays as it is", TEXT.subarray(0, 999), false],
    ["that is large is compressed", TEXT, true],
    ["that would look like a bomb stays as it is", new Uint8Array(5_000_000), false],
  ])("%s, and is read back", (_, batch, isCompressed) => {
    const stored = compressBatch(batch);
    expect(stored !== batch).toBe(isCompressed);
    expect(Buffer.compare(decompressBody(stored, null), batch)).toBe(0);
  });
});

describe("a body", () => {
  test.each([null, "", "gzip", "zstd", "identity", "br"])(
    "is told by its first bytes, whatever the header says (%j)",
    (declared) => {
      expect(TEXT.equals(decompressBody(GZIP, declared))).toBe(true);
      expect(TEXT.equals(decompressBody(ZSTD, declared))).toBe(true);
    },
  );

  test.each([null, "gzip", "x-gzip", "ZSTD", "identity"])(
    "that is not compressed is returned as it is, whatever the header says (%j)",
    (declared) => {
      expect(decompressBody(TEXT, declared)).toBe(TEXT);
      expect(decompressBody(new Uint8Array(), declared)).toHaveLength(0);
    },
  );

  test("that is declared to be something we cannot read is refused", () => {
    expect(codeOf(TEXT, "br")).toBe("body_compression_invalid");
    expect(codeOf(TEXT, "gzip, br")).toBe("body_compression_invalid");
  });

  test("of several gzip members is read whole", () => {
    const twice = Buffer.concat([TEXT, TEXT]);
    expect(twice.equals(decompressBody(Buffer.concat([GZIP, GZIP]), null))).toBe(true);
  });

  test("of several zstd frames is refused, not read in part", () => {
    expect(codeOf(Buffer.concat([ZSTD, ZSTD]))).toBe("body_compression_invalid");
  });

  test.each([
    ["gzip", GZIP],
    ["zstd", ZSTD],
  ])("of %s that is cut short anywhere is refused", (_, body) => {
    for (let length = 4; length < body.length; length++) {
      expect(codeOf(body.subarray(0, length))).toBe("body_compression_invalid");
    }
  });

  test.each([
    ["gzip", GZIP],
    ["zstd", ZSTD],
  ])("of %s with something behind it is refused", (_, body) => {
    expect(codeOf(Buffer.concat([body, Buffer.from("junk")]))).toBe("body_compression_invalid");
  });

  test("with a wrong checksum is refused", () => {
    const damaged = Buffer.from(GZIP);
    damaged[damaged.length - 6]! ^= 1;
    expect(codeOf(damaged)).toBe("body_compression_invalid");
  });

  test("of zstd that repeats one byte ends where its frame ends", () => {
    const longer = Buffer.concat([zstdCompressSync(Buffer.alloc(500_000)), Buffer.of(0)]);
    expect(codeOf(longer)).toBe("body_compression_invalid");
  });

  test.each([[0], [1], [1000], [200_000], [1_000_000]])(
    "of zstd ends where its frame ends, with %i bytes of noise in it",
    (byteLength) => {
      const noise = randomBytes(byteLength);
      expect(noise.equals(decompressBody(zstdCompressSync(noise), null))).toBe(true);
      const longer = Buffer.concat([zstdCompressSync(noise), Buffer.of(0)]);
      expect(codeOf(longer)).toBe("body_compression_invalid");
    },
  );
});

describe("limits, inside and outside", () => {
  test("bytes of the body", () => {
    expect(decompressBody(new Uint8Array(LIMITS.bodyBytesMax), null)).toHaveLength(
      LIMITS.bodyBytesMax,
    );
    expect(codeOf(new Uint8Array(LIMITS.bodyBytesMax + 1))).toBe("body_too_large");
  });

  test.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("growth of a small body of %s", (_, compress) => {
    const zeros = Buffer.alloc(LIMITS.bodyRatioGraceBytes + 1);
    expect(decompressBody(compress(zeros.subarray(1)), null)).toHaveLength(
      LIMITS.bodyRatioGraceBytes,
    );
    expect(codeOf(compress(zeros))).toBe("body_too_large");
  });

  test("growth of a large body by the factor", () => {
    const noise = randomBytes(10_000);
    const inside = Buffer.concat([noise, Buffer.alloc(1_900_000)]);
    const outside = Buffer.concat([noise, Buffer.alloc(3_000_000)]);
    expect(decompressBody(gzipSync(inside), null)).toHaveLength(inside.length);
    expect(codeOf(gzipSync(outside))).toBe("body_too_large");
  });

  test("bytes after decompression", () => {
    const noise = randomBytes(1_000_000);
    const outside = Buffer.alloc(LIMITS.bodyDecodedBytesMax + 1);
    noise.copy(outside);
    const inside = decompressBody(gzipSync(outside.subarray(0, -1), { level: 1 }), null);
    expect(inside).toHaveLength(LIMITS.bodyDecodedBytesMax);
    releaseBytes(inside);
    expect(codeOf(gzipSync(outside, { level: 1 }))).toBe("body_too_large");
  });
});

test("released bytes are gone at once; small ones, which may be shared, are left alone", () => {
  const large = decompressBody(GZIP, null);
  releaseBytes(large);
  expect(large).toHaveLength(0);
  const small = decompressBody(gzipSync("small"), null);
  releaseBytes(small);
  expect(Buffer.from(small).toString()).toBe("small");
});
