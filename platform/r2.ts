// An R2 bucket as the protocol's ObjectStore, and as what ranges are read from.

import { SluiceError } from "#lib/base/errors.ts";
import type { FetchRange, ObjectStore, StoredObject } from "#lib/base/ports.ts";
import { type Span, UNRECORDED } from "#lib/telemetry/span.ts";
import { countCall, countRead, countWritten } from "./lake-telemetry.ts";
import { R2PartWriter } from "./r2-part-writer.ts";

/** `span`: of the work that the calls are part of. */
export function r2ObjectStore(bucket: R2Bucket, span: Span = UNRECORDED): ObjectStore {
  return {
    async putIfAbsent(key, bytes, sha256) {
      const options = { onlyIf: { etagDoesNotMatch: "*" }, sha256 };
      const put = async () => (await bucket.put(key, bytes, options)) !== null;
      const isNew = await countCall("put", put, span, (done) => (done ? "ok" : "conflict"));
      if (isNew) countWritten(bytes.byteLength);
      return isNew;
    },
    createInParts: (key) =>
      new R2PartWriter(bucket, key, async (operation, byteLength, call) => {
        const result = await countCall(operation, call, span);
        countWritten(byteLength);
        return result;
      }),
    async head(key) {
      const object = await countCall("head", () => bucket.head(key), span, found);
      return object === null ? null : toStoredObject(object);
    },
    async list(prefix, cursor) {
      const options = { prefix, ...(cursor === undefined ? {} : { cursor }) };
      const page = await countCall("list", () => bucket.list(options), span);
      const objects = page.objects.map(toStoredObject);
      return page.truncated ? { objects, cursor: page.cursor } : { objects };
    },
    remove: (keys) => countCall("delete", () => bucket.delete(keys), span),
  };
}

export function r2FetchRange(lake: R2Bucket): FetchRange {
  return async (key, offset, byteLength) => {
    const range = { offset, length: byteLength };
    let bytes: ArrayBuffer | undefined;
    try {
      const get = async () => (await lake.get(key, { range }))?.arrayBuffer();
      bytes = await countCall("get", get, UNRECORDED, found);
      countRead(bytes?.byteLength ?? 0);
    } catch (cause) {
      const message = "the object store did not answer";
      throw new SluiceError("store_unavailable", message, { key }, { cause });
    }
    if (bytes?.byteLength !== byteLength) {
      const message = `object ${key} is gone or cut short`;
      throw new SluiceError("object_missing", message, { key });
    }
    return new Uint8Array(bytes);
  };
}

const found = (object: unknown) => (object ? "ok" : "missing");

function toStoredObject(object: R2Object): StoredObject {
  const sha256 = object.checksums.toJSON().sha256 ?? null;
  const { key, size: byteLength, uploaded } = object;
  return { key, byteLength, sha256, uploadedMs: uploaded.getTime() };
}
