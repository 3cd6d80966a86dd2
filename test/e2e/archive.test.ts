// Every change of what Sluice itself keeps is an event of the database `default`, found as every
// other event, and with no secret in it.

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(async () => {
  await stack.start();
  await client.write(encodeBatch("cpu", { time: [Date.now()], load: [1] }), { database: "shop" });
  await client.flush();
});
afterAll(() => stack.remove());

type Json = Readonly<Record<string, unknown>>;

interface ArchivedEvent {
  readonly seq: number;
  readonly type: string;
  readonly tags: readonly string[];
  readonly value: Json;
}

async function send(method: string, path: string, body?: object): Promise<Json> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await client.fetch(path, init);
  const answer = (await response.json()) as Json;
  expect(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`).toBe(true);
  return answer;
}

/** All that were archived with these tags, the oldest first; waits until there are `count`. */
async function archived(tags: readonly string[], count: number): Promise<ArchivedEvent[]> {
  const query = new URLSearchParams([["tag", "archiving"], ...tags.map((tag) => ["tag", tag])]);
  const find = async () => {
    const response = await client.fetch(`/api/v1/events?${query}`);
    const body = (await response.json()) as { events?: ArchivedEvent[] } | ArchivedEvent[];
    const events = Array.isArray(body) ? body : (body.events ?? []);
    return events.toSorted((a, b) => a.seq - b.seq);
  };
  await vi.waitUntil(async () => (await find()).length >= count, { timeout: 10_000 });
  return find();
}

const actions = (events: readonly ArchivedEvent[]) =>
  events.map(({ tags }) => tags.find((tag) => tag.startsWith("archiving:"))!.slice(10));

describe("the archive", () => {
  test("has every change of a token, and never its text or digest", async () => {
    const made = await send("POST", "/api/v1/auth/tokens", { name: "ingester" });
    const { id } = made["token_info"] as { id: number };
    await send("PATCH", `/api/v1/auth/tokens/${id}`, { description: "of the shop" });
    const rotated = await send("POST", `/api/v1/auth/tokens/${id}/rotate`);
    await send("POST", `/api/v1/auth/tokens/${id}/revoke`);
    await send("DELETE", `/api/v1/auth/tokens/${id}`);
    const events = await archived(["tokens:ingester"], 5);
    expect(actions(events)).toEqual(["create", "update", "update", "update", "delete"]);
    expect(events.map(({ type }) => type)).toEqual(Array(5).fill("archive"));
    expect(events[0]!.tags).toEqual(["tokens", "tokens:ingester", "archiving", "archiving:create"]);
    expect(events[0]!.value).toEqual(made["token_info"]);
    expect(events[2]!.tags).toContain("rotated");
    expect(events[4]!.value).toMatchObject({ description: "of the shop", enabled: false });
    const secrets = [made["token"], rotated["new_token"]].map((text) => String(text).slice(-20));
    const everything = JSON.stringify(
      (await client.query("SELECT * FROM tagged_events WHERE type = 'archive'")).data,
    );
    expect(everything).toContain("ingester");
    for (const secret of secrets) expect(everything).not.toContain(secret);
    expect(everything).not.toMatch(/digest|[0-9a-f]{64}/);
  });

  test("has databases that somebody made, and their drop; not those that a write has made", async () => {
    await send("POST", "/api/v1/databases", { name: "attic" });
    await send("DELETE", "/api/v1/databases/attic?confirm=true");
    const events = await archived(["databases:attic"], 2);
    expect(actions(events)).toEqual(["create", "delete"]);
    expect(events[0]!.tags).toContain("databases");
    expect(events[1]!.value).toMatchObject({ name: "attic" });
    expect(await archived(["databases", "archiving:create"], 1)).toHaveLength(1);
  });

  test("has retention policies as the API shows them", async () => {
    const policy = { name: "a month", database: "shop", retention_days: 30 };
    const made = await send("POST", "/api/v1/retention", policy);
    await send("PUT", `/api/v1/retention/${made["id"]}`, { retention_days: 31 });
    await send("DELETE", `/api/v1/retention/${made["id"]}`);
    const events = await archived(["retention:a month", "databases:shop"], 3);
    expect(actions(events)).toEqual(["create", "update", "delete"]);
    expect(events[0]!.value).toEqual(made);
    expect(events[2]!.value).toMatchObject({ id: made["id"], retention_days: 31 });
  });

  test("has continuous queries as the API shows them", async () => {
    const query = {
      name: "hourly load",
      database: "shop",
      source_measurement: "cpu",
      destination_measurement: "cpu_hourly",
      query:
        "SELECT date_trunc('hour', time) AS time, avg(load) AS load FROM cpu " +
        "WHERE time >= '{start_time}' AND time < '{end_time}' GROUP BY 1",
      interval: "1h",
    };
    const made = await send("POST", "/api/v1/continuous_queries", query);
    await send("PUT", `/api/v1/continuous_queries/${made["id"]}`, { description: "d" });
    await send("DELETE", `/api/v1/continuous_queries/${made["id"]}`);
    const events = await archived(["continuous_queries:hourly load", "databases:shop"], 3);
    expect(actions(events)).toEqual(["create", "update", "delete"]);
    expect(events[0]!.value).toMatchObject({ id: made["id"], query: query.query, interval: "1h" });
    expect(events[2]!.value).toMatchObject({ description: "d" });
  });

  test("has a measurement that is renamed under both names, and one that is dropped", async () => {
    const path = "/api/v1/databases/shop/measurements";
    await send("PATCH", `${path}/cpu`, { name: "processors" });
    await send("DELETE", `${path}/processors?confirm=true`);
    const [renamed] = await archived(["measurements:cpu"], 1);
    expect(renamed!.tags).toEqual([
      "measurements",
      "measurements:processors",
      "archiving",
      "archiving:update",
      "databases:shop",
      "measurements:cpu",
    ]);
    const [, dropped] = await archived(["measurements:processors"], 2);
    expect(actions([dropped!])).toEqual(["delete"]);
    expect(dropped!.value).toMatchObject({ database: "shop", name: "processors", row_count: 1 });
    expect(dropped!.value["columns"]).toContainEqual({ name: "load", type: "int64" });
  });

  test("has triggers, without their secret and what a URL says beside its server", async () => {
    const url = "https://hooks.example.org/services/T0/planted?key=planted";
    const made = await send("POST", "/api/v1/triggers", { name: "pager", database: "shop", url });
    const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
    await send("PUT", `/api/v1/triggers/${made["id"]}`, { secret });
    await send("DELETE", `/api/v1/triggers/${made["id"]}`);
    const events = await archived(["triggers:pager", "databases:shop"], 3);
    expect(actions(events)).toEqual(["create", "update", "delete"]);
    expect(events[1]!.tags).toContain("rotated");
    expect(events[0]!.value).toMatchObject({ id: made["id"], url: "https://hooks.example.org" });
    const everything = JSON.stringify(events);
    for (const hidden of ["planted", "whsec_", secret.slice(6)]) {
      expect(everything).not.toContain(hidden);
    }
  });

  test("keeps the order of one thing's changes, and each once, through kills of the server", async () => {
    const made = await send("POST", "/api/v1/auth/tokens", { name: "counted" });
    const { id } = made["token_info"] as { id: number };
    const texts = Array.from({ length: 20 }, (_, i) => `change ${i}`);
    for (const [at, description] of texts.entries()) {
      const sent = client.fetch(`/api/v1/auth/tokens/${id}`, {
        method: "PATCH",
        body: JSON.stringify({ description }),
      });
      if (at % 7 === 6) {
        // Killed in the middle: whether the change was made the client does not know.
        const answer = sent.catch(() => null);
        await new Promise((resolve) => setTimeout(resolve, 4));
        await stack.restart();
        await answer;
      } else await sent;
    }
    await send("PATCH", `/api/v1/auth/tokens/${id}`, { description: "the last" });
    const sql = `SELECT value FROM tagged_events WHERE tags LIKE '%"tokens:counted"%' ORDER BY seq`;
    const read = async () =>
      (await client.query(sql)).data.map(
        ([value]) => (JSON.parse(value as string) as { description: string }).description,
      );
    await vi.waitUntil(async () => (await read()).at(-1) === "the last", { timeout: 20_000 });
    const seen = (await read()).slice(1, -1);
    expect(seen).toEqual(texts.filter((text) => seen.includes(text)));
    const sure = texts.filter((_, at) => at % 7 !== 6);
    expect(seen).toEqual(expect.arrayContaining(sure));
  }, 60_000);
});
