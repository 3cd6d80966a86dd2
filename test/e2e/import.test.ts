// Files imported whole: their rows come back by SQL, a repeated import stores nothing twice, and a
// bad file stores nothing.

import { readFileSync } from "node:fs";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { columnOf } from "../helpers/random-table.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

interface ImportAnswer {
  readonly status: string;
  readonly result: Record<string, unknown>;
  readonly code?: string;
  readonly error?: string;
  readonly detail?: Record<string, unknown>;
}

async function send(path: string, body: BodyInit): Promise<[number, ImportAnswer]> {
  const response = await client.fetch(`/api/v1/import/${path}`, { method: "POST", body });
  return [response.status, (await response.json()) as ImportAnswer];
}

function form(content: string | Uint8Array<ArrayBuffer>): FormData {
  const data = new FormData();
  data.append("file", new Blob([content]), "file.csv");
  return data;
}

const CSV = `time,host,load,cores,ok,zip,note
2026-03-01T00:00:00Z,a,0.5,8,true,01234,
2026-03-01T12:00:00.5Z,b,1,16,false,04321,"says ""hi"", twice"
2026-03-02T00:00:00Z,,2.5,,,99999,x
`;

describe("a CSV file", () => {
  test.each<[string, string, () => BodyInit]>([
    ["as a form", "form", () => form(CSV)],
    ["as a gzipped form", "gzip", () => form(new Uint8Array(gzipSync(CSV)))],
    ["as the body", "raw", () => CSV],
  ])("%s is imported with its types, and once", async (_, database, body) => {
    const path = `csv?measurement=hosts&db=${database}`;
    for (let time = 0; time < 2; time++) {
      const [status, answer] = await send(path, body());
      expect([status, answer]).toMatchObject([
        200,
        {
          status: "ok",
          result: {
            database,
            measurement: "hosts",
            rows_imported: 3,
            partitions_created: 2,
            time_range_min: "2026-03-01T00:00:00.000Z",
            time_range_max: "2026-03-02T00:00:00.000Z",
            columns: ["time", "host", "load", "cores", "ok", "zip", "note"],
          },
        },
      ]);
    }
    const sql = `SELECT count(*), sum(load), sum(cores), count(host), max(zip), min(note),
      typeof(any_value(load)), typeof(any_value(cores)), typeof(any_value(ok)) FROM hosts`;
    const types = ["DOUBLE", "BIGINT", "BOOLEAN"];
    expect(await client.row(sql, database)).toEqual(
      [3, 4, 24, 2, "99999", 'says "hi", twice'].concat(types as never[]),
    );
  });

  test("of 10 MB is imported in parts, and once", async () => {
    const rows = Array.from(
      { length: 100_000 },
      (_, i) => `${1_772_323_200 + i},${i},${"x".repeat(90)}`,
    );
    const text = `time,v,pad\n${rows.join("\n")}`;
    for (let time = 0; time < 2; time++) {
      const [status, { result }] = await send(
        "csv?measurement=big&time_format=epoch_s",
        form(text),
      );
      expect([status, result["rows_imported"]]).toEqual([200, 100_000]);
    }
    const sum = (100_000 * 99_999) / 2;
    expect(await client.row("SELECT count(*), sum(v) FROM big")).toEqual([100_000, sum]);
  });

  test.each<[what: string, query: string, body: () => BodyInit, status: number, code: string]>([
    ["no measurement", "", () => CSV, 400, "name_invalid"],
    ["a wrong delimiter", "measurement=x&delimiter=ab", () => CSV, 400, "parameter_invalid"],
    ["a wrong format", "measurement=x&time_format=x", () => CSV, 400, "parameter_invalid"],
    ["a wrong number of rows", "measurement=x&skip_rows=-1", () => CSV, 400, "parameter_invalid"],
    ["a wrong time column", "measurement=x&time_column=y", () => CSV, 400, "parameter_invalid"],
    ["a short record", "measurement=x", () => `${CSV}1\n`, 422, "csv_invalid"],
    ["an open quote", "measurement=x", () => `${CSV}"`, 422, "csv_invalid"],
    ["an empty file", "measurement=x", () => form(""), 400, "body_empty"],
    ["a form without a file", "measurement=x", () => new FormData(), 400, "parameter_invalid"],
  ])("with %s is refused and leaves nothing", async (_, query, body, status, code) => {
    const [found, answer] = await send(`csv?${query}`, body());
    expect([found, answer.code, answer.error]).toEqual([status, code, expect.any(String)]);
    expect((await client.query("SELECT * FROM x")).columns).toEqual([]);
  });
});

