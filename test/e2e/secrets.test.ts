// Nothing that a client keeps secret gets into the log, the metrics, the traces or the exports:
// every route is asked with secrets in every place where a client can put one, well and badly.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { OtlpReceiver } from "../helpers/otlp-receiver.ts";
import { Stack } from "../helpers/stack.ts";
import { WebhookReceiver } from "../helpers/webhook-receiver.ts";

/** Every planted secret has it, so that one search finds them all. */
const MARK = "hunter2";
const TOKEN = `admin-${MARK}-token-of-the-server`;
const PARENT = "00f067aa0ba902b7";

const collector = new OtlpReceiver();
const hook = new WebhookReceiver(0);
let stack: Stack;
let admin: HttpClient;
let traceCount = 0;
let asked = 0;

beforeAll(async () => {
  await collector.start();
  await hook.start();
  stack = new Stack({
    ADMIN_TOKEN: TOKEN,
    LOG_LEVEL: "debug",
    SELF_DATABASE: "sluice",
    METRICS_EVERY_MS: "100",
    SEAL_AFTER_MS: "500",
    TRACE_SAMPLE_RATIO: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${MARK}-otlp`,
  });
  admin = new HttpClient(() => stack.url, TOKEN);
  await stack.start();
});
afterAll(async () => {
  await stack.remove();
  await hook.stop();
  await collector.stop();
});

/** The status of the answer; 0: there was none, as of streams, which are hung up on. */
async function ask(
  path: string,
  init: RequestInit,
  token: string | null,
  patienceMs = 30_000,
): Promise<number> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  const trace = (++traceCount).toString(16).padStart(32, "0");
  headers.set("traceparent", `00-${trace}-${PARENT}-01`);
  headers.set("cookie", `session=${MARK}-cookie`);
  headers.set("user-agent", `${MARK}-agent`);
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(stack.url + path, { ...init, headers, signal });
    await response.text();
    asked += 1;
    return response.status;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "TimeoutError") throw error;
    return 0;
  }
}

const BODY = JSON.stringify({
  sql: `SELECT '${MARK}-sql' FROM nowhere`,
  where: `host = '${MARK}-where'`,
  query: `SELECT '${MARK}-cq' AS x FROM cpu`,
  database: "default",
  measurement: "cpu",
  name: "planted",
  tags: ["planted"],
  value: `${MARK}-value`,
  url: `http://127.0.0.1:1/${MARK}-hook`,
  secret: `whsec_${Buffer.from(`${MARK}-webhook-secret-of-24+`).toString("base64")}`,
});

test("every route, with secrets in its URL, headers and body", async () => {
  const document = (await (await admin.fetch("/openapi.json")).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => /^(get|post|put|patch|delete)$/.test(method))
      .map((method) => [method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, "1")] as const),
  );
  expect(routes.length).toBeGreaterThan(60);
  for (const [method, path] of routes) {
    const url = `${path}?u=${MARK}-user&p=${MARK}-password&q=${MARK}-query`;
    const body = method === "GET" || method === "DELETE" ? {} : { body: BODY };
    for (const token of [null, `${MARK}-wrong`, TOKEN]) {
      await ask(url, { method, ...body }, token, 1_500);
    }
  }
  await ask(`/${MARK}-in-the-path`, {}, TOKEN);
  await ask(`/api/v1/query?p=${MARK}`, { method: "POST", body: `{"${MARK}` }, null);
}, 120_000);

