// One key, one batch: repeated at the same time, one after the other, after a flush, after a crash.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const body = encodeBatch("orders", { time: [1, 2, 3], id: ["a", "b", "c"] });
const otherBody = encodeBatch("orders", { time: [1, 2, 3], id: ["a", "b", "d"] });
const count = async () => (await client.row("SELECT count(*) FROM orders"))[0];

describe("the same batch under the same key", () => {
  test("ten times at once is stored once", async () => {
    const send = () => client.write(body, { key: "k1" });
    const answers = await Promise.all(Array.from({ length: 10 }, send));
    expect(answers.map(({ status }) => status)).toEqual(Array.from(answers, () => 204));
    const first = answers.filter(({ headers }) => !headers.has("x-sluice-duplicate"));
    expect(first).toHaveLength(1);
    expect(await count()).toBe(3);
  });

  test("ten times more, one after the other, changes nothing", async () => {
    for (let i = 0; i < 10; i++) {
      const { status, headers } = await client.write(body, { key: "k1" });
      expect([status, headers.get("x-sluice-duplicate"), headers.get("x-sluice-rows")]).toEqual([
        204,
        "true",
        "3",
      ]);
    }
    expect(await count()).toBe(3);
  });

  test("is known after its rows are Parquet, and after a crash", async () => {
    await client.flush();
    expect((await client.write(body, { key: "k1" })).headers.get("x-sluice-duplicate")).toBe(
      "true",
    );
    await stack.restart();
    expect((await client.write(body, { key: "k1" })).headers.get("x-sluice-duplicate")).toBe(
      "true",
    );
    expect(await count()).toBe(3);
  });
});

describe("another batch under that key", () => {
  test("is refused with 409 and stores nothing", async () => {
    const response = await client.write(otherBody, { key: "k1" });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "idempotency_key_reused" });
    expect(await count()).toBe(3);
  });

  test("in another database is another batch", async () => {
    const response = await client.write(otherBody, { key: "k1", database: "second" });
    expect(response.status).toBe(204);
    expect(await client.row("SELECT count(*) FROM orders", "second")).toEqual([3]);
    expect(await count()).toBe(3);
  });
});

describe("a key", () => {
  test("of 128 characters is taken, one of 129 refused", async () => {
    expect((await client.write(body, { key: "x".repeat(128) })).status).toBe(204);
    const response = await client.write(body, { key: "x".repeat(129) });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: "idempotency_key_invalid" },
    ]);
  });
});
