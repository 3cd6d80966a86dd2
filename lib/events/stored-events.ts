// From events as they came to events as they are stored: what the stream gives them.

import type { NewEvent, StoredEvent } from "./types.ts";

/** What a stream says of a post that it has stored. The same again when the post is repeated. */
export interface PostReceipt {
  /** Of the first event; each next one has the next number. */
  readonly firstSeq: number;
  /** The time of events that came without. */
  readonly receivedUs: number;
  /** Which stream it is: 15 hex digits. */
  readonly salt: string;
  /** True: the key was known and nothing was stored this time. */
  readonly isDuplicate: boolean;
}

export function storedEvents(
  events: readonly NewEvent[],
  { firstSeq, receivedUs, salt }: Omit<PostReceipt, "isDuplicate">,
): StoredEvent[] {
  return events.map((event, i) => {
    const seq = firstSeq + i;
    const id = event.id ?? eventId(salt, seq);
    return { ...event, id, seq, timeUs: event.timeUs ?? receivedUs };
  });
}

/** A UUID of version 8 (RFC 9562): which stream, and which place in it. */
function eventId(salt: string, seq: number): string {
  const place = seq.toString(16).padStart(15, "0");
  const high = `${salt.slice(0, 8)}-${salt.slice(8, 12)}-8${salt.slice(12)}`;
  return `${high}-8${place.slice(0, 3)}-${place.slice(3)}`;
}
