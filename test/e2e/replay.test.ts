// A segment that cannot be written: put aside, seen, mended, tried again; its rows are there once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { mendSegments, poisonSegments } from "../helpers/buffer-files.ts";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({ SEAL_AFTER_MS: "600000" });
const client = new HttpClient(() => stack.url);
const SEGMENTS = "/api/v1/databases/aside/segments";
const COUNT = "SELECT count(*) AS n, sum(value) AS total FROM poisoned";

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly rows: number;
  readonly bytes: number;
  readonly age_seconds: number;
  readonly attempts: number;
  readonly last_error: string | null;
}

beforeAll(() => stack.start(), 120_000);
afterAll(() => stack.remove());

async function segments(): Promise<Listed[]> {
  const response = await client.fetch(SEGMENTS);
  const { segments: listed, count } = (await response.json()) as {
    segments: Listed[];
    count: number;
  };
  expect([response.status, count]).toEqual([200, listed.length]);
  return listed;
}

async function replay(segment: string, database = "aside"): Promise<[number, string | null]> {
  const path = `/api/v1/databases/${database}/segments/${segment}/replay`;
  const response = await client.post(path, {});
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code ?? null];
}

test("a segment that was put aside is written after a replay, once", async () => {
  const time = [1, 2, 3].map((ms) => BigInt(Date.now() + ms) * 1_000n);
  const batch = encodeBatch("poisoned", { time, value: [1, 2, 3] });
  expect((await client.write(batch, { database: "aside" })).status).toBe(204);
  const [open] = await segments();
  expect(open).toMatchObject({ state: "open", rows: 3, attempts: 0, last_error: null });
  expect(open!.age_seconds).toBeGreaterThanOrEqual(0);
  expect(await replay(open!.id)).toEqual([404, "segment_unknown"]);

  await stack.kill();
  poisonSegments(stack, "poisoned");
  await stack.start();
  await expect(client.flush()).rejects.toThrow("segment_quarantined");
  const [aside] = await segments();
  expect(aside).toMatchObject({ id: open!.id, state: "quarantined", rows: 3, attempts: 8 });
  expect(aside!.last_error).toContain("segment_corrupt");

  await stack.kill();
  mendSegments(stack, "poisoned");
  await stack.start();
  expect(await client.row("SELECT count(*) FROM poisoned", "aside")).toEqual([0]);
  expect(await replay(open!.id)).toEqual([202, null]);
  expect(await client.row(COUNT, "aside")).toEqual([3, 6]);
  await client.flush();
  expect(await client.row(COUNT, "aside")).toEqual([3, 6]);
  expect(await segments()).toEqual([]);
  expect(await replay(open!.id)).toEqual([404, "segment_unknown"]);
}, 120_000);

test.each(["0.1.999", "99.1.1", "nonsense"])("no segment %s, no replay", async (segment) => {
  expect(await replay(segment)).toEqual([404, "segment_unknown"]);
});

test("of a database that does not exist there are no segments", async () => {
  const response = await client.fetch("/api/v1/databases/nowhere/segments");
  expect(response.status).toBe(404);
  expect(await replay("0.1.1", "nowhere")).toEqual([404, "database_unknown"]);
});
