// Who may do what: every route with every kind of token, on its own database and on another.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const admin = new HttpClient(() => stack.url);
const body = encodeBatch("cpu", { time: [1_700_000_000], v: [1] });

beforeAll(async () => {
  await stack.start();
  for (const database of ["mine", "other"]) {
    await admin.write(body, { database });
  }
});
afterAll(() => stack.remove());

interface Made {
  readonly token: string;
  readonly token_info: { readonly id: number };
}

async function make(
  name: string,
  permissions: string[],
  databases = ["mi*"],
  rest = {},
): Promise<Made> {
  const response = await admin.post("/api/v1/auth/tokens", {
    name,
    permissions,
    databases,
    ...rest,
  });
  expect(response.status).toBe(201);
  return (await response.json()) as Made;
}

const as = (token: string) => new HttpClient(() => stack.url, token);

async function statuses(client: HttpClient): Promise<Record<string, number>> {
  const get = async (path: string) => (await client.fetch(path)).status;
  const query = (database: string) =>
    client.post("/api/v1/query", { sql: "SELECT 1" }, { "x-arc-database": database });
  return {
    writeMine: (await client.write(body, { database: "mine" })).status,
    writeOther: (await client.write(body, { database: "other" })).status,
    queryMine: (await query("mine")).status,
    queryOther: (await query("other")).status,
    showMine: await get("/api/v1/databases/mine"),
    showOther: await get("/api/v1/databases/other"),
    listTokens: await get("/api/v1/auth/tokens"),
    flush: (await client.post("/api/v1/write/line-protocol/flush", {})).status,
    createDatabase: (await client.post("/api/v1/databases", { name: "more" })).status,
  };
}

describe("a token", () => {
  test("to read may read its databases and nothing else", async () => {
    const client = as((await make("reader", ["read"])).token);
    expect(await statuses(client)).toEqual({
      writeMine: 403,
      writeOther: 403,
      queryMine: 200,
      queryOther: 403,
      showMine: 200,
      showOther: 403,
      listTokens: 403,
      flush: 403,
      createDatabase: 403,
    });
  });

  test("to write may write its databases and nothing else", async () => {
    const client = as((await make("writer", ["write"])).token);
    expect(await statuses(client)).toEqual({
      writeMine: 204,
      writeOther: 403,
      queryMine: 403,
      queryOther: 403,
      showMine: 403,
      showOther: 403,
      listTokens: 403,
      flush: 403,
      createDatabase: 403,
    });
  });

  test("makes a database by writing to it only where its patterns reach", async () => {
    const writer = await make("maker", ["write"], ["new_*"]);
    expect((await admin.write(body, { database: "new_1", token: writer.token })).status).toBe(204);
    expect((await admin.write(body, { database: "old_1", token: writer.token })).status).toBe(403);
    expect((await admin.fetch("/api/v1/databases/old_1")).status).toBe(404);
  });

  test("does not see rows or names of another database through SQL", async () => {
    const client = as((await make("narrow", ["read"])).token);
    const other = await client.query("SELECT * FROM other.cpu", "mine");
    expect(other).toMatchObject({ success: false, code: "permission_denied" });
    expect((await client.query("SHOW DATABASES", "mine")).data).toEqual([["mine"]]);
    const list = await (await client.fetch("/api/v1/databases")).json();
    expect(list).toMatchObject({ count: 1, databases: [{ name: "mine" }] });
  });

  test("to administer some databases cannot make itself a token for the others", async () => {
    const client = as((await make("team admin", ["admin"])).token);
    const wanted = { name: "all", permissions: ["admin"], databases: ["*"] };
    expect((await client.post("/api/v1/auth/tokens", wanted)).status).toBe(403);
    expect((await client.fetch("/api/v1/auth/tokens")).status).toBe(403);
    expect((await client.post("/api/v1/databases/mine/flush", {})).status).toBe(200);
    expect((await client.post("/api/v1/databases/other/flush", {})).status).toBe(403);
  });

  test("reads what its SQL names without a header, where it may", async () => {
    const client = as((await make("by name", ["read"])).token);
    const query = (sql: string) => client.post("/api/v1/query", { sql });
    expect((await query("SELECT * FROM mine.cpu")).status).toBe(200);
    expect((await query("SELECT * FROM other.cpu")).status).toBe(403);
    expect((await query("SELECT * FROM cpu")).status).toBe(403);
  });

  test("works wherever Arc's clients put it", async () => {
    const { token } = await make("headers", ["read"], ["*"]);
    const places: [string, Record<string, string>][] = [
      ["", { authorization: `Bearer ${token}` }],
      ["", { authorization: `Token ${token}` }],
      ["", { authorization: token }],
      ["", { "x-api-key": token }],
      [`?p=${token}`, {}],
    ];
    for (const [search, headers] of places) {
      const init = { method: "POST", headers, body: JSON.stringify({ sql: "SELECT 1" }) };
      const response = await fetch(`${stack.url}/api/v1/query${search}`, init);
      expect([search, headers, response.status]).toEqual([search, headers, 200]);
    }
  });

  test("stops when it is revoked, rotated, deleted or expired, and at once", async () => {
    const works = async (token: string) => (await as(token).query("SELECT 1", "mine")).success;
    const made = await make("short-lived", ["read"]);
    const path = `/api/v1/auth/tokens/${made.token_info.id}`;
    expect(await works(made.token)).toBe(true);
    const rotated = (await (await admin.post(`${path}/rotate`, {})).json()) as {
      new_token: string;
    };
    expect([await works(made.token), await works(rotated.new_token)]).toEqual([false, true]);
    expect((await admin.post(`${path}/revoke`, {})).status).toBe(200);
    expect(await works(rotated.new_token)).toBe(false);
    expect((await admin.fetch(path, { method: "DELETE" })).status).toBe(200);
    expect((await admin.fetch(path, { method: "DELETE" })).status).toBe(404);
    const expiring = await make("expiring", ["read"], ["*"], { expires_in: "1s" });
    expect(await works(expiring.token)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await works(expiring.token)).toBe(false);
  });
});

