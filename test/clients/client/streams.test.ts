// What comes from the server piece by piece: lines, server-sent events, JSON with large integers.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { parseExactJson } from "../../../clients/client/exact-json.ts";
import { readLines } from "../../../clients/client/lines.ts";
import { parseMessages, serverEvents } from "../../../clients/client/server-events.ts";
import { allOf } from "./all-of.ts";

/** Byte by byte. */
function bodyOf(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
}

describe("lines", () => {
  test("are found wherever pieces end", async () => {
    const text = "a\r\nbé\n\rc\r\n\r\nlast";
    expect(await allOf(readLines(bodyOf(text)))).toEqual(["a", "bé", "", "c", "", "last"]);
  });
});

describe("server-sent events", () => {
  test("have an id, a type and lines of data; without data the id alone counts", async () => {
    const text =
      ": hello\n\nid: 1\ndata: a\ndata: b\n\nevent: gap\ndata:  c\n\nid: 2\n\ndata\n\ndata: cut";
    expect(await allOf(parseMessages(readLines(bodyOf(text))))).toEqual([
      { id: null, type: "message", data: null },
      { id: "1", type: "message", data: "a\nb" },
      { id: "1", type: "gap", data: " c" },
      { id: "2", type: "message", data: null },
      { id: "2", type: "message", data: "" },
    ]);
  });

  test("go on behind the last id when a connection breaks, falls silent, or is busy", async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers["last-event-id"] as string | undefined);
      if (asked.length === 3) return void response.writeHead(503, { "retry-after": "0" }).end();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`id: ${asked.length}\ndata: ${asked.length}\n\nid: ${asked.length}0\n\n`);
      // The first breaks in the middle of an event, the second says nothing any more.
      if (asked.length === 1) response.write("id: 99\ndata: half", () => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ended = new AbortController();
    const seen: string[] = [];
    const connection = { url, token: "t", database: "d", fetch };
    const options = { signal: ended.signal, retryForMs: 5_000, silenceMsMax: 200, after: "7" };
    for await (const { data } of serverEvents(connection, "/", options)) {
      seen.push(data);
      if (data === "4") ended.abort();
    }
    server.closeAllConnections();
    server.close();
    expect(seen).toEqual(["1", "2", "4"]);
    expect(asked).toEqual(["7", "10", "20", "20"]);
  }, 20_000);

  test("are refused with what the server says", async () => {
    const fetch404 = async () =>
      Response.json({ error: "no", code: "measurement_unknown" }, { status: 404 });
    const connection = { url: "http://x", token: "t", database: "d", fetch: fetch404 };
    const events = serverEvents(connection, "/", { retryForMs: 1_000 });
    await expect(events.next()).rejects.toMatchObject({ code: "measurement_unknown" });
  });
});

describe("JSON", () => {
  test("keeps whole numbers beyond 2^53 exact, and all else as it is", () => {
    const text = String.raw`{"id":9007199254740993,"n":[-9223372036854775808,9007199254740991],
      "f":0.12345678901234568,"e":1e20,"s":"12345678901234567890 \" 99999999999999999","z":1}`;
    expect(parseExactJson(text)).toEqual({
      id: 9_007_199_254_740_993n,
      n: [-9_223_372_036_854_775_808n, 9_007_199_254_740_991],
      f: 0.123_456_789_012_345_68,
      e: 1e20,
      s: '12345678901234567890 " 99999999999999999',
      z: 1,
    });
  });

  test("that ends too early is told as such", () => {
    expect(() => parseExactJson('{"a":[1,2')).toThrow(
      expect.objectContaining({ code: "answer_incomplete" }),
    );
  });
});
