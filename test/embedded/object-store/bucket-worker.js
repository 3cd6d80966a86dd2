// Runs inside workerd and uses a real R2Bucket binding. Each function is one scenario; what it must
// return stands in binding.test.ts.

const text = (value) => new TextEncoder().encode(value);
const ABSENT = new Headers({ "if-none-match": "*" });

async function errorOf(work) {
  try {
    await work();
    return null;
  } catch (error) {
    return error.message.match(/\((\d+)\)$/)?.[1] ?? error.message;
  }
}

async function digest(algorithm, value) {
  const bytes = new Uint8Array(await crypto.subtle.digest(algorithm, text(value)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function patterned(byteLength) {
  const bytes = new Uint8Array(byteLength);
  for (let i = 0; i < byteLength; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

const SCENARIOS = {
  async roundTrip({ bucket }) {
    const uploadedAfter = Date.now();
    const put = await bucket.put("a/b.txt", "hello", {
      httpMetadata: { contentType: "text/plain", cacheExpiry: new Date(5_000_000_000_000) },
      customMetadata: { colour: "grün", size: "1" },
      sha256: await digest("SHA-256", "hello"),
    });
    const got = await bucket.get("a/b.txt");
    const head = await bucket.head("a/b.txt");
    return {
      text: await got.text(),
      size: head.size,
      etagIsMd5: head.etag === (await digest("MD5", "hello")),
      sameEtag: new Set([put.etag, got.etag, head.etag]).size === 1,
      sameVersion: new Set([put.version, got.version, head.version]).size === 1,
      checksums: Object.keys(JSON.parse(JSON.stringify(head.checksums))).sort(),
      contentType: head.httpMetadata.contentType,
      cacheExpiry: head.httpMetadata.cacheExpiry.getTime(),
      custom: head.customMetadata,
      uploadedNow: Math.abs(head.uploaded.getTime() - uploadedAfter) < 60_000,
      missingHead: await bucket.head("nothing"),
      missingGet: await bucket.get("nothing"),
    };
  },

  async emptyObject({ bucket }) {
    await bucket.put("empty", "");
    const got = await bucket.get("empty");
    return { size: got.size, text: await got.text() };
  },

  async createIfAbsent({ bucket }) {
    const puts = Array.from({ length: 8 }, (_, i) =>
      bucket.put("once", `value ${i}`, { onlyIf: ABSENT }),
    );
    const results = await Promise.all(puts);
    const winner = results.findIndex((result) => result !== null);
    const stored = await (await bucket.get("once")).text();
    return {
      winners: results.filter((result) => result !== null).length,
      storedIsTheWinners: stored === `value ${winner}`,
      again: await bucket.put("once", "late", { onlyIf: { etagDoesNotMatch: "*" } }),
    };
  },

  async compareAndSwap({ bucket }) {
    const { etag } = await bucket.put("cas", "1");
    const swaps = ["2", "3"].map((value) =>
      bucket.put("cas", value, { onlyIf: { etagMatches: etag } }),
    );
    const results = await Promise.all(swaps);
    const onMissing = await bucket.put("cas-new", "1", { onlyIf: { etagMatches: etag } });
    return { winners: results.filter((result) => result !== null).length, onMissing };
  },

  async overwrite({ bucket }) {
    await bucket.put("over", "first, and longer");
    await bucket.put("over", "second");
    const got = await bucket.get("over");
    return {
      text: await got.text(),
      listed: (await bucket.list({ prefix: "over" })).objects.length,
    };
  },

  async conditionalGet({ bucket }) {
    const { etag, uploaded } = await bucket.put("cond", "body");
    const failed = await bucket.get("cond", { onlyIf: { etagDoesNotMatch: etag } });
    const later = new Date(uploaded.getTime() + 10_000);
    const earlier = new Date(uploaded.getTime() - 10_000);
    const has = async (onlyIf) => "body" in (await bucket.get("cond", { onlyIf }));
    return {
      failedHasBody: "body" in failed,
      failedKey: failed.key,
      match: await has({ etagMatches: etag }),
      mismatch: await has({ etagMatches: "0".repeat(32) }),
      afterEarlier: await has({ uploadedAfter: earlier }),
      afterLater: await has({ uploadedAfter: later }),
      beforeEarlier: await has({ uploadedBefore: earlier }),
      beforeLater: await has({ uploadedBefore: later }),
    };
  },

  async ranges({ bucket }) {
    await bucket.put("digits", "0123456789");
    const read = async (range) => {
      const got = await bucket.get("digits", { range });
      return [await got.text(), got.range];
    };
    return {
      offset: await read({ offset: 7 }),
      length: await read({ length: 3 }),
      both: await read({ offset: 2, length: 4 }),
      pastEnd: await read({ offset: 8, length: 100 }),
      suffix: await read({ suffix: 4 }),
      longSuffix: await read({ suffix: 40 }),
      header: await read(new Headers({ range: "bytes=1-3" })),
      headerSuffix: await read(new Headers({ range: "bytes=-2" })),
      beyond: await errorOf(() => bucket.get("digits", { range: { offset: 11 } })),
      size: (await bucket.get("digits", { range: { offset: 2, length: 1 } })).size,
    };
  },

  async large({ bucket }) {
    const bytes = patterned(9_000_001);
    await bucket.put("large", bytes);
    const whole = new Uint8Array(await (await bucket.get("large")).arrayBuffer());
    const range = { offset: 3_000_000, length: 2_500_000 };
    const part = new Uint8Array(await (await bucket.get("large", { range })).arrayBuffer());
    const streamed = await bucket.put("streamed", (await bucket.get("large")).body);
    const same = (a, b) => a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
    return {
      whole: same(whole, bytes),
      part: same(part, bytes.subarray(3_000_000, 5_500_000)),
      streamedSize: streamed.size,
      abandoned: await abandonedReads(bucket),
    };
  },

  async listing({ bucket }) {
    const keys = ["l/a", "l/b/1", "l/b/2", "l/c/1", "l/d", "l/é", "l/😀", "l/\uffee"];
    for (const key of keys) await bucket.put(key, key, { customMetadata: { key } });
    const all = await bucket.list({ prefix: "l/" });
    const pages = [];
    let cursor;
    do {
      const page = await bucket.list({ prefix: "l/", limit: 2, delimiter: "/", cursor });
      pages.push([page.objects.map(({ key }) => key), page.delimitedPrefixes]);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    const withCustom = await bucket.list({ prefix: "l/a", include: ["customMetadata"] });
    const without = await bucket.list({ prefix: "l/a" });
    return {
      all: all.objects.map(({ key }) => key),
      pages,
      startAfter: (await bucket.list({ prefix: "l/", startAfter: "l/c/1", limit: 1 })).objects[0]
        .key,
      included: withCustom.objects[0].customMetadata,
      notIncluded: without.objects[0].customMetadata ?? null,
      tooMany: await errorOf(() => bucket.list({ limit: 1001 })),
    };
  },

  async removing({ bucket }) {
    for (const key of ["d/1", "d/2", "d/3"]) await bucket.put(key, key);
    await bucket.delete("d/1");
    await bucket.delete(["d/2", "d/nothing"]);
    await bucket.delete("d/nothing");
    const left = await bucket.list({ prefix: "d/" });
    return { left: left.objects.map(({ key }) => key), gone: await bucket.get("d/1") };
  },

  async checksums({ bucket }) {
    const md5 = await digest("MD5", "right");
    const sha256 = await digest("SHA-256", "right");
    return {
      rightMd5: (await bucket.put("sum", "right", { md5 })).size,
      rightSha256: (await bucket.put("sum", "right", { sha256 })).size,
      wrongMd5: await errorOf(() => bucket.put("wrong", "left!", { md5 })),
      wrongSha256: await errorOf(() => bucket.put("wrong", "left!", { sha256 })),
      stored: await bucket.head("wrong"),
    };
  },

  async awkwardKeys({ bucket }) {
    const keys = [
      "k",
      "k/under",
      "../up",
      "/",
      "//",
      "a/../b",
      ".",
      ".dot",
      "~id",
      "100%",
      "%31",
      "nul\0",
      "Case",
      "case",
      "day=1/f.parquet",
      "x".repeat(1024),
      "ü/".repeat(300),
    ];
    for (const key of keys) await bucket.put(key, `is ${key}`);
    const wrong = [];
    for (const key of keys) {
      if ((await (await bucket.get(key)).text()) !== `is ${key}`) wrong.push(key);
    }
    return {
      wrong,
      tooLong: await errorOf(() => bucket.put("x".repeat(1025), "")),
      hugeMetadata: await errorOf(() =>
        bucket.put("m", "", { customMetadata: { m: "x".repeat(9000) } }),
      ),
    };
  },

  async multipart({ bucket }) {
    const first = patterned(5 << 20);
    const upload = await bucket.createMultipartUpload("multi", { customMetadata: { a: "b" } });
    const parts = [await upload.uploadPart(2, "tail"), await upload.uploadPart(1, first)];
    const beforeComplete = await bucket.head("multi");
    const done = await upload.complete(parts);
    const read = new Uint8Array(await (await bucket.get("multi")).arrayBuffer());
    const small = await bucket.createMultipartUpload("small");
    const smallParts = [await small.uploadPart(1, "too small"), await small.uploadPart(2, "end")];
    const aborted = await bucket.createMultipartUpload("aborted");
    const abortedPart = await aborted.uploadPart(1, "x");
    await aborted.abort();
    return {
      beforeComplete,
      size: done.size,
      etagEnd: done.etag.slice(32),
      custom: done.customMetadata,
      tail: new TextDecoder().decode(read.subarray(first.byteLength)),
      head: first.every((byte, i) => byte === read[i]),
      twice: await errorOf(() => upload.complete(parts)),
      wrongPart: await errorOf(() => small.complete([{ partNumber: 1, etag: "0".repeat(32) }])),
      tooSmall: await errorOf(() => small.complete(smallParts)),
      afterAbort: await errorOf(() => aborted.complete([abortedPart])),
    };
  },
};

/** Readers that stop half-way must not disturb later ones on the same connections. */
async function abandonedReads(bucket) {
  for (let i = 0; i < 20; i++) {
    const reader = (await bucket.get("large")).body.getReader();
    await reader.read();
    await reader.cancel();
  }
  return (await (await bucket.get("large", { range: { length: 5 } })).arrayBuffer()).byteLength;
}

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    try {
      return Response.json(await SCENARIOS[name]({ bucket: env.BUCKET }));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};

/** Where a supervisor's line leads, which every front door has. */
export const HostLine = { fetch: () => new Response(null, { status: 204 }) };
