// The asking half of the client, and its live streams, against the real server.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SluiceClient } from "../../clients/client/client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";
import { allOf } from "../clients/client/all-of.ts";

const stack = new Stack({ EVENT_HEARTBEAT_MS: "500" });
let client: SluiceClient;

beforeAll(async () => {
  await stack.start();
  client = new SluiceClient({ url: stack.url, token: ADMIN_TOKEN });
  await client.write("cpu", [
    { time: "2026-01-01T00:00:00Z", host: "a", load: 0.5, id: 9_007_199_254_740_993n },
    { time: "2026-01-01T00:00:01.000001Z", host: "b", load: 2, id: 1 },
  ]);
  await client.flush();
}, 120_000);

afterAll(() => stack.remove());

const ALL = "SELECT time, host, load, id FROM cpu ORDER BY time";
const ROWS = [
  { time: "2026-01-01T00:00:00Z", host: "a", load: 0.5, id: 9_007_199_254_740_993n },
  { time: "2026-01-01T00:00:01.000001Z", host: "b", load: 2, id: 1 },
];

describe("SQL", () => {
  test("gives rows at once and row by row, large integers exact", async () => {
    expect(await client.query(ALL)).toEqual(ROWS);
    expect(await allOf(client.rows(ALL))).toEqual(ROWS);
  });

  test("takes parameters by place and by name", async () => {
    const named = "SELECT host FROM cpu WHERE id = $id::BIGINT AND time >= $since::TIMESTAMP";
    const since = new Date("2026-01-01T00:00:00Z");
    expect(await client.query(named, { id: 9_007_199_254_740_993n, since })).toEqual([
      { host: "a" },
    ]);
    expect(await client.query("SELECT host FROM cpu WHERE load > ?", [1])).toEqual([{ host: "b" }]);
  });

  test("names columns alike in both forms when a name is there twice", async () => {
    const sql = "SELECT 1 AS x, 2 AS x";
    expect(await client.query(sql)).toEqual(await allOf(client.rows(sql)));
  });

  test("gives an Arrow table, and bytes of any format", async () => {
    const table = await client.arrow(ALL);
    expect([table.numRows, table.getChild("load")!.get(1)]).toEqual([2, 2]);
    const csv = new TextDecoder().decode(await client.queryBytes(ALL, "csv"));
    expect(csv.split(/\r?\n/)[0]).toBe("time,host,load,id");
    const parquet = await client.queryBytes(ALL, "parquet");
    expect(new TextDecoder().decode(parquet.subarray(0, 4))).toBe("PAR1");
  });

  test("that is wrong is told with the server's code", async () => {
    const wrong = { name: "SluiceRequestError", code: "sql_invalid", status: 400 };
    await expect(client.query("SELEC 1")).rejects.toMatchObject(wrong);
    await expect(client.rows("SELEC 1").next()).rejects.toMatchObject(wrong);
  });

  test("that fails in the middle of an answer is no short answer", async () => {
    const sql =
      "SELECT CASE WHEN range = 290000 THEN CAST('x' || range AS BIGINT) ELSE range END AS n " +
      "FROM range(300000)";
    const rows = async () => {
      for await (const row of client.rows(sql)) expect(row).toHaveProperty("n");
    };
    await expect(rows()).rejects.toMatchObject({ code: "query_failed" });
    await expect(client.query(sql)).rejects.toMatchObject({ name: "SluiceRequestError" });
  });

  test("of more rows than one answer has is refused rather than cut", async () => {
    const sql = "SELECT range AS n FROM range(1000001)";
    const count = async () => {
      let rows = 0;
      for await (const _ of client.rows(sql)) rows++;
      return rows;
    };
    await expect(count()).rejects.toMatchObject({ code: "answer_truncated" });
  }, 60_000);
});

test("a tail shows rows as they are stored, and goes on where it was after a restart", async () => {
  await client.write("live", { id: 0 });
  await client.flush();
  const ended = new AbortController();
  const seen: number[] = [];
  for await (const { id } of client.tail<{ id: number }>("live", {
    rows: 1,
    columns: ["id"],
    signal: ended.signal,
  })) {
    seen.push(id);
    if (id === 1) await stack.restart();
    if (id === 3) break;
    await client.write("live", { id: id + 1 });
    await client.flush();
  }
  expect(seen).toEqual([0, 1, 2, 3]);
}, 60_000);

