// Objects that no version of the catalog needs are removed, tombstone first.
//
// Replaced files go after a grace period, so that whoever reads an older version has its files
// until it ends: every query ends sooner (LIMITS.queryTimeoutMs), and if one did not it would meet
// a missing object, which is an error and never a wrong row, because a key is never used again.
//
// Orphans are objects that no commit names, of writers that crashed before theirs. A writer so slow
// that its object was removed under it is refused at commit, because of the tombstone, and puts the
// file again under another name.

import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, ObjectStore, SqlStore } from "#lib/base/ports.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { databasePrefix } from "./object-keys.ts";

export interface Garbage {
  readonly orphanCount: number;
  readonly replacedCount: number;
}

export interface Collector {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly lake: ObjectStore;
  readonly tables: CatalogTables;
}

/** R2 takes so many keys in one call. */
const KEYS_PER_CALL = 1_000;

/** Removes files that were replaced or dropped before the grace period; returns how many. */
export async function removeReplaced({ store, clock, lake, tables }: Collector): Promise<number> {
  const beforeMs = clock.nowMs() - LIMITS.replacedGraceMs;
  let count = 0;
  for (;;) {
    const keys = tables.removedKeys(beforeMs, KEYS_PER_CALL);
    if (keys.length === 0) return count;
    await claim(keys, store, clock, tables);
    await lake.remove(keys);
    store.transact(() => {
      for (const key of keys) tables.forgetRemoved(key);
    });
    count += keys.length;
  }
}

/** Removes objects that no commit names and that are older than the grace period. */
export async function removeOrphans(databaseId: number, collector: Collector): Promise<number> {
  const { store, clock, lake, tables } = collector;
  const olderThanMs = clock.nowMs() - LIMITS.orphanGraceMs;
  let removed = 0;
  let cursor: string | undefined;
  do {
    const page = await lake.list(databasePrefix(databaseId), cursor);
    const old = page.objects.filter((object) => object.uploadedMs < olderThanMs);
    const isNamed = (key: string) => tables.hasFile(key) || tables.isRemoved(key);
    const claimed = old.map(({ key }) => key).filter((key) => !isNamed(key));
    if (claimed.length > 0) {
      // No await since the look: a commit comes either before it or is refused.
      await claim(claimed, store, clock, tables);
      await lake.remove(claimed);
    }
    removed += claimed.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  tables.forgetTombstones(clock.nowMs() - LIMITS.tombstoneKeepMs);
  return removed;
}

/** From here on, a commit with one of these keys is refused. */
async function claim(
  keys: readonly string[],
  store: SqlStore,
  clock: Clock,
  tables: CatalogTables,
): Promise<void> {
  store.transact(() => {
    for (const key of keys) tables.insertTombstone(key, clock.nowMs());
  });
  await store.sync();
}
