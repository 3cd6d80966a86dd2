// Events to the stream of a database: clients' from the front door, our own from anywhere.

import { createHash } from "node:crypto";
import { type PostReceipt, storedEvents } from "#lib/events/stored-events.ts";
import type { NewEvent, StoredEvent } from "#lib/events/types.ts";
import type { Shards } from "./append-batches.ts";
import { unwrap } from "./rpc.ts";

export interface PostedEvents {
  readonly events: readonly StoredEvent[];
  /** True: the key was known, and these are the events that it stored then. */
  readonly isDuplicate: boolean;
}

/**
 * Resolves once the events are stored, with their places in the stream. `key`: the same events
 * under the same key within 24 hours are stored once; null: each call is a new one.
 */
export async function postEvents(
  { databaseId, shardCount }: Shards,
  key: string | null,
  events: readonly NewEvent[],
  streams: IngestEnv["EVENT_STREAM"],
): Promise<PostedEvents> {
  const bodySha256 = key === null ? "" : sha256(JSON.stringify(events));
  const request = { databaseId, shardCount, idempotencyKey: key, bodySha256, events };
  const receipt: PostReceipt = await unwrap(streams.getByName(`${databaseId}`).post(request));
  return { events: storedEvents(events, receipt), isDuplicate: receipt.isDuplicate };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
