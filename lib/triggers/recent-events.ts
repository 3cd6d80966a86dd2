// The latest events of a stream, in memory, so that triggers that keep up need no query.

import { LIMITS } from "#lib/base/limits.ts";
import type { StoredEvent } from "#lib/events/types.ts";
import type { EventPage } from "./types.ts";

/** Of an event beside its value and tags, roughly. */
const EVENT_BYTES = 300;

export class RecentEvents {
  #events: StoredEvent[] = [];
  #byteLength = 0;
  /** All events after `floor` up to `top` are here. */
  #floor: number;
  #top: number;

  constructor(position: number) {
    this.#floor = position;
    this.#top = position;
  }

  /** In the order of their numbers; `position`: the stream's after them. */
  add(events: readonly StoredEvent[], position: number): void {
    // Numbers were skipped: perhaps by events that were stored and that nobody was told of.
    if (events[0] !== undefined && events[0].seq !== this.#top + 1) this.clear(events[0].seq - 1);
    for (const event of events) {
      this.#events.push(event);
      this.#byteLength += sizeOf(event);
    }
    this.#top = position;
    let count = 0;
    while (this.#byteLength > LIMITS.triggerRecentBytesMax) {
      const oldest = this.#events[count++]!;
      this.#byteLength -= sizeOf(oldest);
      this.#floor = oldest.seq;
    }
    if (count > 0) this.#events.splice(0, count);
  }

  clear(position: number): void {
    this.#events = [];
    this.#byteLength = 0;
    this.#floor = position;
    this.#top = position;
  }

  /** Some of those after `afterSeq` and not after `toSeq`; null: they are not all here. */
  between(afterSeq: number, toSeq: number): EventPage | null {
    if (afterSeq < this.#floor || toSeq > this.#top) return null;
    const first = this.#events.findLastIndex(({ seq }) => seq <= afterSeq) + 1;
    const page = this.#events.slice(first, first + LIMITS.triggerScanEventsMax);
    const events = page.filter(({ seq }) => seq <= toSeq);
    const isAll = events.length < LIMITS.triggerScanEventsMax;
    return { events, upTo: isAll ? toSeq : events.at(-1)!.seq };
  }
}

function sizeOf({ valueJson, tags }: StoredEvent): number {
  const tagBytes = tags.reduce((sum, tag) => sum + tag.length, 0);
  return EVENT_BYTES + tagBytes + (valueJson?.length ?? 0);
}
