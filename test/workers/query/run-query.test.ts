// SQL over a database with rows in its tail and rows in files: what is answered, and what is read.

import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { comparable } from "../../helpers/native-answers.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { type Answer, QueryWorld } from "../../helpers/query-world.ts";
import { anyPredicate, anyTimeMs } from "../../helpers/random-predicate.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 0, 1, 12);

let world: QueryWorld;
beforeEach(async () => {
  world = new QueryWorld("default", "events", "secret");
  await world.open(engineModules());
});

describe("rows", () => {
  test("of the tail and of files are one table, also between commit and release", async () => {
    const database = world.get();
    database.append("cpu", { time: [NOON, NOON + 1], host: ["a", "b"], v: [1, 2] });
    const sql = "SELECT count(*) AS n, sum(v) AS s, max(time) AS t FROM cpu";
    const tail = await world.query(sql);
    expect(tail.data).toEqual([[2, 3, "2026-01-01T12:00:00.001Z"]]);
    await database.commit();
    expect((await world.query(sql)).data).toEqual(tail.data);
    await database.flush();
    expect((await world.query(sql)).data).toEqual(tail.data);
    database.append("cpu", { time: [NOON + DAY], host: ["c"], v: [4] });
    const both = await world.query("SELECT host, v FROM cpu ORDER BY time");
    expect(both.data).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 4],
    ]);
    expect(both.cost).toMatchObject({ files_considered: 1, files_read: 1, tail_rows: 1 });
  });

  test("of the last second before a date are found, in files that hold nothing else", async () => {
    const database = world.get();
    const midnight = Date.UTC(2026, 0, 2);
    for (const time of [midnight - 1, midnight, midnight - 1_000]) {
      database.append("cpu", { time: [time], v: [1] });
      await database.flush();
    }
    const count = async (where: string) =>
      (await world.query(`SELECT count(*) FROM cpu WHERE ${where}`)).data;
    const date = "date '2026-01-02'";
    expect(await count(`time >= ${date} - interval '1 second'`)).toEqual([[3]]);
    expect(await count(`time > ${date} - interval 500 milliseconds`)).toEqual([[2]]);
    expect(await count(`time < ${date} - interval '1 second'`)).toEqual([[0]]);
    expect(await count(`time < ${date} + interval '1 hour'`)).toEqual([[3]]);
  });

  test("of older files look as the schema is today", async () => {
    const database = world.get();
    database.append("m", { time: [NOON], v: [1], late: [null] });
    await database.flush();
    database.append("m", { time: [NOON + 1], v: [2.5], t: ["x"], f: [true] });
    await database.flush();
    database.append("m", { time: [NOON + 2], v: [3], f: [null], 'Odd "name"': ["ö"] });
    const sql =
      'SELECT v, t, f, "Odd ""name""", late, typeof(v), typeof(late) FROM m ORDER BY time';
    expect((await world.query(sql)).data).toEqual([
      [1, null, null, null, null, "DOUBLE", "NULL"],
      [2.5, "x", true, null, null, "DOUBLE", "NULL"],
      [3, null, null, "ö", null, "DOUBLE", "NULL"],
    ]);
    const all = await world.query("SELECT * FROM m WHERE v > 2.7");
    expect(all.columns).toEqual(["time", "v", "late", "t", "f", 'Odd "name"']);
  });

  test("keep every digit of an int64, and say timestamps in UTC", async () => {
    const big = 9_007_199_254_740_993n;
    world.get().append("m", { time: [BigInt(NOON)], v: [big] });
    for (const step of ["tail", "file"]) {
      const text = await (await world.respond("SELECT v, -v AS w, time FROM m")).text();
      expect(text, step).toContain(`[[${big},-${big},"2026-01-01T12:00:00Z"]]`);
      await world.get().flush();
    }
  });

  test("that a WHERE cannot match still leave a table with its columns", async () => {
    world.get().append("m", { time: [NOON], v: [1] });
    await world.get().flush();
    const answer = await world.query("SELECT v, time FROM m WHERE time > '2030-01-01'");
    expect(answer).toMatchObject({ success: true, columns: ["v", "time"], data: [], row_count: 0 });
    expect(answer.cost).toMatchObject({ files_considered: 1, files_read: 0, bytes_read: 0 });
    const counts = await world.query("SELECT count(*), sum(v) FROM m WHERE time > '2030-01-01'");
    expect(counts.data).toEqual([[0, null]]);
  });

  test("beyond the tail's budget are flushed first", async () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => i);
    for (const start of [0, 1]) {
      world
        .get()
        .append("m", { time: rows.map((i) => NOON + i), v: rows.map((i) => i * 2 + start) });
    }
    const answer = await world.query("SELECT count(DISTINCT v) FROM m");
    expect(answer.data).toEqual([[600_000]]);
    expect(answer.cost).toMatchObject({ tail_rows: 0 });
    expect(world.get().flushes).toBe(1);
  });
});

