// Line protocol by its three ways in, as clients of InfluxDB 1 and 2, Telegraf and Arc send it.

import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const WAYS_IN = ["/write", "/api/v2/write", "/api/v1/write/line-protocol"] as const;
const NS = 1_772_323_200_123_456_789n; // 2026-03-01T00:00:00.123456789Z

function write(path: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const bytes = typeof body === "string" ? body : new Uint8Array(body);
  return client.fetch(path, { method: "POST", body: bytes, headers });
}

describe("a line", () => {
  test("comes back with its types, in the tail and in Parquet", async () => {
    const line =
      String.raw`weather,place=New\ York,day=1 temp=-3.5,n=9223372036854775807i,u=7u,ok=T,` +
      `note="said \\"hi\\",\nthen left",day="field" ${NS}`;
    expect((await write(WAYS_IN[2], line)).status).toBe(204);
    const sql = `SELECT time, place, day, temp, n = 9223372036854775807, u, ok, note, day_value,
      typeof(place), typeof(temp), typeof(n), typeof(u), typeof(ok) FROM weather`;
    const expected = [
      "2026-03-01T00:00:00.123456Z",
      "New York",
      "1",
      -3.5,
      true,
      7,
      true,
      'said "hi",\nthen left',
      "field",
      "VARCHAR",
      "DOUBLE",
      "BIGINT",
      "BIGINT",
      "BOOLEAN",
    ];
    expect(await client.row(sql)).toEqual(expected);
    await client.flush();
    expect(await client.row(sql)).toEqual(expected);
  });

  test("without a time gets the server's", async () => {
    const beforeMs = Date.now();
    expect((await write("/write?db=default", "clock v=1")).status).toBe(204);
    const [ms] = await client.row("SELECT epoch_ms(time) FROM clock");
    expect(Number(ms)).toBeGreaterThanOrEqual(beforeMs);
    expect(Number(ms)).toBeLessThanOrEqual(Date.now());
  });

  test.each(["n", "ns", "u", "us", "ms", "s", "m", "h"])("has a time in %s", async (precision) => {
    const per = { n: 1n, ns: 1n, u: 1000n, us: 1000n, ms: 10n ** 6n, s: 10n ** 9n };
    const unitNs = { ...per, m: 60n * 10n ** 9n, h: 3600n * 10n ** 9n }[precision]!;
    const whole = 1_772_323_200_000_000_000n / unitNs;
    for (const path of WAYS_IN) {
      const target = `${path}?precision=${precision}`;
      expect((await write(target, `p_${precision} v=1 ${whole}`)).status).toBe(204);
    }
    const sql = `SELECT count(*), min(time), max(time) FROM p_${precision}`;
    const time = "2026-03-01T00:00:00Z";
    expect(await client.row(sql)).toEqual([3, time, time]);
  });
});

describe("a body", () => {
  test("of many measurements is stored whole, plain, gzip or zstd, by every way in", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => {
      return `m${i % 3},host=h${i % 7} v=${i},i=${i}i ${NS + BigInt(i) * 1_000_000n}`;
    });
    const body = Buffer.from(`# all of them\n${lines.join("\r\n")}\n\n`);
    const bodies = [body, gzipSync(body), zstdCompressSync(body)];
    for (const [i, path] of WAYS_IN.entries()) {
      const response = await write(path, bodies[i]!);
      expect([response.status, response.headers.get("x-sluice-rows")]).toEqual([204, "3000"]);
    }
    const sql = "SELECT count(*), sum(i), sum(v), count(DISTINCT host) FROM m1";
    const sum = Array.from({ length: 1000 }, (_, i) => 3 * i + 1).reduce((a, b) => a + b, 0);
    expect(await client.row(sql)).toEqual([3000, 3 * sum, 3 * sum, 7]);
  });

  test("goes to the database of the header, or of db or bucket", async () => {
    await write("/write?db=one", "t v=1");
    await write("/write?db=one", "t v=2", { "x-arc-database": "two" });
    await write("/api/v2/write?bucket=three&org=o", "t v=3");
    for (const [database, v] of Object.entries({ one: 1, two: 2, three: 3 })) {
      expect(await client.row("SELECT count(*), sum(v) FROM t", database)).toEqual([1, v]);
    }
  });

  test("sent again with its key is stored once", async () => {
    const headers = { "idempotency-key": "lines-1" };
    await write("/write", "once v=1\nonce v=2", headers);
    const again = await write("/write", "once v=1\nonce v=2", headers);
    expect([again.status, again.headers.get("x-sluice-duplicate")]).toEqual([204, "true"]);
    expect(await client.row("SELECT count(*) FROM once")).toEqual([2]);
  });

  test("may come with a password, a parameter or Token in place of Bearer", async () => {
    const basic = Buffer.from(`telegraf:${ADMIN_TOKEN}`).toString("base64");
    const schemes = [`Basic ${basic}`, `Token ${ADMIN_TOKEN}`];
    for (const authorization of schemes) {
      expect((await write("/write", "auth v=1", { authorization })).status).toBe(204);
    }
    const init = { method: "POST", body: "auth v=1" };
    const byParameter = await fetch(`${stack.url}/write?u=telegraf&p=${ADMIN_TOKEN}`, init);
    const wrong = await fetch(`${stack.url}/write?u=telegraf&p=wrong`, init);
    const none = await fetch(`${stack.url}/write`, init);
    expect([byParameter.status, wrong.status, none.status]).toEqual([204, 401, 401]);
    expect(await client.row("SELECT count(*) FROM auth")).toEqual([3]);
  });
});

