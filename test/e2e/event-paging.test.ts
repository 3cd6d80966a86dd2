// Paging under writes, on the real stack: whoever pages through the events meets each of those that
// were there at the start once, and none that came later, whatever their times are.
//
// PAGING_EVENTS=100000 is the full size.

import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { Stack } from "../helpers/stack.ts";

const EVENTS = Number(process.env["PAGING_EVENTS"] ?? 3_000);
const POST_EVENTS = 1_000;
const T0 = Date.UTC(2026, 0, 1);
const SPAN_MS = 30 * 24 * 3_600_000;

const stack = new Stack({ SEAL_AFTER_MS: "2000" });
const client = new HttpClient(() => stack.url);
beforeAll(() => stack.start(), 120_000);
afterAll(() => stack.remove());

interface Event {
  readonly seq: number;
  readonly value: string;
  readonly timestamp: string;
}

/** Times are anywhere: what comes late lies among what came before. */
function events(count: number, name: string, random: () => number): object[] {
  return Array.from({ length: count }, (_, at) => ({
    tags: ["pages", `pages:${at % 7}`],
    type: "metrics",
    value: `${name}-${at}`,
    timestamp: new Date(T0 + Math.floor(random() * SPAN_MS)).toISOString(),
  }));
}

async function post(list: readonly object[]): Promise<void> {
  const response = await client.post("/api/v1/events", list);
  expect(response.status).toBe(201);
  await response.arrayBuffer();
}

test(
  `${EVENTS} events in pages of 30 while others are written, each once`,
  async () => {
    const seed = Number(process.env["FC_SEED"] ?? Date.now() % 1_000_000);
    console.log(`times of seed ${seed}`);
    const random = seededRandom(seed);
    for (let from = 0; from < EVENTS; from += POST_EVENTS) {
      await post(events(Math.min(POST_EVENTS, EVENTS - from), `start${from}`, random));
    }
    const end = new AbortController();
    let written = 0;
    const writers = Array.from({ length: 3 }, async (_, writer) => {
      while (!end.signal.aborted) {
        await post(events(10, `late${writer}`, random));
        written += 10;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    const found: Event[] = [];
    const startMs = Date.now();
    let pages = 0;
    let position = 0;
    for (let path = "/api/v1/events?tag=pages&lte=now"; path !== ""; pages++) {
      const response = await client.fetch(path);
      const page = (await response.json()) as Event[];
      expect([response.status, page.length > 0]).toEqual([200, true]);
      position ||= Number(response.headers.get("x-event-position"));
      const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "");
      path = link?.[1] ?? "";
      expect([path === "", page.length === 30]).toContain(true);
      found.push(...page);
    }
    const seconds = (Date.now() - startMs) / 1_000;
    end.abort();
    await Promise.all(writers);
    console.log(`${pages} pages in ${seconds} s, while ${written} events were written`);
    const wanted = found.filter(({ value }) => value.startsWith("start"));
    expect(wanted).toHaveLength(EVENTS);
    expect(new Set(wanted.map(({ value }) => value)).size).toBe(EVENTS);
    // The writers' first events may be older than the first page.
    expect(found.filter(({ seq }) => seq > position)).toEqual([]);
    expect(new Set(found.map(({ seq }) => seq)).size).toBe(found.length);
    const inOrder = found.toSorted(
      (a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp) || b.seq - a.seq,
    );
    expect(found.map(({ seq }) => seq)).toEqual(inOrder.map(({ seq }) => seq));
    expect(written).toBeGreaterThan(0);
  },
  EVENTS * 30 + 60_000,
);