describe("tables", () => {
  test("of two databases meet in one query, and are told apart", async () => {
    world.get("default").append("cpu", { time: [NOON], v: [1] });
    world.get("events").append("cpu", { time: [NOON], v: [2] });
    const sql = 'SELECT cpu.v, events.cpu.v FROM events.cpu, "default".cpu AS d';
    expect((await world.query('SELECT cpu.v, d.v FROM events.cpu, "default".cpu d')).data).toEqual([
      [2, 1],
    ]);
    expect((await world.query(sql, "events")).data).toEqual([[2, 2]]);
    expect((await world.query("FROM cpu SELECT v", "events")).data).toEqual([[2]]);
    expect((await world.query("SELECT events.cpu.v FROM events.cpu")).data).toEqual([[2]]);
  });

  test("that do not exist make the answer empty, as Arc's", async () => {
    for (const sql of ["SELECT * FROM nope", "SELECT 1 FROM nowhere.nope", "FROM 'nope'"]) {
      expect(await world.query(sql)).toMatchObject({
        status: 200,
        success: true,
        columns: [],
        data: [],
        row_count: 0,
      });
    }
  });

  test("of a database that the caller may not read are denied, and cost no look-up", async () => {
    world.get("secret").append("cpu", { time: [NOON], v: [1] });
    const answer = await world.query("SELECT * FROM secret.cpu", null, ["default", "ev*"]);
    expect(answer).toMatchObject({ status: 403, code: "permission_denied", success: false });
    expect((await world.query("SELECT v FROM cpu", "secret", ["default"])).status).toBe(403);
    expect((await world.query("SHOW TABLES FROM secret", null, ["default"])).status).toBe(403);
  });

  test("and databases are listed by SHOW", async () => {
    world.get().append("cpu", { time: [NOON], v: [1] });
    await world.get().flush();
    const databases = await world.query("-- all\nshow databases;", null, ["default", "e*"]);
    expect(databases).toMatchObject({ columns: ["database"], data: [["default"], ["events"]] });
    const tables = await world.query('SHOW MEASUREMENTS FROM "default"');
    expect(tables).toMatchObject({
      columns: ["database", "table_name", "storage_path", "file_count", "total_size_mb"],
      data: [["default", "cpu", "default/cpu", 1, 0]],
    });
    expect((await world.query("SHOW TABLES", "events")).data).toEqual([]);
  });
});

describe("time plus an integer column", () => {
  const cases: [string, string][] = [
    ["time + d", "2026-01-01T12:00:01.5Z"],
    ["m.time - m.d", "2026-01-01T11:59:58.5Z"],
    ["d + time", "2026-01-01T12:00:01.5Z"],
    ["time + (d + d)", "2026-01-01T12:00:03Z"],
    ["time + INTERVAL '1 second'", "2026-01-01T12:00:01Z"],
    ["(SELECT e.time + m.d FROM m e)", "2026-01-01T12:00:01.5Z"],
    ["time::DATE + 1", "2026-01-02T00:00:00Z"],
    ["time + 250", "2026-01-01T12:00:00.25Z"],
  ];
  test.each(cases)("%s is milliseconds: %s", async (expression, expected) => {
    world.get().append("m", { time: [NOON], d: [1_500] });
    expect((await world.query(`SELECT ${expression} AS t FROM m`)).data).toEqual([[expected]]);
  });

  test("is left to the engine where the types are not known", async () => {
    world.get().append("m", { time: [NOON], d: [1.5] });
    const answer = await world.query("SELECT time + d FROM m");
    expect(answer).toMatchObject({ status: 400, code: "sql_invalid" });
    expect(answer["error"]).toContain("No function matches");
  });
});

describe("many small files", () => {
  test("are read by one scan after the other, and each once", async () => {
    const fileCount = 2 * LIMITS.filesPerScanMax + 1;
    for (let n = 0; n < fileCount; n++) {
      world.get().append("small", { time: [NOON + n], n: [n] });
      await world.get().flush();
    }
    const { data } = await world.query("SELECT n, count(*) FROM small GROUP BY n ORDER BY n");
    expect(data).toEqual(Array.from({ length: fileCount }, (_, n) => [n, 1]));
  });
});