test("writes that are refused for what they hold", async () => {
  const time = [1_700_000_000_000_000];
  const write = (columns: Record<string, readonly unknown[]>) =>
    ask("/api/v1/write/msgpack", { method: "POST", body: encodeBatch("cpu", columns) }, TOKEN);
  expect(await write({ time, value: [1], host: [`${MARK}-cell`] })).toBe(204);
  expect(await write({ time, value: [`${MARK}-conflict`] })).toBe(422);
  expect(await write({ time: [`${MARK}-time`], value: [1] })).toBe(400);
  for (const body of [`cpu value=${MARK}`, `cpu,host=${MARK} value=1,value=2`, `cpu ${MARK}`]) {
    const line = ask("/api/v1/write/line-protocol", { method: "POST", body }, TOKEN);
    expect(await line, body).toBe(400);
  }
  const csv = `time,value\n1700000000,${MARK}\n`;
  const path = "/api/v1/import/csv?measurement=cpu";
  expect(await ask(path, { method: "POST", body: csv }, TOKEN)).toBeGreaterThanOrEqual(400);
});

test("questions that fail in the engine", async () => {
  const sqls = [
    `SELECT CAST('${MARK}-cast' AS INTEGER) FROM cpu`,
    `SELECT * FROM cpu WHERE host = '${MARK}'`,
    `SELECT "${MARK}-column" FROM cpu`,
    `SELEKT '${MARK}-syntax'`,
    `SELECT * FROM "${MARK}-table"`,
    `COPY cpu TO 's3://${MARK}'`,
    `SELECT error('${MARK}-raised') FROM cpu`,
  ];
  for (const sql of sqls) {
    const init = { method: "POST", body: JSON.stringify({ sql }) };
    for (const path of ["/api/v1/query", "/api/v1/query/arrow", "/api/v1/query/estimate"]) {
      expect(await ask(path, init, TOKEN), `${path} ${sql}`).toBeGreaterThanOrEqual(200);
    }
  }
  const where = `value = CAST('${MARK}-delete' AS INTEGER)`;
  const body = JSON.stringify({ database: "default", measurement: "cpu", where, confirm: true });
  expect(await ask("/api/v1/delete", { method: "POST", body }, TOKEN)).toBeGreaterThanOrEqual(400);
});

test("tokens and webhooks; and none of all this is where an operator looks", async () => {
  const trigger = (name: string, url: string) =>
    admin.post("/api/v1/triggers", { name, tags: ["planted"], url });
  const created = (await (await trigger("taken", `${hook.url}&p=${MARK}`)).json()) as {
    secret: string;
  };
  hook.secret = created.secret;
  await trigger("not taken", `http://127.0.0.1:1/${MARK}?token=${MARK}`);
  await admin.post("/api/v1/events", { type: "x", tags: ["planted"], value: `${MARK}-event` });
  await vi.waitUntil(() => hook.deliveries.length > 0, { timeout: 20_000 });
  const token = await admin.post("/api/v1/auth/tokens", { name: "made", permissions: ["read"] });
  const { token: text } = (await token.json()) as { token: string };
  expect(await ask("/api/v1/query", { method: "POST", body: BODY }, text)).toBe(200);

  await admin.flush();
  // All that was asked has been told by then.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const places = await whatCameOut();
  expect(asked).toBeGreaterThan(200);
  expect(places["log"]!.split("request refused").length).toBeGreaterThan(100);
  const secrets = [MARK, TOKEN, created.secret, text.slice(-20), "in-the-url"];
  for (const [place, content] of Object.entries(places)) {
    expect(content.length, place).toBeGreaterThan(10_000);
    for (const secret of secrets) {
      const at = content.indexOf(secret);
      const found = at === -1 ? "" : content.slice(Math.max(0, at - 300), at + 100);
      expect(found, `${place} has ${secret}`).toBe("");
    }
  }
});

async function whatCameOut(): Promise<Record<string, string>> {
  const rows = async (measurement: string) => {
    const sql = `SELECT * FROM ${measurement}`;
    return JSON.stringify((await admin.query(sql, "sluice")).data);
  };
  return {
    log: readFileSync(stack.logPath, "utf8"),
    metrics: await (await admin.fetch("/metrics")).text(),
    "what the collector was sent": collector.texts.join("\n"),
    traces: await rows("traces"),
    logs: await rows("logs"),
  };
}
