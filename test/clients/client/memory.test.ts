// The client's memory is bounded: who writes more waits, and who does not wait is refused.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SluiceClient } from "../../../clients/client/client.ts";

/** A server that answers when it is told to. */
function slowServer() {
  const waiting: (() => void)[] = [];
  const bodies: number[] = [];
  let isOpen = false;
  const answer: typeof fetch = async (_, init) => {
    bodies.push((init!.body as Uint8Array).length);
    if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
    return new Response(null, { status: 204 });
  };
  const open = () => {
    isOpen = true;
    for (const resolve of waiting) resolve();
  };
  return { answer, open, bodies };
}

/** 1 kB that gzip cannot make smaller. */
function noise(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(750));
  return Buffer.from(bytes).toString("base64");
}

function clientOf(answer: typeof fetch, options: object = {}): SluiceClient {
  return new SluiceClient({ url: "http://server", token: "t", fetch: answer, ...options });
}

test("a write waits while the memory is full, and goes on when batches are stored", async () => {
  const { answer, open } = slowServer();
  const client = clientOf(answer, { memoryBytesMax: 20_000, batchRowsMax: 4 });
  let taken = 0;
  const writing = (async () => {
    for (let id = 0; id < 200; id++) {
      await client.write("m", { id, text: noise() });
      taken++;
    }
  })();
  await sleep(200);
  // 20 kB are some twenty rows, or a few more once they are compressed.
  expect(taken).toBeGreaterThan(10);
  expect(taken).toBeLessThan(40);
  open();
  await writing;
  await client.close();
  expect(taken).toBe(200);
});

test("batches of one row count with all that a batch takes", async () => {
  const { answer, open } = slowServer();
  const client = clientOf(answer, { memoryBytesMax: 200_000 });
  let taken = 0;
  const writing = (async () => {
    for (; taken < 200; taken++) await client.writeColumns("m", { id: [taken] });
  })();
  await sleep(200);
  expect(taken).toBeGreaterThan(10);
  expect(taken).toBeLessThan(60);
  open();
  await writing;
  await client.close();
});

test("writes that nobody waits for are refused before they fill the memory", async () => {
  const { answer, open } = slowServer();
  const client = clientOf(answer, { memoryBytesMax: 10_000, batchRowsMax: 2 });
  setTimeout(open, 50);
  const results = await Promise.allSettled(
    Array.from({ length: 100 }, (_, id) => client.write("m", { id, text: noise() })),
  );
  const refused = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason] : [],
  );
  expect(refused.length).toBeGreaterThan(50);
  expect(refused[0]).toMatchObject({ code: "memory_full" });
  await client.close();
});

test("a flush covers the writes that wait for memory", async () => {
  const { answer, open, bodies } = slowServer();
  const client = clientOf(answer, { memoryBytesMax: 2_000 });
  const writes = [client.write("a", { text: noise() }), client.write("b", { text: noise() })];
  writes.push(client.write("c", { text: noise() }));
  const flushed = client.flush();
  open();
  await flushed;
  await Promise.all(writes);
  expect(bodies).toHaveLength(3);
});

test("rows that are all alike do not look like a bomb to the server", async () => {
  const sent: { bytes: number; encoding: string | null }[] = [];
  const client = clientOf(async (_, init) => {
    const encoding = new Headers(init!.headers).get("content-encoding");
    sent.push({ bytes: (init!.body as Uint8Array).length, encoding });
    return new Response(null, { status: 204 });
  });
  const row = { time: 0, message: "connection refused, trying again ".repeat(5) };
  await client.write("alike", Array(10_000).fill(row));
  await client.write("short", Array(10).fill(row));
  await client.close();
  const plain = sent.find(({ encoding }) => encoding === null)!;
  expect(plain.bytes).toBeGreaterThan(1_000_000);
  expect(sent.find(({ encoding }) => encoding === "gzip")!.bytes).toBeLessThan(500);
});

test("a single write that is larger than the memory is taken, in batches", async () => {
  const { answer, open, bodies } = slowServer();
  open();
  const client = clientOf(answer, { memoryBytesMax: 1_000, batchRowsMax: 10 });
  await client.write(
    "m",
    Array.from({ length: 100 }, (_, id) => ({ id, text: noise() })),
  );
  await client.close();
  expect(bodies).toHaveLength(10);
});

test("a batch is sent when its first row is old enough", async () => {
  const { answer, open, bodies } = slowServer();
  open();
  const client = clientOf(answer, { batchAgeMaxMs: 20 });
  await client.write("m", { id: 1 });
  expect(bodies).toHaveLength(0);
  while (bodies.length === 0) await sleep(5);
  await client.close();
  expect(bodies).toHaveLength(1);
});

test("two flushes that wait for the same batch both tell that it was refused", async () => {
  const refuse = async () => Response.json({ error: "no", code: "text_invalid" }, { status: 400 });
  const client = clientOf(refuse, { onError: () => {} });
  await client.write("m", { id: 1 });
  const flushes = await Promise.allSettled([client.flush(), client.flush()]);
  expect(flushes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await client.flush();
});

test("what a proxy refuses has a code of its own", async () => {
  const refuse = async () => new Response("<html>Forbidden</html>", { status: 403 });
  const client = clientOf(refuse, { onError: () => {} });
  await client.write("m", { id: 1 });
  await expect(client.close()).rejects.toMatchObject({ batches: [{ code: "http_403" }] });
});
