// The sender against a server that is full, silent or unwilling.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { decode } from "@msgpack/msgpack";
import { afterEach, describe, expect, test } from "vitest";

import { encodeBatch, sendBatches, type EncodedBatch } from "../../clients/telemetry/send.ts";

interface Seen {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

describe("sendBatches", () => {
  test("sends the gzipped columns with token, database and key", async () => {
    const { url, seen } = await serve((response) => response.writeHead(204).end());
    await sendBatches({ url, token: "secret", database: "events" }, [await batch("k1")], 1, noop);
    expect(seen).toHaveLength(1);
    expect(seen[0]!.headers).toMatchObject({
      authorization: "Bearer secret",
      "content-encoding": "gzip",
      "content-type": "application/msgpack",
      "idempotency-key": "k1",
      "x-arc-database": "events",
    });
    expect(decode(gunzipSync(seen[0]!.body))).toEqual({ m: "cpu", columns: { time: [1, 2] } });
  });

  test("sends the same batch under the same key again after 429, 503 and a cut line", async () => {
    const answers = [
      (response: ServerResponse) => response.writeHead(429, { "retry-after": "0" }).end(),
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(503, { "retry-after": "0" }).end(),
      (response: ServerResponse) => response.writeHead(204).end(),
    ];
    const { url, seen } = await serve((response, count) => answers[count]!(response));
    const acked: string[] = [];
    await sendBatches(target(url), [await batch("k1")], 1, ({ key }) => acked.push(key));
    expect(seen.map(({ headers }) => headers["idempotency-key"])).toEqual(["k1", "k1", "k1", "k1"]);
    expect(new Set(seen.map(({ body }) => body.toString("hex"))).size).toBe(1);
    expect(acked).toEqual(["k1"]);
  });

  test("gives up at once on an answer that will stay the same, and repeats it", async () => {
    const { url, seen } = await serve((response) =>
      response.writeHead(422).end('{"error":"column amount is text"}'),
    );
    const sending = sendBatches(target(url), [await batch("k1")], 1, noop);
    await expect(sending).rejects.toThrow(/422 for batch k1: .*column amount is text/);
    expect(seen).toHaveLength(1);
  });

  test("sends each batch once, however many are in flight", async () => {
    const { url, seen } = await serve((response) => response.writeHead(204).end());
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    const batches = await Promise.all(keys.map(batch));
    await sendBatches(target(url), batches, 4, noop);
    expect(seen.map(({ headers }) => headers["idempotency-key"]).toSorted()).toEqual(
      keys.toSorted(),
    );
  });
});

function batch(key: string): Promise<EncodedBatch> {
  return encodeBatch(key, { name: "cpu", rowCount: 2, columns: { time: [1, 2] } });
}

function target(url: string) {
  return { url, token: "secret", database: "events" };
}

function noop(): void {}

/** Answers the n-th request, counted from 0, as told, once its body has arrived. */
async function serve(answer: (response: ServerResponse, count: number) => void) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
    answer(response, seen.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
