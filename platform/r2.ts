// An R2 bucket as the protocol's ObjectStore.

import type { ObjectStore, StoredObject } from "#lib/base/ports.ts";

export function r2ObjectStore(bucket: R2Bucket): ObjectStore {
  return {
    async putIfAbsent(key, bytes, sha256) {
      const options = { onlyIf: { etagDoesNotMatch: "*" }, sha256 };
      return (await bucket.put(key, bytes, options)) !== null;
    },
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

function toStoredObject(object: R2Object): StoredObject {
  const sha256 = object.checksums.toJSON().sha256 ?? null;
  const { key, size: byteLength, uploaded } = object;
  return { key, byteLength, sha256, uploadedMs: uploaded.getTime() };
}
