// Tagged events as they come, as they are stored, and as they are shown.
//
// Every event of a database is a row of one measurement with fixed columns: `time` timestamp, `id`
// utf8, `seq` int64 (its place in the stream: grows with every commit, gaps allowed), `type` utf8,
// `tags` utf8 (a JSON list of texts without spaces) and `value` utf8 (JSON; NULL: it has none).

import { isoTime } from "#lib/protocol/text-times.ts";

export const EVENTS_MEASUREMENT = "tagged_events";

/** The type of an event that names none. */
export const EVENT_TYPE_DEFAULT = "event";

export const EVENT_TYPE = /^[A-Za-z0-9_-]{1,64}$/;

export interface NewEvent {
  /** null: the stream gives it one. */
  readonly id: string | null;
  readonly type: string;
  readonly tags: readonly string[];
  /** null: the event has no value, which is not the same as the value `null`. */
  readonly valueJson: string | null;
  /** µs since 1970 within ±2^53; null: the time at which the stream takes it. */
  readonly timeUs: number | null;
}

export interface StoredEvent extends NewEvent {
  readonly id: string;
  readonly seq: number;
  readonly timeUs: number;
}

/** As it is shown everywhere: one line of JSON. A value that is missing is blank. */
export function eventJson(event: StoredEvent): string {
  const { id, seq, type, tags, valueJson, timeUs } = event;
  const head = `{"id":${JSON.stringify(id)},"seq":${seq},"type":${JSON.stringify(type)}`;
  const tail = `"value":${valueJson ?? '""'},"timestamp":"${eventTime(timeUs)}"}`;
  return `${head},"tags":${tagsJson(tags)},${tail}`;
}

/** As the column `tags` holds them. */
export function tagsJson(tags: readonly string[]): string {
  return JSON.stringify(tags);
}

/** RFC 3339, with a fraction only where there is one. */
export function eventTime(timeUs: number): string {
  return isoTime(BigInt(timeUs)).replace(".000Z", "Z");
}
