// Questions about events on the real stack: the examples of the event API's document, in the three
// forms in which they may be asked, pages by link, sums, and what is refused.

import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const PATH = "/api/v1/events";
/** `default` also has the archive of what is done here. */
const DATABASE = "shop";
const GATEWAY = "d9b42796-d8f6-431b-9230-9d316defaf6d_frontend_8080";
const SERVICE = "monarch_front:0.2";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** `fetch` sends no body with a GET. */
function send(method: string, path: string, body?: unknown, database = DATABASE): Promise<Answer> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${ADMIN_TOKEN}`,
    "x-arc-database": database,
    ...(text === "" ? {} : { "content-length": Buffer.byteLength(text) }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(stack.url + path, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { statusCode: status = 0, headers: told } = response;
        const answer = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
        resolve({ status, headers: told, body: answer });
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

async function post(events: unknown): Promise<void> {
  const response = await client.post(PATH, events, { "x-arc-database": DATABASE });
  expect([response.status, await response.json()]).toMatchObject([201, {}]);
}

/** Neither a database nor a measurement has to be there for that. */
async function expectNone(database: string): Promise<void> {
  const answer = await send("GET", PATH, undefined, database);
  expect(answer).toMatchObject({ status: 200, body: [] });
}

/** The values of the events that an answer lists. */
function values({ body }: Answer): unknown[] {
  return (body as { value: unknown }[]).map(({ value }) => value);
}

const metric = (kind: string, value: unknown, second: number, more: string[] = []) => ({
  tags: [`routes:${GATEWAY}`, `metrics:${kind}`, "metrics", "route", ...more],
  type: "gateway-metric",
  value,
  timestamp: `2015-06-08T10:28:${String(second).padStart(2, "0")}.001Z`,
});

beforeAll(async () => {
  await stack.start();
  await expectNone("default");
  await client.post("/api/v1/databases", { name: DATABASE });
  await expectNone(DATABASE);
  await post([
    metric("rtime", 12, 32),
    metric("rtime", 13, 35),
    metric("scur", 4, 33, [`services:${SERVICE}`, "service"]),
    metric("rate", { per: { second: 7 } }, 34, [`services:${SERVICE}`, "service"]),
    {
      tags: ["deployments", "deployments:6ce79a33", "archiving", "archiving:create"],
      type: "archive",
      value: "name: sava",
      timestamp: "2015-04-21T09:15:42Z",
    },
    {
      tags: ["deployments", "deployments:6ce79a33", "archiving", "archiving:delete"],
      type: "archive",
      timestamp: "2015-04-21T09:17:31Z",
    },
  ]);
}, 120_000);
afterAll(() => stack.remove());

describe("the document's examples", () => {
  const UNTIL_NOW = { timestamp: { lte: "now" } };
  test.each([
    ["all metrics", ["metrics"], [13, { per: { second: 7 } }, 4, 12]],
    ["the response time", [`routes:${GATEWAY}`, "metrics:rtime", "route"], [13, 12]],
    [
      "the sessions of a service",
      [`routes:${GATEWAY}`, "metrics:scur", `services:${SERVICE}`, "service"],
      [4],
    ],
    [
      "all of a service",
      [`routes:${GATEWAY}`, "metrics", `services:${SERVICE}`, "service"],
      [{ per: { second: 7 } }, 4],
    ],
    ["deletes in the archive", ["archiving", "archiving:delete"], [""]],
  ])("give %s, newest first, in each form", async (_, tags, expected) => {
    const question = { tags, ...UNTIL_NOW };
    const query = tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join("&");
    const answers = [
      await send("GET", PATH, question),
      await send("QUERY", PATH, question),
      await send("GET", `${PATH}?${query}&lte=now`),
    ];
    for (const answer of answers) {
      expect([answer.status, values(answer)]).toEqual([200, expected]);
      expect(answer.headers["link"]).toBeUndefined();
    }
  });

  test("echo an event as it was sent, with its id and place", async () => {
    const { body } = await send("GET", PATH, { tags: ["archiving:create"] });
    expect(body).toEqual([
      {
        id: expect.any(String),
        seq: expect.any(Number),
        type: "archive",
        tags: ["deployments", "deployments:6ce79a33", "archiving", "archiving:create"],
        value: "name: sava",
        timestamp: "2015-04-21T09:15:42Z",
      },
    ]);
  });
});

describe("a time", () => {
  test.each([
    ["2015-06-08T10:28:33.001Z", [4]],
    ["2015-06-08T10:28:33Z", []],
    ["2015-06-08T10:28", [13, { per: { second: 7 } }, 4, 12]],
    ["2015-04-21", ["", "name: sava"]],
    [
      { gte: "2015-06-08T10:28:33.001Z", lte: "2015-06-08T10:28:34.001Z" },
      [{ per: { second: 7 } }, 4],
    ],
    [{ gt: "2015-06-08T10:28:33.001Z", lt: "2015-06-08T10:28:35.001Z" }, [{ per: { second: 7 } }]],
    [{ gte: Date.UTC(2015, 5, 8, 10, 28, 35, 1), lte: "now" }, [13]],
    [{ lte: "2015-04-22||-1d/d" }, ["", "name: sava"]],
    [{ lt: "2015-06-08||/M" }, ["", "name: sava"]],
    [{ gt: "2015-06-08||/y" }, []],
    [{ gte: "now-1h/d" }, []],
  ])("as %j means its events", async (timestamp, expected) => {
    expect(values(await send("QUERY", PATH, { timestamp }))).toEqual(expected);
  });
});

describe("pages", () => {
  test("are led through by their links, also where the question is a body", async () => {
    const body = { tags: ["metrics"], per_page: 3 };
    const first = await send("GET", PATH, body);
    expect(values(first)).toEqual([13, { per: { second: 7 } }, 4]);
    await post({ ...metric("late", 99, 33), value: 99 });
    const link = /^<(.+)>; rel="next"$/.exec(String(first.headers["link"]))![1]!;
    for (const again of [body, undefined]) {
      const second = await send("GET", link, again);
      expect([values(second), second.headers["link"]]).toEqual([[12], undefined]);
    }
    const cursor = first.headers["x-next-cursor"];
    expect(values(await send("QUERY", PATH, { ...body, cursor }))).toEqual([12]);
    expect(await send("QUERY", PATH, { tags: ["route"], cursor })).toMatchObject({
      status: 400,
      body: { code: "parameter_invalid", detail: { field: "cursor" } },
    });
    const position = first.headers["x-event-position"];
    const numbered = `${PATH}?tag=metrics&per_page=3&page=2`;
    expect(values(await send("GET", `${numbered}&position=${position}`))).toEqual([12]);
    expect(values(await send("GET", numbered))).toEqual([4, 12]);
  });
});

test("a page of too many bytes is refused, and a smaller one is not", async () => {
  const value = "x".repeat(250_000);
  const large = Array.from({ length: 24 }, () => ({ tags: ["large"], type: "large", value }));
  for (let i = 0; i < 3; i++) await post(large);
  const refused = await send("GET", `${PATH}?tag=large&per_page=100`);
  expect(refused.status).toBe(422);
  const { code } = refused.body as { code: string };
  // Whether the engine can still sort them is up to what else its isolate holds.
  expect(["query_too_large", "query_out_of_memory"]).toContain(code);
  expect(values(await send("GET", `${PATH}?tag=large`))).toHaveLength(30);
}, 60_000);

describe("sums", () => {
  test.each([
    [{ type: "count" }, { value: 2 }],
    [{ type: "average" }, { value: 12.5 }],
    [{ type: "percentiles", percentiles: [50] }, { value: { 50: 12.5 } }],
    [
      { type: "max", interval: "1m" },
      { rows: [{ timestamp: "2015-06-08T10:28:00Z", value: 13 }], truncated: false },
    ],
    [
      { type: "min", group_by: "tag:metrics" },
      { rows: [{ tag: "metrics:rtime", value: 12 }], truncated: false },
    ],
  ])("as %j", async (aggregator, expected) => {
    const answer = await send("GET", PATH, { tags: ["metrics:rtime"], aggregator });
    expect(answer).toMatchObject({ status: 200, body: expected });
  });

  test("are of a field within the values, asked in the URL", async () => {
    const path = `${PATH}?aggregator=sum&field=per.second`;
    expect((await send("GET", path)).body).toEqual({ value: 7 });
  });

  test("of nothing are nothing", async () => {
    await client.post("/api/v1/databases", { name: "empty" });
    const count = { aggregator: { type: "count" } };
    expect((await send("QUERY", PATH, count, "empty")).body).toEqual({ value: 0 });
    expect((await send("QUERY", PATH, {}, "empty")).body).toEqual([]);
  });
});

describe("is refused", () => {
  test.each([
    ["QUERY", PATH, { tags: "metrics" }, 400, "tags"],
    ["GET", PATH, { timestamp: { lte: "soon" } }, 400, "timestamp.lte"],
    ["GET", `${PATH}?limit=3`, undefined, 400, "limit"],
    ["GET", `${PATH}?tag=a`, { tags: ["b"] }, 400, "tags"],
    ["GET", PATH, { aggregator: { type: "median" } }, 400, "aggregator.type"],
  ])("%s %s %j", async (method, path, body, status, field) => {
    expect(await send(method, path, body)).toMatchObject({ status, body: { detail: { field } } });
  });

  test("a body that is no object, a database that is not there, a token that may not", async () => {
    expect(await send("GET", PATH, [])).toMatchObject({ body: { code: "json_invalid" } });
    expect(await send("GET", PATH, {}, "nowhere")).toMatchObject({
      status: 404,
      body: { code: "database_unknown" },
    });
    const made = await client.post("/api/v1/auth/tokens", {
      name: "elsewhere",
      permissions: ["read"],
      databases: ["other"],
    });
    const { token } = (await made.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect((await client.fetch(PATH, { headers })).status).toBe(403);
    expect((await client.fetch("/api/v1/correlate?around=now", { headers })).status).toBe(403);
    expect((await fetch(stack.url + PATH)).status).toBe(401);
  });
});
