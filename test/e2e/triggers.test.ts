// Triggers over HTTP, with a receiver that fails in every way it can.

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";
import { WebhookReceiver } from "../helpers/webhook-receiver.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);
const receiver = new WebhookReceiver(0);

interface TriggerBody {
  readonly id: number;
  readonly secret: string;
  readonly enabled: boolean;
  readonly state: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

beforeAll(async () => {
  await stack.start();
  await receiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await stack.remove();
});

beforeEach(async () => {
  for (const { id } of (await call("GET", "")).body as unknown as TriggerBody[]) {
    await call("DELETE", `/${id}`);
  }
  receiver.answer = () => 204;
  receiver.deliveries.length = 0;
  receiver.forged.length = 0;
});

async function call(method: string, path: string, body?: object, by = client) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await by.fetch(`/api/v1/triggers${path}`, init);
  return { status: response.status, body: (await response.json()) as TriggerBody };
}

async function create(fields: object = {}): Promise<TriggerBody> {
  const trigger = { name: "hook", tags: ["orders"], url: receiver.url, ...fields };
  const { status, body } = await call("POST", "", trigger);
  expect(status, JSON.stringify(body)).toBe(201);
  receiver.secret = body.secret;
  return body;
}

async function post(values: readonly unknown[], tags = ["orders"], database = "default") {
  const events = values.map((value) => ({ tags, value }));
  const response = await client.post("/api/v1/events", events, { "x-arc-database": database });
  expect(response.status).toBe(201);
}

