// An R2 bucket as the protocol's ObjectStore, and as what ranges are read from.

import { SluiceError } from "#lib/base/errors.ts";
import type { FetchRange, ObjectStore, StoredObject } from "#lib/base/ports.ts";
import { R2PartWriter } from "./r2-part-writer.ts";

export function r2ObjectStore(bucket: R2Bucket): ObjectStore {
  return {
    async putIfAbsent(key, bytes, sha256) {
      const options = { onlyIf: { etagDoesNotMatch: "*" }, sha256 };
      return (await bucket.put(key, bytes, options)) !== null;
    },
    createInParts: (key) => new R2PartWriter(bucket, key),
    async head(key) {
      const object = await bucket.head(key);
      return object === null ? null : toStoredObject(object);
    },
    async list(prefix, cursor) {
      const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
      const objects = page.objects.map(toStoredObject);
      return page.truncated ? { objects, cursor: page.cursor } : { objects };
    },
    remove: (keys) => bucket.delete(keys),
  };
}

export function r2FetchRange(lake: R2Bucket): FetchRange {
  return async (key, offset, byteLength) => {
    const range = { offset, length: byteLength };
    let bytes: ArrayBuffer | undefined;
    try {
      const object = await lake.get(key, { range });
      bytes = await object?.arrayBuffer();
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

function toStoredObject(object: R2Object): StoredObject {
  const sha256 = object.checksums.toJSON().sha256 ?? null;
  const { key, size: byteLength, uploaded } = object;
  return { key, byteLength, sha256, uploadedMs: uploaded.getTime() };
}
