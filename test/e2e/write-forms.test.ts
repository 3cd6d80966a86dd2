// Every form of a MessagePack write, as Arc's clients send them: the rows come back by SQL with
// their types, and what is wrong with one item stores nothing, or nothing of that item.

import { gzipSync, zstdCompressSync } from "node:zlib";
import { encode, ExtData } from "@msgpack/msgpack";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const T0 = Date.parse("2026-03-01T00:00:00Z");

interface PartialAnswer {
  readonly accepted: number;
  readonly rows: number;
  readonly rejected: { item: number; error: string; code: string }[];
}

interface Refusal {
  readonly error: string;
  readonly code: string;
  readonly detail: Record<string, unknown>;
}

function write(value: unknown, query = "", headers: Record<string, string> = {}) {
  const body = value instanceof Uint8Array ? new Uint8Array(value) : new Uint8Array(encode(value));
  return client.fetch(`/api/v1/write/msgpack${query}`, { method: "POST", body, headers });
}

async function refused(value: unknown, query = ""): Promise<[number, Refusal]> {
  const response = await write(value, query);
  return [response.status, (await response.json()) as Refusal];
}

async function partly(value: unknown): Promise<PartialAnswer> {
  const response = await write(value, "?partial=1");
  expect(response.status).toBe(200);
  return (await response.json()) as PartialAnswer;
}

describe("a row", () => {
  test("becomes columns of tags and fields, with Arc's names", async () => {
    const row = {
      m: "row_form",
      t: T0,
      h: "srv1",
      fields: { load: 0.5, cores: 8, ok: true, note: "x", region: "field" },
      tags: { region: "eu", rack: 12 },
    };
    const response = await write(row);
    expect([response.status, response.headers.get("x-sluice-rows")]).toEqual([204, "1"]);
    const sql = `SELECT time, host, region, rack, load, cores, ok, note, region_value,
      typeof(rack), typeof(load), typeof(cores), typeof(ok) FROM row_form`;
    expect(await client.row(sql)).toEqual([
      "2026-03-01T00:00:00Z",
      "srv1",
      "eu",
      "12",
      0.5,
      8,
      true,
      "x",
      "field",
      "VARCHAR",
      "DOUBLE",
      "BIGINT",
      "BOOLEAN",
    ]);
  });

  test("may have numbers as names and a list of fields; its host is unknown, its time now", async () => {
    const beforeMs = Date.now();
    expect((await write({ m: 7, f: [1, "a", null] })).status).toBe(204);
    expect((await write({ m: 7, h: 3, f: [2] })).status).toBe(204);
    const { data } = await client.query(
      "SELECT host, field_0, field_1, epoch_ms(time) FROM measurement_7 ORDER BY field_0",
    );
    expect(data.map((row) => row.slice(0, 3))).toEqual([
      ["unknown", 1, "a"],
      ["host_3", 2, null],
    ]);
    for (const row of data) {
      expect(Number(row[3])).toBeGreaterThanOrEqual(beforeMs);
      expect(Number(row[3])).toBeLessThanOrEqual(Date.now());
    }
  });

  test("may give its time in any unit", async () => {
    const at = (t: unknown, more = {}) => ({ m: "units", t, h: "a", f: [1], ...more });
    const same = [T0 / 1000, T0, T0 * 1000, BigInt(T0) * 1_000_000n];
    const body = encode([...same.map((t) => at(t)), at(T0, { time_unit: "ms" })], {
      useBigInt64: true,
    });
    expect((await write(body)).status).toBe(204);
    expect(await client.row("SELECT count(*), min(time), max(time) FROM units")).toEqual([
      5,
      "2026-03-01T00:00:00Z",
      "2026-03-01T00:00:00Z",
    ]);
  });
});

