// Listeners of a stream on the real stack: gone ones are noticed, slow ones dropped, and whoever
// comes back gets each event once and in order, also from a server that was killed meanwhile.
//
// Small by default. Full size: STREAM_CLIENTS=500 EVENTS_STREAMED=1000000.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventListener } from "../helpers/event-listener.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const CLIENTS = Number(process.env["STREAM_CLIENTS"] ?? 50);
const EVENTS = Number(process.env["EVENTS_STREAMED"] ?? 20_000);
const LIST_EVENTS = 2_000;
const HEARTBEAT_MS = 500;
const STREAM = "/api/v1/events/stream";
const TIMEOUT_MS = 60_000 + EVENTS + 100 * CLIENTS;

const stack = new Stack({ EVENT_HEARTBEAT_MS: `${HEARTBEAT_MS}` });
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

describe("listeners of a stream", () => {
  test(
    "that are cut without a word are gone after two heartbeats",
    async () => {
      const database = "cuts";
      await post(database, [{ tags: ["first"] }]);
      const counts = Array.from({ length: CLIENTS }, () => 0);
      const listeners = await Promise.all(
        counts.map((_, i) => listen(database, () => void (counts[i]! += 1))),
      );
      expect(await status(database)).toMatchObject({ clients: CLIENTS, hung_up: 0 });

      const gone = listeners.slice(0, Math.floor(CLIENTS * 0.4));
      const witness = listeners.at(-1)!;
      const before = witness.heartbeats;
      for (const listener of gone) listener.cut();
      const left = CLIENTS - gone.length;
      while ((await status(database)).clients !== left && witness.heartbeats - before < 3) {
        await sleep(20);
      }
      expect(await status(database)).toMatchObject({ clients: left, hung_up: gone.length });
      expect(witness.heartbeats - before).toBeLessThan(3);

      await post(database, [{ tags: ["a"] }, { tags: ["b"] }]);
      await until(() => counts.slice(gone.length).every((count) => count === 2));
      expect(counts.slice(0, gone.length).every((count) => count === 0)).toBe(true);
      for (const listener of listeners) listener.cut();
      await until(async () => (await status(database)).clients === 0);
    },
    TIMEOUT_MS,
  );

  test(
    "that read nothing are dropped, and get what they missed when they come back",
    async () => {
      const database = "slow";
      await post(database, [{ tags: ["first"] }]);
      const seen: number[] = [];
      const slow = await listen(database, ({ seq }) => void seen.push(seq));
      const swift: number[] = [];
      const other = await listen(database, ({ seq }) => void swift.push(seq));
      slow.pause();
      const value = "x".repeat(200_000);
      const sent: number[] = [];
      while ((await status(database)).dropped_slow === 0 && sent.length < 1_000) {
        sent.push(
          ...(await post(database, [
            { tags: ["big"], value },
            { tags: ["big"], value },
          ])),
        );
      }
      expect(await status(database)).toMatchObject({ dropped_slow: 1, clients: 1 });
      slow.resume();
      await slow.ended;
      const again = await listen(database, ({ seq }) => void seen.push(seq), slow.lastEventId);
      await until(() => seen.length >= sent.length && swift.length >= sent.length);
      expect(seen).toEqual(sent);
      expect(swift).toEqual(sent);
      for (const listener of [again, other]) listener.cut();
    },
    TIMEOUT_MS,
  );

  test(
    "get each of many events once and in order, through cuts, pauses and a server that is killed",
    async () => {
      const database = "many";
      await post(database, [{ tags: ["first"] }]);
      let isOver = false;
      const steady = follow(
        database,
        () => new Promise(() => {}),
        () => isOver,
      );
      const cut = follow(
        database,
        async (listener) => {
          const count = listener.eventCount + (EVENTS / 25) * Math.random();
          await until(() => listener.eventCount > count, TIMEOUT_MS);
        },
        () => isOver,
      );
      const pausing = follow(
        database,
        async (listener) => {
          await sleep(200);
          listener.pause();
          await sleep(700);
          listener.resume();
          await sleep(2_000);
        },
        () => isOver,
      );
      const readers = [steady, cut, pausing];
      await Promise.all(readers.map(({ opened }) => opened));

      const lists = Array.from({ length: EVENTS / LIST_EVENTS }, (_, list) => list);
      const killAt = Math.floor(lists.length / 2);
      const acked: number[] = [];
      const startedMs = performance.now();
      const poster = async () => {
        for (let list = lists.shift(); list !== undefined; list = lists.shift()) {
          if (list === killAt) await stack.restart();
          const events = Array.from({ length: LIST_EVENTS }, (_, i) => {
            return { tags: ["load", `list:${list}`], type: "load", value: list * LIST_EVENTS + i };
          });
          for (const seq of await post(database, events, `list-${list}`)) acked.push(seq);
        }
      };
      await Promise.all([poster(), poster(), poster()]);
      const postedMs = performance.now() - startedMs;
      await until(() => readers.every(({ seqs }) => seqs.length >= EVENTS), TIMEOUT_MS);
      const streamedMs = performance.now() - startedMs;
      isOver = true;
      const inOrder = Float64Array.from(acked).toSorted();
      expect(new Set(acked).size).toBe(EVENTS);
      for (const { seqs } of readers) {
        expect(seqs.length).toBe(EVENTS);
        expect(inOrder.every((seq, i) => seqs[i] === seq)).toBe(true);
      }
      const stored = await client.row("SELECT count(*) FROM tagged_events", database);
      expect(stored).toEqual([EVENTS + 1]);
      const visits = readers.map((reader) => reader.visits).join(", ");
      const rate = Math.round(EVENTS / (streamedMs / 1_000));
      console.log(
        `${EVENTS} events posted in ${Math.round(postedMs)} ms, streamed in ` +
          `${Math.round(streamedMs)} ms (${rate}/s); connections of the listeners: ${visits}`,
      );
      for (const reader of readers) reader.end();
    },
    TIMEOUT_MS,
  );
});

