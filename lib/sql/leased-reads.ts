// Reads of a snapshot's files that tell a snapshot that is too old from a lake that has lost an
// object.
//
// A file that was replaced stays for a grace period that is longer than any query may take, so
// nobody takes out a lease. Whoever reads on after it all the same, a query that was suspended with
// its isolate perhaps, meets a missing object, and never others' rows: no key is used twice.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import type { FetchRange } from "#lib/base/ports.ts";

/**
 * `isLive` says whether the present version still has a file of that key: then the object should be
 * there, and `object_missing` stays what it is. Else it becomes `snapshot_expired`.
 */
export function leasedReads(
  fetchRange: FetchRange,
  isLive: (key: string) => Promise<boolean>,
): FetchRange {
  return async (key, offset, byteLength) => {
    try {
      return await fetchRange(key, offset, byteLength);
    } catch (error) {
      if (!isSluiceError(error) || error.code !== "object_missing") throw error;
      if (await isLive(key)) throw error;
      const message = "files of this query were replaced and removed while it ran; run it again";
      throw new SluiceError("snapshot_expired", message, { key }, { cause: error });
    }
  };
}