describe("a list or batch", () => {
  test("of rows is gathered by measurement; what a row lacks is NULL", async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => ({
      m: i % 2 === 0 ? "even" : "odd",
      t: T0 + i,
      h: `h${i % 3}`,
      fields: i % 10 === 0 ? { a: i, b: "ten" } : { a: i },
    }));
    const response = await write(gzipSync(encode(rows)));
    expect([response.status, response.headers.get("x-sluice-rows")]).toEqual([204, "1000"]);
    expect(await client.row("SELECT count(*), sum(a), count(b) FROM even")).toEqual([
      500, 249_500, 100,
    ]);
    expect(await client.row("SELECT count(*), sum(a), max(time) FROM odd")).toEqual([
      500,
      250_000,
      "2026-03-01T00:00:00.999Z",
    ]);
  });

  test("mixes rows, columns and batches, as zstd too", async () => {
    const columns = { time: [T0 / 1000, T0 / 1000 + 1], v: [1.5, null], tag: ["a", "b"] };
    const items = [
      { m: "mixed", columns },
      { m: "mixed", t: T0, fields: { v: 2 } },
      {
        batch: [
          { m: "mixed", columns: { v: [3, 4] } },
          { m: "other", t: T0, f: [1] },
        ],
      },
    ];
    for (const body of [encode(items), encode({ batch: items.slice(0, 2) })]) {
      expect((await write(zstdCompressSync(body))).status).toBe(204);
    }
    const sql = "SELECT count(*), sum(v), count(tag), count(host), min(time) FROM mixed";
    expect(await client.row(sql)).toEqual([8, 14, 4, 2, "2026-03-01T00:00:00Z"]);
    expect(await client.row("SELECT count(*) FROM other")).toEqual([1]);
  });

  test("is the same as Parquet after a flush", async () => {
    const sql = `SELECT (SELECT count(*) FROM even), (SELECT sum(v) FROM mixed),
      (SELECT string_agg(note, ',') FROM row_form)`;
    const before = await client.row(sql);
    await client.flush();
    expect(await client.bufferedRows()).toBe(0);
    expect(await client.row(sql)).toEqual(before);
  });

  test("sent again with its key is stored once", async () => {
    const rows = [1, 2, 3].map((v) => ({ m: "once", t: T0, fields: { v } }));
    const first = await write(rows, "", { "idempotency-key": "rows-1" });
    const second = await write(rows, "", { "idempotency-key": "rows-1" });
    expect([first.status, second.status]).toEqual([204, 204]);
    expect(second.headers.get("x-sluice-duplicate")).toBe("true");
    expect(await client.row("SELECT count(*) FROM once")).toEqual([3]);
  });

  test("that is sparse and repeats itself a lot survives a flush", async () => {
    const rows = Array.from({ length: 3000 }, () => ({ m: "sparse", t: T0, f: [1], h: "a" }));
    const wide = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`c${i}`, i]));
    expect((await write([...rows, { m: "sparse", t: T0, fields: wide }])).status).toBe(204);
    await client.flush();
    expect(await client.row("SELECT count(*), sum(c899) FROM sparse")).toEqual([3001, 899]);
  });
});

