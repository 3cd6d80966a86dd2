// Posting events and listening to them over HTTP: what is answered, kept, told, and refused.

import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventListener, type StreamedEvent } from "../helpers/event-listener.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack({ EVENT_HEARTBEAT_MS: "300" });
const client = new HttpClient(() => stack.url);
const EVENTS = "/api/v1/events";

beforeAll(() => stack.start());
afterAll(() => stack.remove());

describe("a post of events", () => {
  test("is answered with the event as it is stored, and is a row from then on", async () => {
    const created = {
      tags: ["deployments", "deployments:6ce79a33", "archiving", "archiving:create"],
      value: "name: sava",
      timestamp: "2015-04-21T09:15:42Z",
    };
    const response = await client.post(EVENTS, created);
    expect(response.status).toBe(201);
    const stored = (await response.json()) as StreamedEvent;
    expect(stored).toEqual({ ...created, id: stored.id, seq: stored.seq, type: "event" });
    const sql = `SELECT id, type, tags, value, time FROM tagged_events WHERE seq = ${stored.seq}`;
    const tags = JSON.stringify(created.tags);
    const row = [stored.id, "event", tags, '"name: sava"', "2015-04-21T09:15:42Z"];
    expect(await client.row(sql)).toEqual(row);
  });

  test("may be a list, compressed, with any values, or none", async () => {
    const events = [
      { tags: ["a"], type: "gateway-metric", value: { rate: [1.5, null] } },
      { tags: ["a"], type: "", value: "" },
      { tags: ["a"], id: "mine" },
      { tags: ["a"], value: null },
    ];
    const response = await client.fetch(`${EVENTS}?database=lists`, {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(events)),
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject([
      { type: "gateway-metric", value: { rate: [1.5, null] } },
      { type: "event", value: "" },
      { id: "mine", value: "" },
      { value: null },
    ]);
    const values = await client.query("SELECT value FROM tagged_events ORDER BY seq", "lists");
    expect(values.data).toEqual([['{"rate":[1.5,null]}'], ['""'], [null], ["null"]]);
  });

  test("gives every column its type, also when the first event has no value", async () => {
    await post("bare", { tags: ["a"] });
    expect((await client.query("SELECT value, seq FROM tagged_events", "bare")).data).toEqual([
      [null, 1],
    ]);
  });

  test("under a key is stored once, and answered as it was the first time", async () => {
    const headers = { "idempotency-key": "once", "x-arc-database": "keys" };
    const events = [{ tags: ["a"] }, { tags: ["b"] }];
    const first = await client.post(EVENTS, events, headers);
    await stack.restart();
    const second = await client.post(EVENTS, events, headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get("x-sluice-duplicate")).toBe("true");
    expect(await client.row("SELECT count(*) FROM tagged_events", "keys")).toEqual([2]);
    const other = await client.post(EVENTS, [{ tags: ["c"] }], headers);
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ code: "idempotency_key_reused" });
  });

  test("that is wrong is refused whole, with the event and the field", async () => {
    const response = await client.post(EVENTS, [{ tags: ["a"] }, { value: 1 }], {
      "x-arc-database": "wrong",
    });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: "event_invalid",
      detail: { item: 1, field: "tags" },
    });
    const rows = await client.query("SELECT * FROM tagged_events", "wrong");
    expect(rows.data ?? []).toEqual([]);
  });

  test("of nothing is refused alone, and a value comes back digit by digit", async () => {
    const headers = { "x-arc-database": "neighbours" };
    const precise = '{"tags":["a"],"value":{"n":123456789.123456789}}';
    const [empty, full] = await Promise.all([
      client.post(EVENTS, [], headers),
      client.fetch(EVENTS, { method: "POST", body: precise, headers }),
    ]);
    expect([empty.status, full.status]).toEqual([422, 201]);
    expect(await empty.json()).toMatchObject({ code: "event_invalid" });
    expect(await full.text()).toContain('{"n":123456789.123456789}');
    const found = await client.fetch(`${EVENTS}?tag=a`, { headers });
    expect(await found.text()).toContain('{"n":123456789.123456789}');
  });

  test("that the measurement cannot take is refused, and the next one is none the worse", async () => {
    const line = "tagged_events seq=1.5";
    const headers = { "x-arc-database": "taken" };
    const path = "/api/v1/write/line-protocol";
    await client.fetch(path, { method: "POST", body: `${line}\n`, headers });
    await client.fetch(path, { method: "POST", body: "tagged_events id=1i\n", headers });
    const response = await client.post(EVENTS, { tags: ["a"] }, headers);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "column_type_conflict" });
    await client.fetch("/api/v1/databases/taken/measurements/tagged_events?confirm=true", {
      method: "DELETE",
    });
    expect((await client.post(EVENTS, { tags: ["a"] }, headers)).status).toBe(201);
  });
});

