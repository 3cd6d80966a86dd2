// A client that hangs up in the middle of a long query must not keep the engine from the next one.
//
// It hangs up by resetting its connection. Closing it in peace does not tell a server that is still
// to answer: the other direction stays open, and workerd goes on. Cloudflare's edge is in front of
// the real one.

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const ENDLESS =
  "SELECT count(*) FROM range(100000000000) a(i), range(20) b(j) WHERE hash(i + j) = 0";
const ANSWERED_WITHIN_MS = 2_000;

test("a query whose client is gone makes room for the next", async () => {
  expect(await client.row("SELECT 1")).toEqual([1]);
  const lost = request(`${stack.url}/api/v1/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  lost.on("error", () => {});
  lost.end(JSON.stringify({ sql: ENDLESS }));
  await sleep(500);
  lost.socket!.resetAndDestroy();
  const startedMs = performance.now();
  expect(await client.row("SELECT 2")).toEqual([2]);
  expect(performance.now() - startedMs).toBeLessThan(ANSWERED_WITHIN_MS);
});
