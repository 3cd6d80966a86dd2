// Rubbish in: a clear 4xx that says what and where, nothing stored, and the next good batch is
// taken.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { encode, ExtData } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bypasses } from "../helpers/bypasses.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

type Bytes = Uint8Array<ArrayBuffer>;
const pack = (value: unknown): Bytes => new Uint8Array(encode(value, { useBigInt64: true }));
const batch = (columns: Record<string, unknown>, m: unknown = "t"): Bytes => pack({ m, columns });
const good = batch({ time: [1, 2, 3], v: [1, 2, 3], s: ["a", "b", "c"] });
const count = async () => (await client.row("SELECT count(*) FROM t"))[0];

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

const REFUSED: [what: string, body: Bytes, status: number, says: RegExp[]][] = [
  ["not MessagePack", new Uint8Array([0xc1]), 400, []],
  ["JSON", new TextEncoder().encode('{"m":"t"}'), 400, []],
  ["a number", pack(5), 400, [/map/]],
  ["no columns", pack({ m: "t" }), 400, [/columns/]],
  ["no measurement", pack({ columns: { v: [1] } }), 400, [/m/]],
  ["a measurement like a path", batch({ v: [1] }, "../x"), 400, [/measurement/]],
  ["a measurement that is a number", batch({ v: [1] }, 7), 400, []],
  ["columns of unequal length", batch({ time: [1, 2, 3], v: [1, 2] }), 400, [/"?v"?/, /3/, /2/]],
  ["a column that is not an array", batch({ v: 5 }), 400, [/v/]],
  ["no columns in columns", batch({}), 400, []],
  ["an empty column name", batch({ "": [1] }), 400, [/name/]],
  ["a time that is text", batch({ time: [1, "noon"] }), 400, [/time/, /row 1/]],
  ["a time that is null", batch({ time: [1, null] }), 400, [/time/, /row 1/]],
  ["a time that is NaN", batch({ time: [1, Number.NaN] }), 400, [/time/, /row 1/]],
  ["binary", batch({ time: [1], v: [new Uint8Array([1])] }), 422, [/v/, /row 0/]],
  [
    "an unknown extension",
    batch({ time: [1], v: [new ExtData(5, new Uint8Array(1))] }),
    422,
    [/v/],
  ],
  ["an integer beyond int64", batch({ time: [1], v: [2n ** 63n] }), 422, [/v/, /row 0/]],
  ["cells too deep", batch({ time: [1], v: [nested(6)] }), 422, [/v/]],
  ["text into a number column", batch({ time: [1, 2], v: [7, "x"] }), 422, [/v/, /row 1/, /int64/]],
  ["numbers into a text column", batch({ time: [1], s: [5] }), 422, [/s/, /row 0/, /utf8/]],
  ["a column that differs by case", batch({ time: [1], V: [5] }), 400, [/V/, /v/]],
  ["trailing bytes", new Uint8Array([...good, 0]), 400, [/follow/]],
  ["a cut gzip", new Uint8Array(gzipSync(good).subarray(0, -5)), 400, []],
  ["a gzip with a wrong checksum", damaged(gzipSync(good)), 400, []],
  ["a gzip bomb", new Uint8Array(gzipSync(new Uint8Array(64_000_000))), 413, []],
  ["a zstd bomb", new Uint8Array(zstdCompressSync(new Uint8Array(64_000_000))), 413, []],
  ["an array that claims 2^32-1 cells", withHugeArray(), 400, [/v/]],
];

/** `{m: "t", columns: {v: [` and a length that no body could hold. */
function withHugeArray(): Bytes {
  const whole = batch({ v: [] });
  return new Uint8Array([...whole.subarray(0, -1), 0xdd, 0xff, 0xff, 0xff, 0xff]);
}

function damaged(gzip: Uint8Array): Bytes {
  const bytes = new Uint8Array(gzip);
  bytes[bytes.length - 8]! ^= 1;
  return bytes;
}

