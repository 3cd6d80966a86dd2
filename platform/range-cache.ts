// Ranges of files that were read before: first in the isolate's memory, then in Cloudflare's cache.
//
// Files never change and are named by the hash of their content, so nothing kept here can be stale.
// The Cache API is a help and no part of the promise: plain workerd has none, workers.dev has one
// that keeps nothing. Whatever it does wrong counts as a miss, and the query asks it no more.

import { LIMITS } from "#lib/base/limits.ts";
import type { RangeCache } from "#lib/sql/read-ahead.ts";
import type { RangeMemory } from "#lib/sql/range-memory.ts";
import { cacheBytes } from "#lib/telemetry/metrics/query.ts";
import { meter } from "./telemetry.ts";

/** What of the Cache API is needed. */
export interface ResponseCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** For one query. `inBackground` is told what may go on after the query's answer. */
export function openRangeCache(
  memory: RangeMemory,
  responses: ResponseCache,
  inBackground: (work: Promise<void>) => void,
): RangeCache {
  // Each call is one of the subrequests that an invocation may make.
  let callsLeft: number = LIMITS.cacheCallsPerQueryMax;
  const call = async <T>(byteLength: number, work: () => Promise<T>): Promise<T | null> => {
    if (callsLeft <= 0 || byteLength > LIMITS.rangeInCacheBytesMax) return null;
    callsLeft--;
    try {
      return await work();
    } catch {
      callsLeft = 0;
      return null;
    }
  };
  const remember = (name: string, bytes: Uint8Array) => {
    memory.keep(name, bytes);
    meter.set(cacheBytes, memory.byteLength);
  };
  return {
    async find({ sha256 }, offset, byteLength) {
      const name = nameOf(sha256, offset, byteLength);
      const inMemory = memory.find(name);
      if (inMemory !== null) return inMemory;
      const body = await call(byteLength, async () => {
        const response = await responses.match(urlOf(name));
        return response?.arrayBuffer();
      });
      if (body?.byteLength !== byteLength) return null;
      const bytes = new Uint8Array(body);
      remember(name, bytes);
      return bytes;
    },
    keep({ sha256 }, offset, bytes) {
      const name = nameOf(sha256, offset, bytes.byteLength);
      remember(name, bytes);
      const put = call(bytes.byteLength, () => responses.put(urlOf(name), toResponse(bytes)));
      inBackground(put.then(() => undefined));
    },
  };
}

function nameOf(sha256: string, offset: number, byteLength: number): string {
  return `${sha256}/${offset}-${offset + byteLength}`;
}

/** No host of that name exists; the cache wants one. */
function urlOf(name: string): string {
  return `https://ranges.sluice.invalid/${name}`;
}

function toResponse(bytes: Uint8Array): Response {
  const headers = { "cache-control": "public, max-age=31536000, immutable" };
  return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
}
