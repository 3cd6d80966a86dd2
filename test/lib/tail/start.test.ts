import { expect, test } from "vitest";
import type { FollowStart } from "#lib/buffer/types.ts";
import { startOfLastRows } from "#lib/tail/start.ts";

/** A shard's last batches, newest first, as [when, rows]. */
function startOf(shard: number, batches: readonly (readonly [number, number])[]): FollowStart {
  return {
    position: { segmentId: `${shard}.1.9`, sequence: 99, rows: 0, atMs: 5 },
    recent: batches.map(([receivedMs, rowCount], at) => ({
      segmentId: `${shard}.1.9`,
      sequence: 90 - at,
      rowCount,
      receivedUs: receivedMs * 1_000,
    })),
  };
}

const places = (starts: readonly FollowStart[], rows: number) =>
  startOfLastRows(starts, rows).map(({ sequence, rows: skipped }) => [sequence, skipped]);

test("the last rows of all shards are taken from the newest batches, whichever shard has them", () => {
  const starts = [
    startOf(0, [
      [40, 10],
      [10, 10],
    ]),
    startOf(1, [
      [30, 10],
      [20, 10],
    ]),
    startOf(2, []),
  ];
  expect(places(starts, 0)).toEqual([
    [99, 0],
    [99, 0],
    [99, 0],
  ]);
  expect(places(starts, 4)[0]).toEqual([90, 6]);
  expect(places(starts, 25)).toEqual([
    [90, 0],
    [89, 5],
    [99, 0],
  ]);
  expect(places(starts, 1_000)).toEqual([
    [89, 0],
    [89, 0],
    [99, 0],
  ]);
});
