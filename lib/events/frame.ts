// What goes over the wire to a listener.
//
// No event name is given: so everything reaches the `onmessage` of an EventSource. A heartbeat
// carries an id without data, which no listener sees as an event, and which moves the place where
// it will resume: also one whose filter lets nothing pass need not look through all of it again.

import { SSE_HEARTBEAT, sseMessage, sseRetry } from "#lib/http/sse.ts";
import { eventJson, type StoredEvent } from "./types.ts";

const UTF8 = new TextEncoder();

/** A listener that lost its connection comes back after this. */
const RETRY_MS = 1_000;

export function eventFrame(event: StoredEvent): Uint8Array {
  return UTF8.encode(sseMessage({ id: `${event.seq}`, data: eventJson(event) }));
}

/** The first that a listener gets. `position`: all up to there is behind it. */
export function openingFrame(position: number): Uint8Array {
  return UTF8.encode(sseRetry(RETRY_MS) + sseMessage({ id: `${position}` }));
}

export function heartbeatFrame(position: number): Uint8Array {
  return UTF8.encode(SSE_HEARTBEAT + sseMessage({ id: `${position}` }));
}