describe("a write", () => {
  test("of a good batch is taken first, to have something to conflict with", async () => {
    expect((await client.write(good)).status).toBe(204);
    expect(await count()).toBe(3);
  });

  test.each(REFUSED)("of %s is refused", async (_, body, status, says) => {
    const response = await client.write(body);
    const error = (await response.json()) as { error: string; code: string; request_id: string };
    expect([response.status, error.error]).toEqual([status, error.error]);
    for (const pattern of says) expect(error.error).toMatch(pattern);
    expect(error.request_id).toBe(response.headers.get("x-request-id"));
    expect(await count()).toBe(3);
  });

  test("cut at any byte is refused", async () => {
    for (let length = 0; length < good.length; length++) {
      const { status } = await client.write(good.slice(0, length));
      expect([length, status]).toEqual([length, 400]);
    }
    expect(await count()).toBe(3);
  });

  test("of a refused batch adds no column either", async () => {
    await client.write(batch({ time: [1], fresh: [1], v: ["x"] }));
    const { columns } = await client.query("SELECT * FROM t LIMIT 0");
    expect(columns).toEqual(["time", "v", "s"]);
  });

  test("plain, gzipped or zstd is known by its first bytes, whatever the header says", async () => {
    const bodies = [good, gzipSync(good), zstdCompressSync(good)];
    for (const body of bodies) {
      for (const encoding of ["gzip", "zstd", "identity"]) {
        const init = {
          method: "POST",
          body: new Uint8Array(body),
          headers: { "content-encoding": encoding },
        };
        expect((await client.fetch("/api/v1/write/msgpack", init)).status).toBe(204);
      }
    }
    expect(await count()).toBe(3 + 9 * 3);
  });

  test("with a wrong database name is refused", async () => {
    for (const database of ["1x", "a b", "x".repeat(65), "system", "SYSTEM", "a/../b"]) {
      const response = await client.write(good, { database });
      expect([database, response.status]).toEqual([database, 400]);
    }
  });
});

describe("a query", () => {
  test.each([
    ["", 400],
    ["SELECT", 400],
    ["SELECT 1; SELECT 2", 400],
    ["DROP TABLE t", 400],
    ["INSERT INTO t VALUES (1)", 400],
    ["SELECT * FROM '/etc/passwd'", 400],
    ["SELECT * FROM read_csv('/etc/passwd')", 400],
    ["COPY t TO 'x'", 400],
    ["SELECT nonsense FROM t", 400],
    ["SELECT getenv('HOME')", 400],
  ])("%j is refused", async (sql, status) => {
    const response = await client.post("/api/v1/query", { sql });
    const answer = (await response.json()) as { success: boolean; error: string; code: string };
    expect([sql, response.status, answer.success, typeof answer.error]).toEqual([
      sql,
      status,
      false,
      "string",
    ]);
  });

  test("without sql, or that is not JSON, is refused", async () => {
    for (const text of ["{}", "nonsense", '{"sql":5}', ""]) {
      const init = { method: "POST", body: text };
      expect((await client.fetch("/api/v1/query", init)).status).toBe(400);
    }
  });
});

