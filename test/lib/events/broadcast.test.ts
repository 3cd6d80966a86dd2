import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { Broadcast, type Listener } from "#lib/events/broadcast.ts";
import type { EventFilter } from "#lib/events/filter.ts";
import type { StoredEvent } from "#lib/events/types.ts";

const ALL: EventFilter = { tags: [], type: null };

describe("a listener", () => {
  test("gets events from now on, with the id to resume after", () => {
    const broadcast = new Broadcast(7);
    broadcast.publish(events(8, 2), 9);
    const client = new Client(broadcast, ALL, null);
    expect(client.text).toBe("retry: 1000\n\nid: 9\n\n");
    client.pull();
    broadcast.publish(events(10, 1), 10);
    expect(client.text).toContain('id: 10\ndata: {"id":"e10","seq":10,');
    expect(client.seqs).toEqual([10]);
  });

  test("that comes back gets what came after what it saw, if that is still there", () => {
    const broadcast = new Broadcast(7);
    broadcast.publish(events(8, 5), 12);
    const client = new Client(broadcast, ALL, 9);
    client.pull();
    expect(client.seqs).toEqual([10, 11, 12]);
    expect(new Client(broadcast, ALL, 7).isAttached).toBe(true);
    expect(new Client(broadcast, ALL, 6).isAttached).toBe(false);
    const early = new Client(broadcast, ALL, 100);
    early.pull();
    broadcast.publish(events(13, 1), 13);
    expect(early.seqs).toEqual([13]);
  });

  test("gets the events that have all of its tags, and its type", () => {
    const broadcast = new Broadcast(0);
    const client = new Client(broadcast, { tags: ["a", "b:1"], type: "x" }, null);
    client.pull();
    broadcast.publish(
      [
        { ...event(1), tags: ["a", "b", "b:1"], type: "x" },
        { ...event(2), tags: ["a", "b:12"], type: "x" },
        { ...event(3), tags: ["a", "b:1"], type: "y" },
        { ...event(4), tags: ["b:1", "a"], type: "x" },
      ],
      4,
    );
    client.pull();
    expect(client.seqs).toEqual([1, 4]);
  });

  test("is told by a heartbeat how far it is, also when nothing was for it", () => {
    const broadcast = new Broadcast(0);
    const client = new Client(broadcast, { tags: ["never"], type: null }, null);
    client.pull();
    broadcast.publish(events(1, 5), 5);
    broadcast.beat();
    expect(client.text).toBe("retry: 1000\n\nid: 0\n\n: heartbeat\n\nid: 5\n\n");
  });

  test("that takes nothing is dropped once the ring has overtaken it, others are not", () => {
    const broadcast = new Broadcast(0);
    const slow = new Client(broadcast, ALL, null);
    const swift = new Client(broadcast, ALL, null);
    swift.pull();
    let seq = 0;
    const value = JSON.stringify("x".repeat(200_000));
    while (broadcast.droppedSlow === 0) {
      seq += 1;
      broadcast.publish([{ ...event(seq), valueJson: value }], seq);
      swift.pull();
      expect(seq * 200_000).toBeLessThan(2 * LIMITS.eventRingBytesMax);
    }
    expect(seq * 200_000).toBeGreaterThan(0.9 * LIMITS.eventRingBytesMax);
    expect([slow.isEnded, swift.isEnded]).toEqual([true, false]);
    expect(broadcast.listenerCount).toBe(1);
    expect(swift.seqs).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
    expect(new Client(broadcast, ALL, 0).isAttached).toBe(false);
  });

  test("that is up to date is not overtaken by one group, however large", () => {
    const broadcast = new Broadcast(0);
    const client = new Client(broadcast, ALL, null);
    client.pull();
    const valueJson = JSON.stringify("x".repeat(250_000));
    const many = events(1, 100).map((one) => ({ ...one, valueJson }));
    broadcast.publish(many, 100);
    for (let pulls = 0; pulls < 200; pulls++) client.pull();
    expect(client.seqs).toHaveLength(100);
  });

  test("that lets heartbeat after heartbeat pass with something there for it is dropped", () => {
    const broadcast = new Broadcast(0);
    const stuck = new Client(broadcast, ALL, null);
    const idle = new Client(broadcast, ALL, null);
    for (let beat = 0; beat < LIMITS.eventStalledBeatsMax; beat++) {
      idle.pull();
      broadcast.beat();
    }
    expect(stuck.isEnded).toBe(false);
    idle.pull();
    broadcast.beat();
    expect([stuck.isEnded, idle.isEnded]).toEqual([true, false]);
    expect(broadcast).toMatchObject({ droppedSlow: 1, listenerCount: 1 });
  });

  test("that has left hears nothing more", () => {
    const broadcast = new Broadcast(0);
    const client = new Client(broadcast, ALL, null);
    client.pull();
    client.leave();
    broadcast.publish(events(1, 1), 1);
    broadcast.beat();
    expect(client.seqs).toEqual([]);
    expect(broadcast.listenerCount).toBe(0);
  });
});

class Client {
  text = "";
  isEnded = false;
  readonly #broadcast: Broadcast;
  readonly #listener: Listener | null;

  constructor(broadcast: Broadcast, filter: EventFilter, after: number | null) {
    const utf8 = new TextDecoder();
    this.#broadcast = broadcast;
    this.#listener = broadcast.attach(filter, after, {
      send: (bytes) => void (this.text += utf8.decode(bytes)),
      end: () => void (this.isEnded = true),
    });
  }

  get isAttached(): boolean {
    return this.#listener !== null;
  }

  get seqs(): number[] {
    return [...this.text.matchAll(/^id: (\d+)\ndata: /gm)].map(([, seq]) => Number(seq));
  }

  pull(): void {
    this.#listener!.pull();
  }

  leave(): void {
    this.#broadcast.detach(this.#listener!);
  }
}

function events(first: number, count: number): StoredEvent[] {
  return Array.from({ length: count }, (_, i) => event(first + i));
}

function event(seq: number): StoredEvent {
  return { id: `e${seq}`, seq, type: "event", tags: ["t"], valueJson: null, timeUs: 0 };
}