describe("without a good token", () => {
  test.each([
    ["none", {}],
    ["a wrong one", { authorization: "Bearer nonsense" }],
    ["a wrong secret", { authorization: `Bearer sluice_1_${"A".repeat(43)}` }],
    ["an unknown id", { authorization: `Bearer sluice_999_${"A".repeat(43)}` }],
  ])("%s, every route but the public ones answers 401", async (_, headers) => {
    const routes = ["/api/v1/databases", "/api/v1/auth/tokens", "/api/v1/databases/mine"];
    for (const path of routes) {
      const response = await fetch(stack.url + path, { headers });
      const error = (await response.json()) as object;
      expect([path, response.status, Object.keys(error)]).toEqual([
        path,
        401,
        ["success", "error", "code", "detail", "request_id"],
      ]);
    }
    for (const path of ["/api/v1/write/msgpack", "/api/v1/query"]) {
      const response = await fetch(stack.url + path, { method: "POST", headers, body: "x" });
      expect([path, response.status]).toEqual([path, 401]);
    }
    for (const path of ["/health", "/ready", "/live"]) {
      expect((await fetch(stack.url + path, { headers })).status).toBe(200);
    }
    expect((await fetch(`${stack.url}/api/v1/auth/verify`, { headers })).status).toBe(401);
  });
});

describe("the token routes", () => {
  test.each([
    [{}, "name"],
    [{ name: "x", permissions: ["fly"] }, "permissions"],
    [{ name: "x", permissions: [] }, "permissions"],
    [{ name: "x", databases: ["a/b"] }, "databases"],
    [{ name: "x", expires_in: "soon" }, "expires_in"],
    [{ name: 5 }, "name"],
  ])("refuse %j naming the field", async (request, field) => {
    const response = await admin.post("/api/v1/auth/tokens", request);
    const error = (await response.json()) as { detail: object };
    expect([response.status, error.detail]).toMatchObject([400, { field }]);
  });

  test("refuse a name that is taken, and bodies that are not JSON objects", async () => {
    await make("taken", ["read"]);
    expect((await admin.post("/api/v1/auth/tokens", { name: "taken" })).status).toBe(409);
    for (const text of ["", "{", "[]", "null", "1"]) {
      const init = { method: "POST", body: text };
      expect((await admin.fetch("/api/v1/auth/tokens", init)).status).toBe(400);
    }
  });

  test("change what is given and leave the rest", async () => {
    const { token, token_info } = await make("changing", ["read"], ["mine"]);
    const path = `/api/v1/auth/tokens/${token_info.id}`;
    const patch = (body: object) =>
      admin.fetch(path, { method: "PATCH", body: JSON.stringify(body) });
    expect((await as(token).write(body, { database: "mine" })).status).toBe(403);
    expect((await patch({ permissions: ["write"] })).status).toBe(200);
    expect((await as(token).write(body, { database: "mine" })).status).toBe(204);
    expect((await patch({ name: "reader" })).status).toBe(409);
    expect((await patch({ permissions: ["fly"] })).status).toBe(400);
    const shown = (await (await admin.fetch(path)).json()) as { token: object };
    expect(shown.token).toMatchObject({ name: "changing", databases: ["mine"] });
  });

  test("say of a token what it may do", async () => {
    const { token } = await make("verified", ["read", "write"]);
    const answer = await (await as(token).fetch("/api/v1/auth/verify")).json();
    expect(answer).toMatchObject({ valid: true, permissions: ["read", "write"] });
  });
});

test("no token appears in the log, whatever was done with it", async () => {
  const { readFileSync } = await import("node:fs");
  const { token } = await make("secret", ["read"]);
  await as(token).query("SELECT nonsense FROM nowhere");
  await as(`${token}x`).query("SELECT 1");
  await fetch(`${stack.url}/api/v1/query?p=${token}`, { method: "POST", body: "{" });
  const log = readFileSync(stack.logPath, "utf8");
  expect(log).toContain("request refused");
  expect(log).not.toContain(token.split("_")[2]);
  expect(log).not.toContain(ADMIN_TOKEN);
});