describe("what is not the caller's", () => {
  let heard = 0;
  const spy = createServer((socket) => {
    heard++;
    socket.destroy();
  });
  let address = "";
  beforeAll(async () => {
    spy.listen(0, "127.0.0.1");
    await once(spy, "listening");
    address = `127.0.0.1:${(spy.address() as AddressInfo).port}`;
  });
  afterAll(() => void spy.close());

  test(
    "is refused in more than 114 ways, without a request to anybody",
    { timeout: 60_000 },
    async () => {
      const all = bypasses(address);
      expect(new Set(all).size).toBe(all.length);
      expect(all.length).toBeGreaterThan(114);
      for (const sql of all) {
        const response = await client.post("/api/v1/query", { sql });
        const text = await response.text();
        expect([sql, response.status, text]).toEqual([sql, 400, text]);
        expect([sql, text]).not.toEqual([sql, expect.stringMatching(/root:|"code":"bug"/)]);
      }
      expect(await client.row("SELECT 1")).toEqual([1]);
      expect(heard).toBe(0);
    },
  );

  test("is refused in the parts of a GET, and stays a text as a parameter", async () => {
    const parts = [
      "getenv('HOME') = 'x'",
      "v IN (SELECT 1 FROM '/etc/passwd')",
      "1 = 1) UNION ALL SELECT * FROM '/etc/passwd' --",
      "true; DROP TABLE t",
      "true) FROM '/etc/passwd' WHERE (true",
      "v = 1 ORDER BY getenv('HOME')",
    ];
    for (const name of ["where", "order_by"]) {
      for (const part of parts) {
        const path = `/api/v1/query/t?${new URLSearchParams({ [name]: part })}`;
        expect([name, part, (await client.fetch(path)).status]).toEqual([name, part, 400]);
      }
    }
    for (const path of ["%2Fetc%2Fpasswd", "read_csv('x')", "..%2Ft", `http:%2F%2F${address}`]) {
      const { status } = await client.fetch(`/api/v1/query/${path}`);
      expect([path, status]).toEqual([path, 400]);
    }
    const sql = "SELECT ? AS a, $1 = 'x' AS b";
    const response = await client.post("/api/v1/query", { sql, params: ["getenv('HOME')"] });
    expect(await response.json()).toMatchObject({ data: [["getenv('HOME')", false]] });
    expect(heard).toBe(0);
  });
});

describe("a query that lasts", () => {
  const sql = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) FROM r WHERE i < 0";
  const active = async () => {
    const response = await client.fetch("/api/v1/queries/active");
    return ((await response.json()) as { queries: { id: string; sql: string }[] }).queries;
  };

  test(
    "is listed, keeps nobody waiting, can be cancelled, and is remembered",
    { timeout: 30_000 },
    async () => {
      const answer = client.post("/api/v1/query", { sql });
      await vi.waitFor(async () => expect(await active()).toHaveLength(1), { timeout: 10_000 });
      const id = (await active())[0]!.id;
      const path = `/api/v1/queries/${id}`;
      expect(await (await client.fetch(path)).json()).toMatchObject({
        query: { id, sql, database: "default", status: "running", token_id: null },
      });
      // Nobody waits for it to end, whether they come one by one or all at once.
      for (let i = 0; i < 10; i++) expect(await client.row(`SELECT ${i}`)).toEqual([i]);
      const many = Array.from({ length: 10 }, (_, i) => client.row(`SELECT ${i} + 1`));
      expect(await Promise.all(many)).toEqual(many.map((_, i) => [i + 1]));
      expect(await active()).toHaveLength(1);
      expect((await client.fetch(path, { method: "DELETE" })).status).toBe(202);
      const response = await answer;
      expect(response.headers.get("x-arc-query-id")).toBe(id);
      expect([response.status, await response.json()]).toMatchObject([
        409,
        { code: "query_cancelled" },
      ]);
      await vi.waitFor(async () => expect(await active()).toEqual([]), { timeout: 10_000 });
      const history = await (await client.fetch("/api/v1/queries/history")).json();
      const { queries } = history as { queries: unknown[] };
      expect(queries[0]).toMatchObject({ id, sql, outcome: "query_cancelled" });
      expect(await client.row("SELECT 1")).toEqual([1]);
    },
  );

  test("of short ones nothing is listed, and unknown ids are 404", async () => {
    await client.row("SELECT 1");
    expect(await active()).toEqual([]);
    for (const method of ["GET", "DELETE"]) {
      const response = await client.fetch("/api/v1/queries/nothing", { method });
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { code: "query_unknown" },
      ]);
    }
  });
});

test("a known path with another method is 405 and says which it takes", async () => {
  for (const [path, method, allowed] of [
    ["/api/v1/query", "GET", "POST"],
    ["/api/v1/auth/tokens/7", "PUT", "GET, PATCH, DELETE"],
    ["/health", "POST", "GET"],
  ] as const) {
    const response = await client.fetch(path, { method });
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allowed]);
  }
});

test("unknown routes are 404 and say which", async () => {
  const response = await client.fetch("/api/v2/nothing");
  expect([response.status, await response.json()]).toMatchObject([404, { code: "route_unknown" }]);
});