describe("a file of line protocol", () => {
  test("is imported, and once", async () => {
    const text = "one,host=a v=1 1772323200\ntwo v=2i 1772323201\none,host=b v=3 1772323202\n";
    for (let time = 0; time < 2; time++) {
      expect(await send("lp?precision=s&db=lines", form(text))).toMatchObject([
        200,
        { result: { measurements: ["one", "two"], rows_imported: 3, precision: "s" } },
      ]);
    }
    expect(await client.row("SELECT count(*), sum(v) FROM one", "lines")).toEqual([2, 4]);
  });

  test("with a bad line is refused and leaves nothing", async () => {
    const [status, { code, error }] = await send("lp?db=lines", form("fine v=1\nbad\n"));
    expect([status, code, error]).toEqual([
      400,
      "line_invalid",
      expect.stringMatching(/^line 2: /),
    ]);
    expect((await client.query("SELECT * FROM fine", "lines")).columns).toEqual([]);
  });
});

describe("a file that is not held whole", () => {
  const START_MS = 1_772_323_200_000;
  const pad = "padding, ".repeat(6);
  const rowsOf = (count: number, row: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => row(i)).join("");
  const csvOf = (count: number) =>
    `time,host,v,note\n${rowsOf(count, (i) => `${START_MS + i},h${i % 9},${i},"${pad}\n${i}"\n`)}`;
  const linesOf = (count: number) =>
    rowsOf(count, (i) => `big,host=h${i % 9} v=${i}i,note="${pad}\n${i}" ${START_MS + i}\n`);
  const COUNTED = "SELECT count(*), sum(v), min(v), max(v), max(length(note)) FROM big";
  const countsOf = (count: number) => {
    const digits = String(count - 1).length;
    return [count, (count * (count - 1)) / 2, 0, count - 1, pad.length + 1 + digits];
  };
  const MANY = 700_000;
  const SOME = 350_000;

  test.each<[what: string, database: string, rowCount: number, body: () => BodyInit]>([
    ["60 MB of CSV, gzipped,", "gzip", MANY, () => gzipSync(csvOf(MANY), { level: 1 })],
    ["30 MB of CSV", "plain", SOME, () => csvOf(SOME)],
    ["30 MB of CSV, as a form,", "form", SOME, () => form(csvOf(SOME))],
    ["30 MB of CSV, by zstd,", "zstd", SOME, () => zstdCompressSync(csvOf(SOME))],
  ])(
    "of %s is imported, and once",
    async (_, database, rowCount, body) => {
      for (let time = 0; time < 2; time++) {
        const [status, answer] = await send(`csv?measurement=big&db=${database}`, body());
        expect([status, answer]).toMatchObject([
          200,
          {
            result: {
              measurement: "big",
              rows_imported: rowCount,
              partitions_created: 1,
              time_range_min: "2026-03-01T00:00:00.000Z",
              time_range_max: new Date(START_MS + rowCount - 1).toISOString(),
              columns: ["time", "host", "v", "note"],
            },
          },
        ]);
      }
      expect(await client.row(COUNTED, database)).toEqual(countsOf(rowCount));
    },
    120_000,
  );

  test("of 60 MB of line protocol is imported, and once", async () => {
    for (let time = 0; time < 2; time++) {
      const body = gzipSync(linesOf(MANY), { level: 1 });
      expect(await send("lp?precision=ms&db=big-lines", body)).toMatchObject([
        200,
        { result: { measurements: ["big"], rows_imported: MANY } },
      ]);
    }
    expect(await client.row(COUNTED, "big-lines")).toEqual(countsOf(MANY));
  }, 120_000);

  test.each<[what: string, path: string, ofRows: typeof csvOf, string, object]>([
    [
      "CSV",
      "csv?measurement=big&db=late-csv",
      csvOf,
      "noon,h,1,x\n",
      { code: "time_invalid", detail: { line: 2 * SOME + 2 } },
    ],
    [
      "line protocol",
      "lp?precision=ms&db=late-lines",
      linesOf,
      "big\n",
      { code: "line_invalid", detail: { line: 2 * SOME + 1 } },
    ],
    [
      "CSV whose numbers become texts",
      "csv?measurement=big&db=late-text",
      csvOf,
      `${START_MS},h,many,x\n`,
      { code: "column_type_conflict", detail: { line: 2 * SOME + 2, column: "v", found: "text" } },
    ],
  ])(
    "of %s with a fault at its end is refused there, and corrected is stored once",
    async (_, path, ofRows, bad, refusal) => {
      const database = /db=(.*)$/.exec(path)![1]!;
      const whole = ofRows(SOME);
      const [status, refused] = await send(path, whole + bad);
      expect([status, refused]).toMatchObject([expect.toBeOneOf([400, 422]), refusal]);
      const stored = refused.detail!["rows_stored"];
      expect(stored).toBeGreaterThan(SOME * 0.8);
      expect(stored).toBeLessThan(SOME);
      expect(await client.row("SELECT count(*) FROM big", database)).toEqual([stored]);
      expect((await send(path, whole))[0]).toBe(200);
      expect(await client.row(COUNTED, database)).toEqual(countsOf(SOME));
    },
    120_000,
  );

  test.each<[string, (text: string) => BodyInit]>([
    ["CSV", (text) => text],
    ["CSV as a form", form],
  ])("of %s with a fault at its beginning is refused when all of it was sent", async (_, body) => {
    const text = `time,v\n1,2\nnoon,3\n${"4,5\n".repeat(10_000_000)}`;
    const [status, refused] = await send("csv?measurement=big&db=early", body(text));
    expect([status, refused]).toMatchObject([400, { code: "time_invalid", detail: { line: 3 } }]);
    expect(refused.detail).not.toHaveProperty("rows_stored");
    expect((await client.query("SELECT * FROM big", "early")).columns).toEqual([]);
  });

  test("is refused when it is larger than that, before it is read", async () => {
    const sent = request(`${stack.url}/api/v1/import/csv?measurement=x`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-length": 100_000_001 },
    });
    sent.flushHeaders();
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    sent.destroy();
  });
});