describe("an error", () => {
  test.each([
    ["", 400, "sql_invalid"],
    ["SELEC 1", 400, "sql_invalid"],
    ["SELECT nope FROM cpu", 400, "sql_invalid"],
    ["DROP TABLE cpu", 400, "sql_not_allowed"],
    ["SELECT getenv('HOME')", 400, "sql_not_allowed"],
    ["SELECT * FROM '/etc/passwd'", 400, "sql_not_allowed"],
    ["SELECT 'x'::INT", 400, "sql_invalid"],
    ["SELECT (v || 'x')::INT FROM cpu", 422, "query_failed"],
    [`SELECT '${"x".repeat(100_000)}'`, 400, "sql_invalid"],
  ])("of %.40s has Arc's shape and a code", async (sql, status, code) => {
    world.get().append("cpu", { time: [NOON], v: [1] });
    const answer = await world.query(sql);
    expect(Object.keys(answer).slice(0, 7)).toEqual([
      "success",
      "columns",
      "data",
      "row_count",
      "execution_time_ms",
      "timestamp",
      "error",
    ]);
    expect(answer).toMatchObject({ status, code, success: false, columns: null, data: null });
    expect(answer).toMatchObject({ row_count: 0, request_id: "r-1", error: expect.any(String) });
  });

  test("of the object store says so, and the next query is answered", async () => {
    world.get().append("cpu", { time: [NOON], v: [1] });
    await world.get().flush();
    world.failReads = 3;
    const failed = await world.query("SELECT sum(v) FROM cpu");
    expect(failed).toMatchObject({ status: 503, code: "store_unavailable" });
    world.failReads = 0;
    expect((await world.query("SELECT sum(v) FROM cpu")).data).toEqual([[1]]);
  });

  test("of memory comes with advice, and the next query is answered", async () => {
    const greedy = "SELECT list(i::VARCHAR || 'some more text') FROM range(5000000) t(i)";
    const answer = await world.query(greedy);
    expect(answer).toMatchObject({ status: 422, code: "query_out_of_memory" });
    expect((await world.query("SELECT 1")).data).toEqual([[1]]);
  });
});

describe("a client that goes away", () => {
  const endless =
    "SELECT count(*) FROM range(100000000000) a(i), range(20) b(j) WHERE hash(i + j) = 0";

  test("ends its query, and the next one is answered", async () => {
    const client = new AbortController();
    const lost = world.respond(endless, null, ["*"], client.signal);
    setTimeout(() => client.abort(), 300);
    expect((await (await lost).json()) as Answer).toMatchObject({ code: "query_timeout" });
    expect((await world.query("SELECT 1")).data).toEqual([[1]]);
  });

  test("after the answer has begun ends nothing by that alone", async () => {
    const client = new AbortController();
    const response = await world.respond(
      "SELECT i FROM range(300000) r(i)",
      null,
      ["*"],
      client.signal,
    );
    client.abort();
    expect(((await response.json()) as Answer).data.length).toBe(300_000);
  });
});

describe("a large answer", () => {
  test("comes as a stream that is whole", async () => {
    const sql = "SELECT i, 'text of row ' || i AS t FROM range(200000) r(i)";
    const answer = await world.query(sql);
    expect(answer["row_count"]).toBe(200_000);
    expect(answer.data.length).toBe(200_000);
    expect(answer.data.at(-1)).toEqual([199_999, "text of row 199999"]);
    expect(answer["truncated"]).toBeUndefined();
  });

  test("breaks off when it fails, and the next query is answered", async () => {
    world.failAfterParts = 90;
    const response = await world.respond("SELECT i FROM range(200000) r(i)");
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toMatchObject({ code: "query_failed" });
    world.failAfterParts = null;
    expect((await world.query("SELECT 1")).data).toEqual([[1]]);
  });

  test("that nobody reads any more lets go of the engine", async () => {
    const response = await world.respond("SELECT i FROM range(10000000) r(i)");
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect((await world.query("SELECT 1")).data).toEqual([[1]]);
  });

  test("has at most a million rows", async () => {
    const answer = await world.query("SELECT i FROM range(1000001) r(i)");
    expect(answer).toMatchObject({ row_count: 1_000_000, truncated: true });
    expect(answer.data.length).toBe(1_000_000);
    const whole = await world.query("SELECT i FROM range(1000000) r(i)");
    expect(whole["truncated"]).toBeUndefined();
  });
});

