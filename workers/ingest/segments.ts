// What waits in the buffers of a database, segment by segment, and a new try for one that was put
// aside.

import { SluiceError } from "#lib/base/errors.ts";
import { parseSegmentId } from "#lib/buffer/segment-id.ts";
import type { SegmentSummary } from "#lib/buffer/types.ts";
import { unknownDatabase } from "#lib/directory/names.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { systemClock } from "#platform/clock.ts";
import { findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";

export async function listSegments({ env, database }: AdmittedArrival): Promise<Response> {
  const { databaseId, shardCount } = await find(database!, env);
  const shards = Array.from({ length: shardCount }, (_, shard) =>
    unwrap(env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`).status()),
  );
  const nowMs = systemClock.nowMs();
  const segments = (await Promise.all(shards)).flatMap((status) =>
    status.segments.map((segment) => ({
      ...segmentJson(segment),
      age_seconds: Math.max(0, nowMs - segment.openedMs) / 1_000,
    })),
  );
  return json({ segments, count: segments.length });
}

/** Queries see its rows again from here on, and it is flushed as if it had just been sealed. */
export async function replaySegment({ env, database, params }: AdmittedArrival): Promise<Response> {
  const { databaseId, shardCount } = await find(database!, env);
  const segmentId = params["segment"]!;
  const { shard } = parseSegmentId(segmentId);
  if (shard >= shardCount) {
    throw new SluiceError("segment_unknown", `no quarantined segment ${segmentId}`);
  }
  await unwrap(env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`).replay(segmentId));
  return json({ message: `Segment ${segmentId} is tried again`, segment: segmentId }, 202);
}

export function segmentJson(segment: SegmentSummary) {
  return {
    id: segment.segmentId,
    state: segment.state,
    rows: segment.rowCount,
    bytes: segment.byteLength,
    opened_at: new Date(segment.openedMs).toISOString(),
    attempts: segment.attempts,
    last_error: segment.lastError,
  };
}

async function find(name: string, env: IngestEnv): Promise<Database> {
  const found = await findDatabase(name, env.DIRECTORY);
  if (found === null) throw unknownDatabase(name);
  return found;
}