describe("tagged events", () => {
  test("are posted, found page by page, and summed up", async () => {
    const tags = ["shop", "shop:17"];
    const events = Array.from({ length: 70 }, (_, n) => ({ type: "sale", tags, value: { n } }));
    const stored = await client.events.post(events);
    expect(stored).toHaveLength(70);
    const [one] = await client.events.post({ tags: ["other"], timestamp: new Date(0) });
    expect(one).toMatchObject({ type: "event", value: "", timestamp: "1970-01-01T00:00:00Z" });

    const page = await client.events.find({ tags: ["shop:17"], timestamp: { gte: "now-1h" } });
    expect(page.events).toHaveLength(30);
    expect(page.cursor).not.toBeNull();
    const all = await allOf(client.events.all({ tags, type: "sale", perPage: 30 }));
    expect(all.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(
      stored.map(({ seq }) => seq),
    );
    const aggregator = { type: "max", field: "n" } as const;
    expect(await client.events.aggregate({ tags, aggregator })).toEqual({ value: 69 });
  }, 60_000);

  test("are followed without a gap through a restart of the server", async () => {
    const ended = new AbortController();
    const [first] = await client.events.post({ tags: ["follow"], value: 0 });
    const seen: unknown[] = [];
    const stream = client.events.stream({
      tags: ["follow"],
      after: first!.seq - 1,
      signal: ended.signal,
    });
    for await (const { value } of stream) {
      seen.push(value);
      if (value === 2) await stack.restart();
      if (value === 4) ended.abort();
      else await client.events.post({ tags: ["follow"], value: Number(value) + 1 });
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  }, 60_000);
});

test("correlation gives what is around a moment", async () => {
  const around = new Date("2026-01-01T00:00:00Z");
  const found = await client.correlate({ around, windowMs: 60_000, measurements: ["cpu"] });
  expect(found.metrics).toHaveLength(2);
  expect(found.timeline[0]).toMatchObject({ data_type: "metric", measurement: "cpu" });
});

describe("administration", () => {
  test("makes, lists and drops databases", async () => {
    await client.databases.create("made");
    expect((await client.databases.list()).map(({ name }) => name)).toContain("made");
    await client.databases.flush("default");
    const names = (await client.databases.measurements("default")).map(({ name }) => name);
    expect(names).toContain("cpu");
    await client.databases.drop("made");
    expect((await client.databases.list()).map(({ name }) => name)).not.toContain("made");
  }, 60_000);

  test("makes tokens, which do what they may, until they are revoked", async () => {
    const { token, token_info: info } = await client.tokens.create({
      name: "reader",
      permissions: ["read"],
    });
    const reader = new SluiceClient({ url: stack.url, token, onError: () => {} });
    expect(await reader.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await reader.write("cpu", { load: 1 });
    await expect(reader.flush()).rejects.toMatchObject({
      batches: [{ code: "permission_denied" }],
    });
    expect((await client.tokens.list()).map(({ id }) => id)).toContain(info.id);
    expect(await client.tokens.rotate(info.id)).not.toBe(token);
    await client.tokens.revoke(info.id);
    await client.tokens.remove(info.id);
    expect((await client.tokens.list()).map(({ id }) => id)).not.toContain(info.id);
  });

  test("makes, changes and removes triggers", async () => {
    const fields = { name: "hook", tags: ["a"], url: "http://127.0.0.1:9/hook", enabled: false };
    const made = await client.triggers.create(fields);
    expect(made.secret).toMatch(/^whsec_/);
    expect(await client.triggers.update(made.id, { type: "sale" })).toMatchObject({
      type: "sale",
      name: "hook",
    });
    expect(await client.triggers.show(made.id)).toMatchObject({ ...fields, type: "sale" });
    expect(await client.triggers.list()).toHaveLength(1);
    await client.triggers.remove(made.id);
    expect(await client.triggers.list()).toEqual([]);
  });
});