describe("what is wrong", () => {
  test.each<[what: string, body: string, status: number, says: RegExp]>([
    ["nothing", "", 400, /empty/i],
    ["comments alone", "# nothing\n\n", 400, /no lines/],
    ["no field", "good v=1\ngood\n", 400, /^line 2: /],
    ["text without quotes", "good v=1\n\ngood v=abc", 400, /^line 3: /],
    ["an open quote", 'good v=1\ngood s="x\n', 400, /^line 2: .*quote/],
    ["an integer beyond int64", "good v=1\ngood i=9223372036854775808i", 422, /^line 2: /],
    ["a bad measurement", "good v=1\nbad.name v=1", 400, /^line 2: .*bad\.name/],
    ["a type that does not fit", 'good v=1\ngood v="x"\nkept v=1', 422, /^line 2: column "v"/],
  ])("%s refuses the whole body", async (_, body, status, says) => {
    await write("/write", "good v=0.5 1", { "idempotency-key": "good" });
    for (const path of WAYS_IN) {
      const response = await write(path, body);
      const { error } = (await response.json()) as { error: string };
      expect([response.status, error]).toEqual([status, expect.stringMatching(says)]);
    }
    expect(await client.row("SELECT count(*) FROM good")).toEqual([1]);
    expect((await client.query("SELECT * FROM kept")).columns).toEqual([]);
  });

  test("is listed by a partial write, which stores the rest", async () => {
    const body = 'part v=1\npart\npart v=2\npart v="x"\n1part v=1\npart v=3\n';
    const response = await write("/api/v1/write/line-protocol?partial=1", body);
    const answer = (await response.json()) as { accepted: number; rejected: { line: number }[] };
    expect([response.status, answer.accepted]).toEqual([200, 4]);
    expect(answer.rejected.map(({ line }) => line)).toEqual([2, 5]);
    // The first body made the column text that takes numbers; now one of text alone.
    expect(await client.row("SELECT count(*), typeof(any_value(v)) FROM part")).toEqual([
      4,
      "VARCHAR",
    ]);
    await write("/write", "part2 v=1");
    const second = await write("/write?partial=1", 'part2 v=2\npart2 v="x"\npart2 v=true');
    expect(await second.json()).toMatchObject({
      accepted: 1,
      rejected: [
        { line: 2, code: "column_type_conflict", detail: { column: "v", line: 2 } },
        { line: 3, code: "column_type_conflict" },
      ],
    });
    expect(await client.row("SELECT count(*), sum(v) FROM part2")).toEqual([2, 3]);
  });

  test("is said where clients of InfluxDB look for it", async () => {
    const response = await write("/api/v2/write?bucket=b", "cpu");
    const body = (await response.json()) as Record<string, string>;
    expect(body).toMatchObject({ error: body["message"], code: "line_invalid" });
    const unknown = await write("/api/v2/write?bucket=telegraf/autogen", "cpu v=1");
    expect([unknown.status, await unknown.json()]).toMatchObject([400, { code: "name_invalid" }]);
    const precision = await write("/write?precision=d", "cpu v=1");
    expect([precision.status, await precision.json()]).toMatchObject([
      400,
      { code: "parameter_invalid", detail: { field: "precision" } },
    ]);
  });
});

test("ping answers without a token", async () => {
  for (const method of ["GET", "HEAD"]) {
    const response = await fetch(`${stack.url}/ping`, { method });
    expect([method, response.status]).toEqual([method, 204]);
    expect(response.headers.get("x-influxdb-version")).toMatch(/^1\./);
  }
});
