// Alert rules over HTTP on the real server, with a receiver that checks signatures.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AlertReceiver } from "../helpers/alert-receiver.ts";
import { HttpClient, encodeBatch } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);
const receiver = new AlertReceiver();

type Json = Readonly<Record<string, unknown>>;
interface RuleBody extends Json {
  readonly id: number;
  readonly secret: string;
  readonly state: Json & { readonly instances: readonly Json[]; readonly webhook: Json };
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
  for (const { id } of (await call("GET", "")).body as unknown as RuleBody[]) {
    await call("DELETE", `/${id}`);
  }
  receiver.reset();
});

async function call(method: string, path: string, body?: object, by = client) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await by.fetch(`/api/v1/alerts${path}`, init);
  return { status: response.status, body: (await response.json()) as RuleBody };
}

/** Runs by itself once an hour: a test runs it. */
const RULE = {
  name: "hot",
  kind: "condition",
  sql: "SELECT host, last(degrees ORDER BY time) AS degrees FROM temperatures GROUP BY host",
  condition: { operator: ">", threshold: 80 },
  every: "1h",
  severity: "critical",
};

async function create(fields: object = {}): Promise<RuleBody> {
  const { status, body } = await call("POST", "", { ...RULE, url: receiver.url, ...fields });
  expect(status, JSON.stringify(body)).toBe(201);
  receiver.secret = body.secret;
  return body;
}

/** Rows of now: the latest of a host is what counts. */
async function measure(
  degrees: Readonly<Record<string, number>>,
  database = "default",
): Promise<void> {
  const hosts = Object.keys(degrees);
  const time = hosts.map(() => BigInt(Date.now()) * 1_000n);
  const columns = { time, host: hosts, degrees: Object.values(degrees).map((one) => one + 0.5) };
  const written = await client.write(encodeBatch("temperatures", columns), { database });
  expect(written.status).toBe(204);
}