describe("a Parquet file", () => {
  const fixture = new URL("../fixtures/parquet/pyarrow-types-snappy.parquet", import.meta.url);
  const file = new Uint8Array(readFileSync(fixture));

  test.each<[string, string, () => BodyInit]>([
    ["as a form", "parquet-form", () => form(file)],
    ["as the body", "parquet-raw", () => file],
  ])("%s is imported with its types, and once", async (_, database, body) => {
    const path = `parquet?measurement=types&time_column=ts&db=${database}`;
    for (let time = 0; time < 2; time++) {
      const [status, answer] = await send(path, body());
      expect([status, answer]).toMatchObject([
        200,
        {
          status: "ok",
          result: {
            database,
            measurement: "types",
            rows_imported: 5,
            partitions_created: 3,
            time_range_min: "2026-03-01T00:00:00.000Z",
            time_range_max: "2026-03-03T00:00:00.000Z",
            columns: expect.arrayContaining(["time", "u64", "list"]) as unknown,
          },
        },
      ]);
    }
    const sql = `SELECT count(*), max(time)::VARCHAR, max(u64), sum(dec2), max(d)::VARCHAR,
      min(list), min(tm), max("decL"), count(nul) FROM types`;
    expect(await client.row(sql, database)).toEqual([
      5,
      "2026-03-03 00:00:00",
      Number(2n ** 63n - 1n),
      12_346.85,
      "2026-03-03 00:00:00",
      "[1,null]",
      "00:00:00",
      "7.5",
      0,
    ]);
  });

  test("of our own, and of 300,000 rows, is imported in parts, and once", async () => {
    const rowCount = 300_000;
    const rows = Array.from({ length: rowCount }, (_, i) => i);
    const table = {
      rowCount,
      columns: [
        columnOf({
          name: "time",
          type: "timestamp",
          values: rows.map((i) => 1_772_323_200_000_000n + BigInt(i)),
        }),
        columnOf({ name: "v", type: "int64", values: rows.map(BigInt) }),
        columnOf({ name: "t", type: "utf8", values: rows.map((i) => `text ${i}`) }),
      ],
    };
    const { bytes } = writeParquet(table, 0, rowCount, { keyValues: {} });
    for (let time = 0; time < 2; time++) {
      const [status, answer] = await send("parquet?measurement=own", form(bytes));
      expect([status, answer]).toMatchObject([200, { result: { rows_imported: rowCount } }]);
    }
    const sum = (rowCount * (rowCount - 1)) / 2;
    const sql = "SELECT count(*), sum(v), count(DISTINCT t) FROM own";
    expect(await client.row(sql)).toEqual([rowCount, sum, rowCount]);
  });

  test.each<[what: string, query: string, body: () => BodyInit, status: number, code: string]>([
    ["no measurement", "", () => file, 400, "name_invalid"],
    ["a wrong time column", "measurement=p", () => file, 400, "parameter_invalid"],
    ["a wrong format", "measurement=p&time_format=x", () => file, 400, "parameter_invalid"],
    ["no end", "measurement=p", () => file.slice(0, -1), 422, "parquet_invalid"],
    ["CSV in it", "measurement=p", () => CSV, 422, "parquet_invalid"],
    ["nothing in it", "measurement=p", () => form(""), 400, "body_empty"],
  ])("with %s is refused and leaves nothing", async (_, query, body, status, code) => {
    const [found, answer] = await send(`parquet?${query}`, body());
    expect([found, answer.code, answer.error]).toEqual([status, code, expect.any(String)]);
    expect((await client.query("SELECT * FROM p")).columns).toEqual([]);
  });
});

test("a token that may only write may not import", async () => {
  const made = await client.post("/api/v1/auth/tokens", { name: "writer", permissions: ["write"] });
  const { token } = (await made.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const init = { method: "POST", body: CSV, headers };
  expect((await client.fetch("/api/v1/import/csv?measurement=x", init)).status).toBe(403);
});