describe("reading", () => {
  const rows = Array.from({ length: 250_000 }, (_, i) => i);
  beforeEach(async () => {
    world.get().append("m", {
      time: rows.map((i) => NOON + i * 10),
      id: rows.map((i) => i),
      noise: rows.map((i) => Math.sin(i)),
      name: rows.map((i) => `name-${(i * 7919) % 250_000}`),
    });
    await world.get().flush();
    world.reads = [];
  });

  const bytesRead = (): number => world.reads.reduce((sum, { byteLength }) => sum + byteLength, 0);

  test("takes the columns that are named, in few requests", async () => {
    const [file] = [...world.lake.objects.values()];
    const answer = await world.query("SELECT sum(id) FROM m");
    expect(answer.data).toEqual([[31_249_875_000]]);
    expect(bytesRead()).toBeLessThan(file!.bytes.byteLength / 5);
    expect(world.reads.length).toBeLessThanOrEqual(8);
    expect(answer.cost["bytes_read"]).toBe(bytesRead());
  });

  test("takes the row groups that a time range meets, and no others", async () => {
    const [file] = [...world.lake.objects.values()];
    const start = new Date(NOON + 2_400_000).toISOString();
    const sql = `SELECT count(*), max(id) FROM m WHERE time >= '${start}' AND length(name) > 0`;
    expect((await world.query(sql)).data).toEqual([[10_000, 249_999]]);
    expect(bytesRead()).toBeLessThan(file!.bytes.byteLength / 2);
  });
});

describe("joins", () => {
  /** The rows as a constant: what is compared with has no files and nothing to prune. */
  const constant = (name: string, rows: readonly (readonly [number, number])[]): string => {
    const values = rows.map(([ms, v]) => `(${BigInt(ms) * 1_000n}, ${v})`).join(", ");
    return `${name} AS (SELECT make_timestamp(us) AS time, v FROM (VALUES ${values}) AS x(us, v))`;
  };
  const row = fc.tuple(anyTimeMs, fc.integer({ min: 0, max: 4 }));
  const rows = fc.array(row, { minLength: 1, maxLength: 12 });
  const join = fc.constantFrom("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN");
  const tables = fc.constantFrom(
    (by: string, on: string) => `l AS a ${by} r AS b ON ${on}`,
    (by: string, on: string) => `r AS c ${by} (l AS a JOIN r AS b ON ${on}) ON c.v = a.v`,
    (by: string, on: string) => `(r AS c ${by} l AS a ON c.v = a.v) JOIN r AS b ON ${on}`,
  );
  const predicate = anyPredicate(["a.time", "b.time"]).map((text) =>
    text.replaceAll(/\bv\b/g, "a.v"),
  );
  const byTime = fc.constantFrom(
    "true",
    "a.time >= b.time",
    "b.time > a.time",
    "a.time = b.time",
    "NOT a.time < b.time",
    "a.time BETWEEN b.time - INTERVAL '2 days' AND b.time + INTERVAL 1 HOUR",
    "b.time + INTERVAL '1 month' > a.time AND b.time <= a.time + INTERVAL '36 hours'",
  );
  const isOn = fc.boolean();

  test(
    "give what a full scan gives, whatever is asked of time",
    async () => {
      const property = fc.asyncProperty(
        fc.record({ l: rows, r: rows, join, tables, predicate, isOn, byTime, isTimeOn: isOn }),
        async (given) => {
          const fresh = new QueryWorld("default");
          fresh.openLike(world);
          for (const [name, content] of Object.entries({ l: given.l, r: given.r })) {
            for (const [at, [time, v]] of content.entries()) {
              fresh.get().append(name, { time: [time], v: [v] });
              if (at % 4 === 0) await fresh.get().flush();
            }
          }
          const on = [
            "a.v = b.v",
            given.isOn ? given.predicate : "true",
            given.isTimeOn ? given.byTime : "true",
          ];
          const where = [
            given.isOn ? "a.v IS NOT NULL" : given.predicate,
            given.isTimeOn ? "true" : given.byTime,
          ];
          const from = given.tables(given.join, on.join(" AND "));
          const select = `SELECT a.time, a.v, b.time, b.v FROM ${from} WHERE ${where.join(" AND ")}`;
          const answer = await fresh.query(select);
          const ctes = `WITH ${constant("l", given.l)}, ${constant("r", given.r)}`;
          const full = await fresh.query(`${ctes} ${select}`);
          expect(answer["error"]).toEqual(full["error"]);
          expect(comparable(answer.data ?? [])).toEqual(comparable(full.data ?? []));
        },
      );
      await fc.assert(property, propertyRuns(60));
    },
    PROPERTY_TIMEOUT_MS,
  );
});