async function run(id: number): Promise<Json[]> {
  const { status, body } = await call("POST", `/${id}/run`);
  expect(status, JSON.stringify(body)).toBe(200);
  return [...body.state.instances].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function history(id: number): Promise<string[]> {
  const { body } = await call("GET", `/${id}/history`);
  const events = body as unknown as { tags: string[]; value: { labels: Json } }[];
  return events.map(({ tags, value }) => `${tags[2]} ${JSON.stringify(value.labels ?? {})}`);
}

describe("a condition", () => {
  test("fires and resolves per host, as signed webhooks and as events", async () => {
    await measure({ a: 20, b: 20 });
    const { id } = await create({ annotations: { runbook: "https://example.org/hot" } });
    expect((await run(id)).map(({ state }) => state)).toEqual(["ok", "ok"]);
    await measure({ a: 90 });
    expect(await run(id)).toMatchObject([
      { labels: { host: "a" }, state: "firing", value: 90.5, threshold: 80, operator: ">" },
      { labels: { host: "b" }, state: "ok" },
    ]);
    const metrics = await (await client.fetch("/metrics")).text();
    expect(metrics).toContain('sluice_alerts_firing{database="default"} 1\n');
    await measure({ a: 30 });
    expect(await run(id)).toMatchObject([{ state: "resolved" }, { state: "ok" }]);
    await vi.waitUntil(() => receiver.taken().length >= 2, { timeout: 10_000 });
    expect(receiver.forged).toEqual([]);
    expect(receiver.notices).toMatchObject([
      { status: "firing", alerts: [{ labels: { host: "a" }, value: 90.5 }] },
      { status: "resolved", alerts: [{ labels: { host: "a" }, value: 30.5 }] },
    ]);
    expect(receiver.notices[0]!.alert).toMatchObject({
      id,
      name: "hot",
      database: "default",
      severity: "critical",
      annotations: { runbook: "https://example.org/hot" },
    });
    await vi.waitUntil(async () => (await history(id)).length >= 2, { timeout: 10_000 });
    const host = '{"host":"a"}';
    expect(await history(id)).toEqual([`alerts:resolved ${host}`, `alerts:firing ${host}`]);
    const found = await client.fetch("/api/v1/events?tag=alerts:firing");
    expect(await found.json()).toMatchObject([{ type: "alert", value: { state: "firing" } }]);
  });

  test("runs by itself, and fires only once it has held for as long as it must", async () => {
    await measure({ a: 95 });
    const { id } = await create({ every: "10s", for: "15s" });
    const state = async () => (await call("GET", `/${id}`)).body.state.instances[0]?.["state"];
    await vi.waitUntil(async () => (await state()) === "pending", { timeout: 8_000 });
    await vi.waitUntil(async () => (await state()) === "firing", {
      timeout: 40_000,
      interval: 200,
    });
    await vi.waitUntil(() => receiver.taken().length === 1, { timeout: 10_000 });
    const host = '{"host":"a"}';
    await vi.waitUntil(async () => (await history(id)).length >= 2, { timeout: 10_000 });
    expect(await history(id)).toEqual([`alerts:firing ${host}`, `alerts:pending ${host}`]);
  }, 70_000);

  test("loses nothing when the server is killed while the receiver is down", async () => {
    await measure({ a: 10 });
    const { id } = await create();
    receiver.answer = () => 503;
    await measure({ a: 91 });
    await run(id);
    await vi.waitUntil(() => receiver.notices.length >= 1, { timeout: 5_000 });
    await stack.restart();
    await measure({ a: 11 });
    await run(id);
    await stack.restart();
    receiver.answer = () => 204;
    await vi.waitUntil(() => receiver.taken().length >= 2, { timeout: 90_000 });
    expect(receiver.taken()).toEqual(["firing", "resolved"]);
    expect(receiver.forged).toEqual([]);
    const first = receiver.notices[0]!;
    const again = receiver.notices.filter(({ webhookId }) => webhookId === first.webhookId);
    expect(new Set(again.map(({ body }) => body)).size).toBe(1);
    const host = '{"host":"a"}';
    await vi.waitUntil(async () => (await history(id)).length >= 2, { timeout: 20_000 });
    expect(await history(id)).toEqual([`alerts:resolved ${host}`, `alerts:firing ${host}`]);
    expect((await call("GET", `/${id}`)).body.state.webhook).toMatchObject({ waiting: 0 });
  }, 120_000);

  test("whose query fails says so after three runs, and again when it is well", async () => {
    const { id } = await create({ sql: "SELECT max(volts) FROM temperatures" });
    for (let runs = 0; runs < 4; runs++) await run(id);
    const { body } = await call("GET", `/${id}`);
    expect(body.state).toMatchObject({ status: "error" });
    expect(body.state["last_error"]).toContain("volts");
    await call("PUT", `/${id}`, { name: "renamed", sql: "SELECT 1" });
    await run(id);
    await vi.waitUntil(() => receiver.taken().length >= 2, { timeout: 10_000 });
    expect(receiver.taken()).toEqual(["error", "ok"]);
    expect(await history(id)).toEqual(["alerts:ok {}", "alerts:error {}"]);
  });

  test("that is silenced sends nothing until then, and goes on with its events", async () => {
    await measure({ a: 99 });
    const { id } = await create({ enabled: false });
    await call("POST", `/${id}/silence`, { until: "2999-01-01T00:00:00Z" });
    await call("PUT", `/${id}`, { enabled: true });
    await run(id);
    await vi.waitUntil(async () => (await history(id)).length === 1, { timeout: 10_000 });
    expect(receiver.notices).toEqual([]);
    await call("POST", `/${id}/silence`, { until: null });
    await run(id);
    await vi.waitUntil(() => receiver.taken().length === 1, { timeout: 10_000 });
  });
});

describe("an anomaly", () => {
  test("is found in a season, and the usual is not", async () => {
    const hour = 3_600_000;
    const newest = Math.floor(Date.now() / hour) * hour - hour;
    const count = 24 * 8;
    const times = Array.from({ length: count }, (_, at) => newest - (count - 1 - at) * hour);
    // By day 1,000 more than by night; a little noise that is the same each time.
    const usual = times.map(
      (ms, at) => 1_000 * (1 + Math.sin((ms / hour / 12) * Math.PI)) + (at % 7),
    );
    const rows = (shop: string, values: number[]) =>
      client.write(
        encodeBatch("orders", {
          time: times.map((ms) => BigInt(ms) * 1_000n),
          shop: times.map(() => shop),
          orders: values.map((one) => one + 0.5),
        }),
      );
    await rows("usual", usual);
    await rows("broken", usual.with(-1, usual.at(-1)! + 500));
    const { id } = await create({
      name: "orders",
      kind: "anomaly",
      sql: "SELECT time_bucket(INTERVAL 1 HOUR, time) AS t, shop, sum(orders) FROM orders GROUP BY ALL",
      anomaly: { bucket: "1h", season: "1d" },
    });
    expect(await run(id)).toMatchObject([
      { labels: { shop: "broken" }, state: "firing" },
      { labels: { shop: "usual" }, state: "ok" },
    ]);
  });
});

describe("a metric", () => {
  test("is a gauge of the rule's object and rows of custom_metrics", async () => {
    await measure({ a: 40, b: 50 });
    const sql =
      "SELECT host, max(degrees) AS degrees FROM temperatures GROUP BY host EMIT METRICS;";
    const rule = { name: "temps", sql, metric: "sluice_custom_degrees", every: "1h" };
    const { status, body } = await call("POST", "", rule);
    expect([status, body["kind"], body["sql"]]).toEqual([201, "metric", sql.slice(0, -14).trim()]);
    await run(body.id);
    const shown = (await call("GET", `/${body.id}`)).body;
    expect(shown.state["series"]).toHaveLength(2);
    const text = "SELECT rule, name, labels FROM custom_metrics ORDER BY labels LIMIT 2";
    const { data } = await client.query(text);
    expect(data[0]).toEqual(["temps", "degrees", '{"host":"a"}']);
    const labels = 'database="default",host="a",rule="temps"';
    const series = new RegExp(`^sluice_custom_degrees{${labels}} [0-9.]+$`, "m");
    expect(await (await client.fetch("/metrics")).text()).toMatch(series);
  });
});

describe("the API of alert rules", () => {
  test.each([
    [{ name: "firing" }, "name"],
    [{ kind: "guess" }, "kind"],
    [{ sql: " ; " }, "sql"],
    [{ every: "9s" }, "every"],
    [{ every: "2d" }, "every"],
    [{ for: "soon" }, "for"],
    [{ condition: { operator: "~", threshold: 1 } }, "operator"],
    [{ condition: { operator: ">", threshold: "1" } }, "threshold"],
    [{ kind: "anomaly", anomaly: { bucket: "5h", season: "1d" } }, "bucket"],
    [{ kind: "anomaly", anomaly: { min_history: 1 } }, "min_history"],
    [{ kind: "metric", metric: "http_requests" }, "metric"],
    [{ missing: "maybe" }, "missing"],
    [{ severity: "very bad" }, "severity"],
    [{ url: "ftp://example.org/" }, "url"],
    [{ labels: { "no-dash": "x" } }, "labels"],
    [{ secret: "whsec_c2hvcnQ=" }, "secret"],
  ])("refuses %j, naming the field", async (fields, field) => {
    const { status, body } = await call("POST", "", { ...RULE, ...fields });
    expect([status, body["detail"]]).toMatchObject([400, { field }]);
  });

  test("shows what was put in, changes what it is told to, and no secret", async () => {
    const made = await create({ for: "90s", labels: { team: "x" } });
    const { secret, state, ...shown } = made;
    expect(shown).toMatchObject({ ...RULE, for: "90s", repeat: "4h", missing: "ok" });
    const changed = await call("PUT", `/${made.id}`, { every: "30s" });
    expect(changed.body).toMatchObject({ ...RULE, every: "30s", for: "90s" });
    expect(JSON.stringify((await call("GET", "")).body)).not.toContain(secret);
    expect(state["status"]).toBe("ok");
    const sql = `SELECT tags FROM tagged_events WHERE type = 'archive' AND tags LIKE '%alerts:hot%'
      AND value LIKE '%"id":${made.id},%'`;
    await vi.waitUntil(async () => (await client.query(sql)).row_count === 2, { timeout: 5_000 });
  });

  test("refuses a second one of the name, and knows none of another id", async () => {
    const { id } = await create();
    const second = await call("POST", "", RULE);
    expect([second.status, second.body["code"]]).toEqual([409, "alert_exists"]);
    await call("PUT", `/${id}`, { enabled: false });
    expect((await call("POST", `/${id}/run`)).body["code"]).toBe("alert_inactive");
    expect((await call("DELETE", `/${id}`)).status).toBe(200);
    const found = await call("GET", `/${id}`);
    expect([found.status, found.body["code"]]).toEqual([404, "alert_unknown"]);
  });

  test("resolves what fires when its rule is deleted", async () => {
    await measure({ a: 99 });
    const { id } = await create({ name: "short-lived" });
    await run(id);
    await call("DELETE", `/${id}`);
    const sql = `SELECT count(*) FROM tagged_events WHERE tags LIKE '%"alert_id:${id}"%'
      AND tags LIKE '%"alerts:resolved"%'`;
    await expect.poll(async () => (await client.row(sql))[0], { timeout: 5_000 }).toBe(1);
  });

  test("lets a database go with its rules, also while they fire", async () => {
    await measure({ a: 99 }, "shop");
    const { id } = await create({ database: "shop" });
    await run(id);
    const dropped = await client.fetch("/api/v1/databases/shop?confirm=true", { method: "DELETE" });
    expect(dropped.status).toBe(200);
    expect((await call("GET", `/${id}`)).status).toBe(404);
    const again = await create({ database: "shop" });
    expect(again.state.instances).toEqual([]);
    expect(again.id).not.toBe(id);
    // The records are erased within moments: a fault on the way would be logged.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(readFileSync(stack.logPath, "utf8")).not.toContain("drop_failed");
  });
});