async function listen(
  database: string,
  onEvent: ConstructorParameters<typeof EventListener>[1],
  lastEventId = "",
): Promise<EventListener> {
  const url = `${stack.url}${STREAM}?database=${database}`;
  const listener = new EventListener(url, onEvent, { lastEventId });
  expect(await listener.opened).toBe(200);
  return listener;
}

/** Listens for ever: comes back with the last id whenever `visit` or the connection has ended. */
function follow(
  database: string,
  visit: (listener: EventListener) => Promise<unknown>,
  isOver: () => boolean,
) {
  const opened = Promise.withResolvers<void>();
  const reader = { seqs: [] as number[], visits: 0, opened: opened.promise, end: () => {} };
  const run = async () => {
    let lastEventId = "";
    while (!isOver()) {
      const url = `${stack.url}${STREAM}?database=${database}`;
      const listener = new EventListener(url, ({ seq }) => reader.seqs.push(seq), { lastEventId });
      reader.end = () => listener.cut();
      reader.visits += 1;
      if ((await listener.opened) === 200) {
        await until(() => listener.lastEventId !== "");
        opened.resolve();
        await Promise.race([visit(listener), listener.ended]);
        listener.cut();
      }
      await listener.ended;
      lastEventId = listener.lastEventId || lastEventId;
      await sleep(20);
    }
  };
  void run();
  return reader;
}

/** The places of the events; until they are stored, as a client does that has a key. */
async function post(
  database: string,
  events: readonly object[],
  key: string = crypto.randomUUID(),
): Promise<number[]> {
  for (;;) {
    try {
      const headers = { "x-arc-database": database, "idempotency-key": key };
      const response = await client.post("/api/v1/events", events, headers);
      const stored = (await response.json()) as { seq: number }[];
      if (response.status === 201) return stored.map(({ seq }) => seq);
      expect([429, 503]).toContain(response.status);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    }
    await sleep(100);
  }
}

async function status(database: string): Promise<Record<string, number>> {
  const response = await client.fetch(`${STREAM}/status?database=${database}`);
  return (await response.json()) as Record<string, number>;
}

async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${isTrue}`);
    await sleep(20);
  }
}