describe("an item at fault", () => {
  const good = { m: "strict", t: T0, fields: { v: 1 } };

  test.each<[what: string, item: unknown, status: number, says: RegExp]>([
    ["a number", 5, 400, /item 1: an integer/],
    ["nil", null, 400, /item 1: nil/],
    ["no measurement", { f: [1] }, 400, /item 1: .*"m"/],
    ["a bad measurement", { m: "../x", f: [1] }, 400, /item 1: .*x/],
    ["no fields", { m: "strict", t: T0 }, 400, /item 1: .*fields/],
    ["fields that are text", { m: "strict", fields: "x" }, 400, /item 1: /],
    ["fields and f", { m: "strict", fields: {}, f: [] }, 400, /item 1: .*"f"/],
    ["columns and fields", { m: "a", columns: { v: [1] }, fields: {} }, 400, /item 1: .*columns/],
    ["a batch in a batch", { batch: [{ batch: [] }] }, 400, /item 1: .*batch/],
    ["a text as time", { ...good, t: "noon" }, 400, /item 1: .*"t"/],
    ["a time that is too late", { ...good, t: 1e30 }, 422, /item 1: .*years/],
    ["binary", { ...good, fields: { v: new Uint8Array(1) } }, 422, /item 1: column "v"/],
    ["an extension", { ...good, f: [new ExtData(5, new Uint8Array(1))] }, 400, /item 1/],
    ["a field called time", { ...good, fields: { time: 1 } }, 400, /item 1: "time"/],
    ["an empty name", { ...good, fields: { "": 1 } }, 400, /item 1: .*empty/],
    [
      "a name there twice",
      { ...good, tags: { v: "a" }, fields: { v: 1, v_value: 2 } },
      400,
      /twice/,
    ],
    ["columns of unequal length", { m: "c", columns: { a: [1], b: [] } }, 400, /item 1: .*"b"/],
    ["text for a number", { ...good, fields: { n: "x" } }, 422, /item 1: column "n" is int64/],
    ["a name that differs by case", { ...good, fields: { N: 1 } }, 400, /item 1: .*"N"/],
  ])("that is %s: all is refused and nothing stored", async (_, item, status, says) => {
    await write({ m: "strict", t: T0, fields: { n: 1 } });
    const before = await client.row("SELECT count(*) FROM strict");
    const [found, { error, detail }] = await refused([good, item, { m: "fresh", f: [1] }]);
    expect([found, error]).toEqual([status, expect.stringMatching(says)]);
    expect(detail["item"]).toBe(1);
    expect(await client.row("SELECT count(*) FROM strict")).toEqual(before);
    expect((await client.query("SELECT * FROM fresh")).columns).toEqual([]);
  });

  test("of a partial write is listed, and the rest is stored", async () => {
    await write({ m: "part", t: T0, fields: { n: 1 } });
    const items = [
      { m: "part", t: T0, fields: { n: 2 } },
      5,
      { m: "part", t: T0, fields: { n: "x" } },
      { m: "part", t: T0, fields: { n: 3 } },
      { m: "part", t: T0, fields: { n: "y" } },
      { m: "part", columns: { n: [4, 5], time: [T0, T0] } },
      { m: "part", t: T0, fields: { N: 4 } },
    ];
    const answer = await partly(items);
    expect([answer.accepted, answer.rows]).toEqual([3, 4]);
    expect(answer.rejected.map(({ item, code }) => [item, code])).toEqual([
      [1, "batch_shape_invalid"],
      [2, "column_type_conflict"],
      [4, "column_type_conflict"],
      [6, "column_name_invalid"],
    ]);
    expect(await client.row("SELECT count(*), sum(n) FROM part")).toEqual([5, 15]);
  });

  test("of a partial write may be the only one", async () => {
    expect(await partly({ m: "1x", f: [1] })).toMatchObject({
      accepted: 0,
      rows: 0,
      rejected: [{ item: 0, code: "name_invalid" }],
    });
  });

  test("too often is refused, also where it may be left out", async () => {
    const [status, { code }] = await refused(
      Array.from({ length: 1001 }, () => 5),
      "?partial=1",
    );
    expect([status, code]).toEqual([422, "rejections_too_many"]);
  });
});

describe("a body that is hostile", () => {
  test.each<[what: string, value: unknown, status: number]>([
    ["an empty list", [], 400],
    ["an empty batch", { batch: [] }, 400],
    ["a batch that is no list", { batch: 5 }, 400],
    ["trailing bytes", new Uint8Array([...encode([{ m: "a", f: [1] }]), 0]), 400],
    ["a list that claims 2^32-1 items", new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]), 400],
    ["lists nested 10,000 deep", new Uint8Array([...new Uint8Array(10_000).fill(0x91), 1]), 400],
    ["more than 1024 columns", [{ m: "a", f: Array.from({ length: 1025 }, () => 1) }], 413],
    [
      "rows that each have a column of their own, 60 MB of NULLs",
      Array.from({ length: 60_000 }, (_, i) => ({ m: "a", fields: { [`c${i % 1000}`]: 1 } })),
      413,
    ],
    ["501 measurements", Array.from({ length: 501 }, (_, i) => ({ m: `m${i}`, f: [1] })), 413],
    ["21 MB of rows", gzipSync(encode([{ m: "a", f: ["x".repeat(21_000_000)] }])), 413],
  ])("%s is refused", async (_, value, status) => {
    const [found, { error, code }] = await refused(value);
    expect([found, error, code]).toEqual([status, expect.any(String), expect.any(String)]);
    expect((await client.query("SELECT * FROM a")).columns).toEqual([]);
  });

  test("cut at any byte is refused", async () => {
    const whole = encode([{ m: "cut", t: T0, h: "a", fields: { v: 1, s: "abc" } }]);
    for (let length = 0; length < whole.length; length++) {
      const { status } = await write(whole.slice(0, length));
      expect([length, status]).toEqual([length, 400]);
    }
    expect((await client.query("SELECT * FROM cut")).columns).toEqual([]);
  });
});
