// Ranges that were read before: found again, forgotten in time, and never a reason to fail.

import { expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { SnapshotFile } from "#lib/catalog/types.ts";
import { RangeMemory } from "#lib/sql/range-memory.ts";
import { openRangeCache, type ResponseCache } from "#platform/range-cache.ts";

const file: SnapshotFile = {
  key: "db/1/t1/2026-01-01/0.1.1-aa.parquet",
  sha256: "aa",
  rowCount: 1,
  byteLength: 100,
  footerByteLength: 10,
  timeMinMs: 0,
  timeMaxMs: 0,
  columns: [],
};
const bytes = Uint8Array.of(1, 2, 3);

class FakeCache implements ResponseCache {
  readonly stored = new Map<string, Uint8Array>();
  calls = 0;
  isBroken = false;

  async match(url: string): Promise<Response | undefined> {
    this.#count();
    const found = this.stored.get(url);
    return found === undefined ? undefined : new Response(found.slice());
  }

  async put(url: string, response: Response): Promise<void> {
    this.#count();
    this.stored.set(url, new Uint8Array(await response.arrayBuffer()));
  }

  #count(): void {
    this.calls++;
    if (this.isBroken) throw new Error("No Cache was configured");
  }
}

function open(responses: ResponseCache, memory = new RangeMemory()) {
  const work: Promise<void>[] = [];
  const cache = openRangeCache(memory, responses, (one) => work.push(one));
  return { cache, memory, settled: () => Promise.all(work) };
}

test("what was kept is found by another query, and by another isolate", async () => {
  const responses = new FakeCache();
  const { cache, memory, settled } = open(responses);
  expect(await cache.find(file, 5, 3)).toBeNull();
  cache.keep(file, 5, bytes);
  await settled();
  const calls = responses.calls;
  expect(await open(responses, memory).cache.find(file, 5, 3)).toEqual(bytes);
  expect(responses.calls).toBe(calls);
  expect(await open(responses).cache.find(file, 5, 3)).toEqual(bytes);
  expect(await open(responses).cache.find(file, 6, 3)).toBeNull();
  expect(await open(responses).cache.find({ ...file, sha256: "bb" }, 5, 3)).toBeNull();
});

test("a cache that is not there is asked once, and memory goes on", async () => {
  const responses = new FakeCache();
  responses.isBroken = true;
  const { cache, settled } = open(responses);
  expect(await cache.find(file, 5, 3)).toBeNull();
  cache.keep(file, 5, bytes);
  await settled();
  expect(responses.calls).toBe(1);
  expect(await cache.find(file, 5, 3)).toEqual(bytes);
});

test("a cut answer of the cache is a miss", async () => {
  const responses = new FakeCache();
  const { cache, settled } = open(responses);
  cache.keep(file, 0, bytes);
  await settled();
  for (const url of responses.stored.keys()) responses.stored.set(url, Uint8Array.of(1));
  expect(await open(responses).cache.find(file, 0, 3)).toBeNull();
});

test("large ranges go to the cache and not to memory, larger ones nowhere", async () => {
  const responses = new FakeCache();
  const { cache, memory, settled } = open(responses);
  cache.keep(file, 0, new Uint8Array(LIMITS.rangeInMemoryBytesMax + 1));
  cache.keep(file, 1, new Uint8Array(LIMITS.rangeInCacheBytesMax + 1));
  await settled();
  expect(memory.byteLength).toBe(0);
  expect(responses.stored.size).toBe(1);
});

test("one query makes no more calls than it may", async () => {
  const responses = new FakeCache();
  const { cache } = open(responses);
  for (let at = 0; at < LIMITS.cacheCallsPerQueryMax + 9; at++) await cache.find(file, at, 1);
  expect(responses.calls).toBe(LIMITS.cacheCallsPerQueryMax);
});

test("memory stays within its bound, and forgets what was not used for the longest time", () => {
  const memory = new RangeMemory();
  const count = Math.floor(LIMITS.rangeMemoryBytesMax / LIMITS.rangeInMemoryBytesMax);
  for (let at = 0; at < count; at++) {
    memory.keep(`r${at}`, new Uint8Array(LIMITS.rangeInMemoryBytesMax));
  }
  expect(memory.find("r0")).not.toBeNull();
  memory.keep("another", new Uint8Array(LIMITS.rangeInMemoryBytesMax));
  expect(memory.byteLength).toBeLessThanOrEqual(LIMITS.rangeMemoryBytesMax);
  expect(memory.find("r0")).not.toBeNull();
  expect(memory.find("r1")).toBeNull();
});