/** Resolves when the receiver has taken so many events. */
async function taken(count: number, timeout = 20_000): Promise<unknown[]> {
  await vi.waitUntil(() => receiver.taken().length >= count, { timeout, interval: 20 });
  return receiver.taken().map(({ value }) => value);
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

describe("a trigger", () => {
  test("gets the events that have its tags, signed, in their order", async () => {
    const { id } = await create();
    await post([1, { deep: [true] }]);
    await post(["not wanted"], ["other"]);
    await post([3], ["orders", "orders:7"]);
    expect(await taken(3)).toEqual([1, { deep: [true] }, 3]);
    expect(receiver.forged).toEqual([]);
    const { data } = JSON.parse(receiver.deliveries[0]!.body) as { data: object };
    expect(data).toMatchObject({ database: "default", trigger: { id, name: "hook" } });
    const { body } = await call("GET", `/${id}`);
    expect(body).not.toHaveProperty("secret");
    expect(body.state).toMatchObject({ delivered_events: 3, failures: 0, last_status: 204 });
  });

  test("gets what comes after it was made, of its own database and type alone", async () => {
    await post(["before"]);
    await create({ type: "order", tags: [], database: "shop" });
    await post(["elsewhere"]);
    await post(["of another type"], ["orders"], "shop");
    const event = { type: "order", tags: ["a"], value: "wanted" };
    await client.post("/api/v1/events", event, { "x-arc-database": "shop" });
    expect(await taken(1)).toEqual(["wanted"]);
  });

  test("gets no more than 100 events in a request, and each once", async () => {
    await create();
    await post(numbers(1_050));
    expect(await taken(1_050)).toEqual(numbers(1_050));
    const sizes = receiver.deliveries.map(({ events }) => events.length);
    expect(Math.max(...sizes)).toBe(100);
  });
});

describe("a receiver that fails", () => {
  test("is sent the same request again, under the same id, until it says yes", async () => {
    receiver.answer = (count) => (count < 2 ? 500 : 204);
    const { id } = await create();
    await post([1, 2]);
    await vi.waitUntil(() => receiver.deliveries.length === 1, { timeout: 5_000 });
    await post([3]);
    const { body } = await call("GET", `/${id}`);
    expect(body.state).toMatchObject({ failures: 1, last_status: 500 });
    expect(body.state["last_error"]).toBe("the receiver answered 500");
    expect(await taken(3)).toEqual([1, 2, 3]);
    const [first, second, third] = receiver.deliveries;
    expect([second!.webhookId, third!.webhookId]).toEqual([first!.webhookId, first!.webhookId]);
    expect([second!.body, third!.body]).toEqual([first!.body, first!.body]);
    expect(receiver.deliveries[3]!.webhookId).not.toBe(first!.webhookId);
  });

  test("is given the time that it asks for", async () => {
    const wait = { status: 503, headers: { "retry-after": "3" } };
    receiver.answer = (count) => (count === 0 ? wait : 204);
    await create();
    await post([1]);
    await taken(1);
    const [first, second] = receiver.deliveries;
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(2_900);
  });

  test("is given up waiting for, and a redirect is not followed", { timeout: 40_000 }, async () => {
    const away = { status: 307, headers: { location: receiver.url } };
    receiver.answer = (count) => (count === 0 ? "hang" : count === 1 ? away : 204);
    const { id } = await create();
    await post([1]);
    await vi.waitUntil(() => receiver.deliveries.length === 2, { timeout: 20_000 });
    await vi.waitUntil(async () => (await call("GET", `/${id}`)).body.state["failures"] === 2, {
      timeout: 5_000,
    });
    const { body } = await call("GET", `/${id}`);
    expect(body.state["last_error"]).toContain("redirects are not followed");
    expect(await taken(1)).toEqual([1]);
    expect(receiver.deliveries).toHaveLength(3);
  });

  test("that is gone has its trigger disabled, which is an event, too", async () => {
    receiver.answer = () => 410;
    const { id } = await create({ name: "goner" });
    await post([1]);
    await vi.waitUntil(async () => !(await call("GET", `/${id}`)).body.enabled, { timeout: 5_000 });
    const { body } = await call("GET", `/${id}`);
    expect(body.state["disabled_reason"]).toContain("410");
    const sql = `SELECT tags, value FROM tagged_events WHERE type = 'trigger'
      AND tags LIKE '%triggers:goner%'`;
    await vi.waitUntil(async () => (await client.query(sql)).row_count === 1, { timeout: 5_000 });
    const [tags, value] = await client.row(sql);
    expect(JSON.parse(tags as string)).toContain("triggers:disabled");
    expect(JSON.parse(value as string)).toMatchObject({ id, enabled: false });
    receiver.answer = () => 204;
    await post([2]);
    await call("PUT", `/${id}`, { enabled: true });
    expect(await taken(2)).toEqual([1, 2]);
  });

  test("misses nothing when the server is killed, and gets nothing twice that it confirmed", async () => {
    receiver.answer = (count) => (count < 1 ? 500 : 204);
    await create();
    await post(numbers(150));
    await vi.waitUntil(() => receiver.deliveries.length >= 1, { timeout: 5_000 });
    await stack.restart();
    await post(numbers(50, 150));
    // Requests that were confirmed while the server died may come again, under their old ids.
    const values = () => {
      const byId = new Map(
        receiver.deliveries
          .filter(({ status }) => status === 204)
          .map(({ webhookId, events }) => [webhookId, events]),
      );
      return [...byId.values()].flat().map(({ value }) => value);
    };
    await vi.waitUntil(() => values().length >= 200, { timeout: 30_000 });
    expect(values()).toEqual(numbers(200));
    expect(receiver.deliveries[1]!.webhookId).toBe(receiver.deliveries[0]!.webhookId);
    expect(receiver.forged).toEqual([]);
  }, 60_000);
});

describe("the API of triggers", () => {
  test("shows a secret once, takes one that is given, and signs with the new one", async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const { id } = await create();
    const { body } = await call("PUT", `/${id}`, { secret });
    expect(body.secret).toBe(secret);
    receiver.secret = secret;
    await post([1]);
    await taken(1);
    expect(receiver.forged).toEqual([]);
    expect(JSON.stringify((await call("GET", "")).body)).not.toContain("whsec_");
  });

  test.each([
    ["url", { url: "ftp://example.org/" }],
    ["url", { url: "https://user:secret@example.org/" }],
    ["url", { url: `https://example.org/${"a".repeat(2_048)}` }],
    ["name", { name: "" }],
    ["tags", { tags: [""] }],
    ["tags", { tags: numbers(17).map(String) }],
    ["type", { type: "no spaces" }],
    ["secret", { secret: "whsec_c2hvcnQ=" }],
    ["enabled", { enabled: "yes" }],
    ["tag", { tag: "orders" }],
  ])("refuses a %s that is wrong, naming it (%#)", async (field, fields) => {
    const trigger = { name: "hook", url: receiver.url, ...fields };
    const { status, body } = await call("POST", "", trigger);
    expect([status, body["detail"]]).toMatchObject([400, { field }]);
  });

  test("takes back what it shows, refuses a second one of the name, and knows none of another id", async () => {
    const { id } = await create();
    const shown = (await call("GET", `/${id}`)).body;
    expect((await call("PUT", `/${id}`, { ...shown, enabled: false })).body.enabled).toBe(false);
    const { status, body } = await call("POST", "", { name: "hook", url: receiver.url });
    expect([status, body["code"]]).toEqual([409, "trigger_exists"]);
    expect((await call("DELETE", `/${id}`)).status).toBe(200);
    for (const method of ["GET", "PUT", "DELETE"]) {
      const found = await call(method, `/${id}`, method === "PUT" ? {} : undefined);
      expect([found.status, found.body["code"]]).toEqual([404, "trigger_unknown"]);
    }
  });

  test("is for administrators of the database", async () => {
    const body = { name: "writer", permissions: ["read", "write"], databases: ["default"] };
    const made = await client.post("/api/v1/auth/tokens", body);
    const { token } = (await made.json()) as { token: string };
    const writer = new HttpClient(() => stack.url, token);
    expect((await call("GET", "", undefined, writer)).status).toBe(403);
    expect((await call("POST", "", { name: "n", url: receiver.url }, writer)).status).toBe(403);
  });
});
