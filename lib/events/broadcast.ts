// The latest events of a stream, and everybody who listens to them.
//
// No listener has a queue of its own: all read from one ring, each at its own place, as fast as its
// connection takes the bytes. So memory is bounded whatever the number of listeners, and "slow" is
// not a matter of time: it is who was overtaken by the ring. Such a listener is dropped, comes back
// with the id of the last event it saw, and is given the rest from storage.
//
// Shell: durable-objects/event-stream.ts, where a listener is a response's body.

import { joinBytes } from "#lib/base/join-bytes.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { type EventFilter, isWanted } from "./filter.ts";
import { eventFrame, heartbeatFrame, openingFrame } from "./frame.ts";
import type { StoredEvent } from "./types.ts";

/** The listener's connection. */
export interface Sink {
  /** `eventCount`: of the events in it; 0 for what is none. */
  send(bytes: Uint8Array, eventCount: number): void;
  end(reason: DropReason): void;
}

/** Why a listener has to come back: it was overtaken, or there is a gap in what is remembered. */
export type DropReason = "slow" | "restart";

interface RingEntry {
  readonly event: Pick<StoredEvent, "seq" | "type" | "tags">;
  readonly frame: Uint8Array;
}

/** Frames are handed over in pieces of about this size. */
const CHUNK_BYTES = 65_536;
/** What an entry takes beside its frame, roughly. */
const ENTRY_BYTES = 200;

export class Broadcast {
  droppedSlow = 0;
  #entries: RingEntry[] = [];
  /** Number of the first entry, counted from the beginning of this object's life. */
  #firstNo = 0;
  #byteLength = 0;
  /** Every event after this one is in the ring. */
  #floor: number;
  #position: number;
  readonly #listeners = new Set<Listener>();

  constructor(position: number) {
    this.#floor = position;
    this.#position = position;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Listeners at the place after which nothing has been said yet. */
  get position(): number {
    return this.#position;
  }

  /**
   * `after`: the last event that the listener has seen; null: it wants what comes from now on.
   * Returns null when the ring no longer has all that came after.
   */
  attach(filter: EventFilter, after: number | null, sink: Sink): Listener | null {
    if (after !== null && after < this.#floor) return null;
    const from = after === null ? this.#entries.length : this.#firstAfter(after);
    const listener = new Listener(this, filter, this.#firstNo + from, sink);
    this.#listeners.add(listener);
    sink.send(openingFrame(Math.min(after ?? this.#position, this.#position)), 0);
    return listener;
  }

  detach(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Events in the order of their numbers, after all that were published before. */
  publish(events: readonly StoredEvent[], position: number): void {
    const oldEnd = this.#entries.length;
    for (const event of events) {
      const frame = eventFrame(event);
      const { seq, type, tags } = event;
      this.#entries.push({ event: { seq, type, tags }, frame });
      this.#byteLength += frame.length + ENTRY_BYTES;
    }
    this.#position = position;
    this.#evict(oldEnd);
    for (const listener of this.#listeners) {
      if (listener.place < this.#firstNo) this.#drop(listener);
      else if (listener.isIdle) listener.wake();
    }
  }

  /** To be called at even intervals. Shows who is gone, and drops who takes nothing any more. */
  beat(): void {
    const frame = heartbeatFrame(this.#position);
    for (const listener of this.#listeners) {
      if (listener.beat(frame)) continue;
      this.#drop(listener);
    }
  }

  /** Everybody has to come back: the ring does not have what was stored up to `position`. */
  restart(position: number): void {
    for (const listener of this.#listeners) listener.sink.end("restart");
    this.#listeners.clear();
    this.#firstNo += this.#entries.length;
    this.#entries = [];
    this.#byteLength = 0;
    this.#floor = position;
    this.#position = position;
  }

  entryAt(no: number): RingEntry | undefined {
    return this.#entries[no - this.#firstNo];
  }

  /** Never what was just published: a listener that is up to date must not be overtaken by it. */
  #evict(countMax: number): void {
    let count = 0;
    while (count < countMax && this.#byteLength > LIMITS.eventRingBytesMax) {
      const { event, frame } = this.#entries[count++]!;
      this.#byteLength -= frame.length + ENTRY_BYTES;
      this.#floor = event.seq;
    }
    this.#entries.splice(0, count);
    this.#firstNo += count;
  }

  #drop(listener: Listener): void {
    this.#listeners.delete(listener);
    this.droppedSlow += 1;
    listener.sink.end("slow");
  }

  #firstAfter(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.event.seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class Listener {
  readonly sink: Sink;
  /** Number of the ring's entry that it reads next. */
  place: number;
  /** It has taken all that there is, and wants to be told of more. */
  isIdle = false;
  readonly #broadcast: Broadcast;
  readonly #filter: EventFilter;
  #stalledBeats = 0;

  constructor(broadcast: Broadcast, filter: EventFilter, place: number, sink: Sink) {
    this.#broadcast = broadcast;
    this.#filter = filter;
    this.place = place;
    this.sink = sink;
  }

  /** To be called when the connection can take more: it is sent what there is, now or later. */
  pull(): void {
    this.#stalledBeats = 0;
    this.isIdle = true;
    this.wake();
  }

  wake(): void {
    const frames = this.#next();
    if (frames.length === 0) return;
    this.isIdle = false;
    this.sink.send(frames.length === 1 ? frames[0]! : joinBytes(frames), frames.length);
  }

  /** False: for too long it has taken nothing of what is there for it. */
  beat(frame: Uint8Array): boolean {
    if (this.isIdle) {
      this.isIdle = false;
      this.sink.send(frame, 0);
    }
    this.#stalledBeats += 1;
    return this.#stalledBeats <= LIMITS.eventStalledBeatsMax;
  }

  /** A chunk of what it wants; maybe nothing. */
  #next(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let byteLength = 0;
    while (byteLength < CHUNK_BYTES) {
      const entry = this.#broadcast.entryAt(this.place);
      if (entry === undefined) break;
      this.place += 1;
      if (!isWanted(this.#filter, entry.event)) continue;
      frames.push(entry.frame);
      byteLength += entry.frame.length;
    }
    return frames;
  }
}