describe("a stream", () => {
  test("tells events as they are stored, filtered by the tags of a body or of the URL", async () => {
    const events: Record<string, StreamedEvent[]> = { all: [], url: [], body: [], type: [] };
    expect(await listen("told", "", []).opened).toBe(404);
    await post("told", { tags: ["before"] });
    const listeners = [
      listen("told", "", events["all"]!),
      listen("told", "&tag=archiving&tag=breeds", events["url"]!),
      listen("told", "", events["body"]!, { body: '{"tags":["metrics"]}' }),
      listen("told", "&type=health", events["type"]!),
    ];
    for (const { opened } of listeners) expect(await opened).toBe(200);
    await post("told", [
      { tags: ["archiving"], value: 1 },
      { tags: ["breeds", "archiving"], value: 2 },
      { tags: ["metrics", "x"], value: 3 },
      { tags: ["metrics:rate"], type: "health", value: 4 },
    ]);
    await until(() => events["all"]!.length === 4 && events["type"]!.length === 1);
    const values = Object.values(events).map((list) => list.map(({ value }) => value));
    expect(values).toEqual([[1, 2, 3, 4], [2], [3], [4]]);
    for (const listener of listeners) listener.cut();
  });

  test("can begin at the beginning, and be resumed from the URL", async () => {
    await post("past", [{ tags: ["a"] }, { tags: ["b"] }, { tags: ["a"] }]);
    await stack.restart();
    const all: StreamedEvent[] = [];
    const late: StreamedEvent[] = [];
    const beginning = listen("past", "&from=beginning&tag=a", all);
    const resumed = listen("past", "&last_event_id=1", late);
    await until(() => all.length === 2 && late.length === 2);
    expect(all.map(({ seq }) => seq)).toEqual([1, 3]);
    expect(late.map(({ seq }) => seq)).toEqual([2, 3]);
    await post("past", { tags: ["a"] });
    await until(() => all.length === 3 && late.length === 3);
    beginning.cut();
    resumed.cut();
  });

  test("tells a listener that hears nothing where to resume", async () => {
    await post("quiet", { tags: ["a"] });
    const heard: StreamedEvent[] = [];
    const listener = listen("quiet", "&tag=never", heard);
    await listener.opened;
    await post("quiet", [{ tags: ["a"] }, { tags: ["a"] }]);
    await until(() => listener.lastEventId === "3");
    expect(heard).toEqual([]);
    listener.cut();
  });

  test("ends when its token does, and is refused to one that may not read", async () => {
    await post("secret", { tags: ["a"] });
    const token = async (databases: string[]) => {
      const fields = { name: crypto.randomUUID(), permissions: ["read"], databases };
      const response = await client.post("/api/v1/auth/tokens", fields);
      return (await response.json()) as { token: string; token_info: { id: number } };
    };
    const stranger = await token(["other"]);
    expect(await listen("secret", "", [], { token: stranger.token }).opened).toBe(403);
    const friend = await token(["secret"]);
    const listener = listen("secret", "", [], { token: friend.token });
    expect(await listener.opened).toBe(200);
    await client.fetch(`/api/v1/auth/tokens/${friend.token_info.id}/revoke`, { method: "POST" });
    await listener.ended;
  });

  test("ends when its database is dropped", async () => {
    await post("dropped", { tags: ["a"] });
    const listener = listen("dropped", "", []);
    expect(await listener.opened).toBe(200);
    const drop = await client.fetch("/api/v1/databases/dropped?confirm=true", { method: "DELETE" });
    expect(drop.status).toBe(200);
    await listener.ended;
    const response = await client.post(EVENTS, { tags: ["b"] }, { "x-arc-database": "dropped" });
    expect(await response.json()).toMatchObject({ seq: 1 });
  });

  test.each([
    ["last_event_id=x", "last_event_id"],
    ["from=then", "from"],
    ["type=a%20b", "type"],
    ["tag=", "tags[0]"],
    ["tags=a", "tags"],
  ])("is refused with %s", async (query, field) => {
    const response = await client.fetch(`${EVENTS}/stream?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: { field } });
  });
});

function listen(
  database: string,
  query: string,
  events: StreamedEvent[],
  options: { body?: string; token?: string } = {},
): EventListener {
  const url = `${stack.url}${EVENTS}/stream?database=${database}${query}`;
  return new EventListener(url, (event) => void events.push(event), {
    token: ADMIN_TOKEN,
    ...options,
  });
}

async function post(database: string, body: unknown): Promise<void> {
  const response = await client.post(EVENTS, body, { "x-arc-database": database });
  expect(response.status).toBe(201);
}

async function until(isTrue: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`never: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
