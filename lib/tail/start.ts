// Where a tail starts that begins with the last rows of the log.

import type { FollowStart, LogPosition } from "#lib/buffer/types.ts";

/** The places, one per shard, behind which are the newest `rows` rows of all shards together. */
export function startOfLastRows(starts: readonly FollowStart[], rows: number): LogPosition[] {
  const places = starts.map(({ position }) => position);
  const taken = starts.map(() => 0);
  let left = rows;
  while (left > 0) {
    const shard = newestOf(starts, taken);
    if (shard === null) break;
    const { segmentId, sequence, rowCount, receivedUs } = starts[shard]!.recent[taken[shard]!]!;
    taken[shard]! += 1;
    const skipped = Math.max(0, rowCount - left);
    const atMs = Math.floor(receivedUs / 1_000);
    places[shard] = { segmentId, sequence, rows: skipped, atMs };
    left -= rowCount - skipped;
  }
  return places;
}

/** The shard whose next batch, going backwards, came last. */
function newestOf(starts: readonly FollowStart[], taken: readonly number[]): number | null {
  let newest: number | null = null;
  let newestUs = -Infinity;
  for (const [shard, { recent }] of starts.entries()) {
    const next = recent[taken[shard]!];
    if (next === undefined || next.receivedUs <= newestUs) continue;
    newest = shard;
    newestUs = next.receivedUs;
  }
  return newest;
}
