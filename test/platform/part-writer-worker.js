// Runs inside workerd and writes through R2PartWriter to a real R2Bucket binding. What each
// scenario must return stands in r2-part-writer.test.ts.

import { R2PartWriter } from "platform/r2-part-writer.ts";

const PART_BYTES = 5 << 20;

const newWriter = (bucket, key) =>
  new R2PartWriter(bucket, key, (_operation, _byteLength, call) => call());

function patterned(byteLength) {
  const bytes = new Uint8Array(byteLength);
  for (let i = 0; i < byteLength; i++) bytes[i] = (i * 31 + (i >> 8) + (i >> 16)) & 255;
  return bytes;
}

/** Writes in pieces of one array that is used again, as the port allows. */
async function write(writer, bytes, pieceBytes) {
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const content = bytes.subarray(at, at + pieceBytes);
    piece.set(content);
    await writer.write(piece.subarray(0, content.length));
  }
}

async function isStored(bucket, key, bytes) {
  const read = new Uint8Array(await (await bucket.get(key)).arrayBuffer());
  return read.length === bytes.length && read.every((byte, i) => byte === bytes[i]);
}

const SCENARIOS = {
  /** Per size: what `finish` says, whether the bytes came back, whether it took several parts. */
  async sizes(bucket) {
    const results = {};
    for (const byteLength of [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 17_000_003]) {
      const key = `sizes/${byteLength}`;
      const bytes = patterned(byteLength);
      const writer = newWriter(bucket, key);
      await write(writer, bytes, 1_300_001);
      const before = await bucket.head(key);
      const { byteLength: told } = await writer.finish();
      const stored = await isStored(bucket, key, bytes);
      const isMultipart = (await bucket.head(key)).etag.includes("-");
      results[byteLength] = [before === null, told, stored, isMultipart];
    }
    return results;
  },

  async aborted(bucket) {
    const writer = newWriter(bucket, "aborted");
    await write(writer, patterned(12_000_000), 4_000_000);
    await writer.abort();
    const small = newWriter(bucket, "aborted");
    await small.write(patterned(10));
    await small.abort();
    return (await bucket.list({ prefix: "aborted" })).objects.length;
  },

  async refused(bucket) {
    const key = "k".repeat(1_025);
    const writer = newWriter(bucket, key);
    await writer.write(patterned(PART_BYTES));
    return writer.write(patterned(1)).then(
      () => null,
      ({ code, detail }) => [code, detail.key === key],
    );
  },
};

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    try {
      return Response.json(await SCENARIOS[name](env.BUCKET));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};

/** Where a supervisor's line leads, which every front door has. */
export const HostLine = { fetch: () => new Response(null, { status: 204 }) };
