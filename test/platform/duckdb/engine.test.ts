// The engine behind its port, under Node: reading through sources, failing, being stopped, waiting.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { ENGINE_PAGE_BYTES, type FileSource } from "#lib/sql/engine.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { engineModules, openTestEngine } from "../../helpers/duckdb-wasm.ts";
import { engineRows } from "../../helpers/engine-rows.ts";
import { parquetOf } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const FOREVER = "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(9) b";

let engine: DuckDb;
beforeAll(async () => {
  engine = await openTestEngine();
});

function source(bytes: Uint8Array, before: () => Promise<void> | null): FileSource {
  const read = (offset: number, byteLength: number) => {
    const part = bytes.subarray(offset, offset + byteLength);
    return before()?.then(() => part) ?? part;
  };
  return { byteLength: bytes.byteLength, read };
}

const numbers = Array.from({ length: 5_000 }, (_, i) => i);
const bytes = parquetOf({ time: "timestamp", v: "int64" }, { time: numbers, v: numbers });
const sum = "SELECT count(*), sum(v) FROM read_parquet('f.parquet')";

describe("reading", () => {
  test("waits for bytes that come later, while other work goes on", async () => {
    let turns = 0;
    const late = source(bytes, () => new Promise((resolve) => setTimeout(resolve, 5)));
    const ticking = setInterval(() => turns++, 1);
    const rows = await engineRows(engine, sum, new Map([["f.parquet", late]]));
    clearInterval(ticking);
    expect(rows).toEqual([[5_000, 12_497_500]]);
    expect(turns).toBeGreaterThan(0);
  });

  test("takes bytes that are there without waiting, whole pages at a time", async () => {
    const offsets: number[] = [];
    const present = source(bytes, () => null);
    const read = (offset: number, byteLength: number) => {
      offsets.push(offset);
      return present.read(offset, byteLength);
    };
    const files = new Map([["f.parquet", { ...present, read }]]);
    expect(await engineRows(engine, sum, files)).toEqual([[5_000, 12_497_500]]);
    expect(offsets.length).toBeGreaterThan(0);
    expect(offsets.filter((offset) => offset % ENGINE_PAGE_BYTES !== 0)).toEqual([]);
  });

  test("knows no file of an earlier query, and none that nobody handed it", async () => {
    const used = await openTestEngine();
    await engineRows(used, sum, new Map([["f.parquet", source(bytes, () => null)]]));
    await expect(engineRows(used, sum)).rejects.toMatchObject({ code: "bug" });
    const own = await openTestEngine();
    for (const path of ["/etc/passwd", "package.json", "http://127.0.0.1:1/x", "s3://b/x"]) {
      const sql = `SELECT * FROM read_csv_auto('${path}')`;
      await expect(engineRows(own, sql), path).rejects.toBeInstanceOf(Error);
    }
  });

  test("of a file that fails gives the failure as it was, and gives up the instance", async () => {
    const own = await openTestEngine();
    const failure = new SluiceError("store_unavailable", "no answer", { key: "k" });
    const failing = source(bytes, () => Promise.reject(failure));
    const files = new Map([["f.parquet", failing]]);
    await expect(engineRows(own, sum, files)).rejects.toBe(failure);
    expect(own.isBroken).toBe(true);
  });
});

describe("rows", () => {
  const LONG = "SELECT range AS i, repeat('x', 100) AS text FROM range(1000000)";

  test("come as they are found, and are not kept", async () => {
    const own = await openTestEngine();
    const reader = new ArrowStreamReader();
    let rowCount = 0;
    let partCount = 0;
    for await (const part of own.run(LONG, new Map(), new AbortController().signal)) {
      for (const batch of reader.read(part)) rowCount += batch.rowCount;
      partCount++;
    }
    expect(rowCount).toBe(1_000_000);
    expect(partCount).toBeGreaterThan(100);
    expect(own.memoryBytes).toBeLessThan(32_000_000);
  });

  test("that nobody wants any more are not waited for", async () => {
    const own = await openTestEngine();
    let partCount = 0;
    for await (const _ of own.run(LONG, new Map(), new AbortController().signal)) {
      if (++partCount === 2) break;
    }
    expect(own.isBroken).toBe(false);
    expect(await engineRows(own, sum, new Map([["f.parquet", source(bytes, () => null)]]))).toEqual(
      [[5_000, 12_497_500]],
    );
  });

  test("let other work go on, however quickly they come", async () => {
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    for await (const _ of engine.run(LONG, new Map(), new AbortController().signal));
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(0);
  });
});

describe("a query that goes on and on", () => {
  test("yields to other work, and ends when it is told to", async () => {
    const own = await openTestEngine();
    const controller = new AbortController();
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    setTimeout(() => controller.abort(new SluiceError("query_timeout", "late")), 200);
    const query = engineRows(own, FOREVER, new Map(), controller.signal);
    await expect(query).rejects.toMatchObject({ code: "query_timeout" });
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(3);
    expect(own.isBroken).toBe(true);
  });

  test("yields also where the clock stands still while a program runs", async () => {
    const own = await openTestEngine();
    let looks = 0;
    // It moves once, as it does after a read, and then no more.
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (looks++ < 3 ? 1 : 5));
    const controller = new AbortController();
    setTimeout(() => controller.abort(new SluiceError("query_timeout", "late")), 200);
    const query = engineRows(own, FOREVER, new Map(), controller.signal);
    await expect(query).rejects.toMatchObject({ code: "query_timeout" });
    clock.mockRestore();
  });

  test("ends although it sleeps in a read that never comes", async () => {
    const own = await openTestEngine();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new SluiceError("query_timeout", "late")), 50);
    const files = new Map([["f.parquet", source(bytes, () => new Promise(() => {}))]]);
    const query = engineRows(own, sum, files, controller.signal);
    await expect(query).rejects.toMatchObject({ code: "query_timeout" });
    expect(own.isBroken).toBe(true);
  });

  test.each([
    "SELECT count(*) FROM range(300000) a(i) JOIN range(300000) b(j) ON i < j",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM range(100000000000)",
    "SELECT regexp_matches(repeat('a', 100000), '(a+)+$') FROM range(100000000)",
  ])("whatever it is: %s", async (sql) => {
    const own = await openTestEngine();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new SluiceError("query_timeout", "late")), 200);
    const query = engineRows(own, sql, new Map(), controller.signal);
    await expect(query).rejects.toMatchObject({
      code: expect.stringMatching(/^query_(timeout|out_of_memory)$/),
    });
  });
});

describe("memory", () => {
  test("is capped, whatever the engine's own limit counts", async () => {
    const own = await openTestEngine();
    const sql = "SELECT quantile_cont(random(), 0.5) FROM range(20000000)";
    await expect(engineRows(own, sql)).rejects.toMatchObject({ code: "query_out_of_memory" });
    expect(own.memoryBytes).toBeLessThanOrEqual(LIMITS.engineBytesMax);
    expect(own.isBroken).toBe(true);
  });

  test("a statement nested too deeply is an error, not a crash", async () => {
    const own = await openTestEngine();
    const deep = `SELECT ${"(".repeat(40_000)}1${")".repeat(40_000)}`;
    expect(() => own.parse(deep)).toThrow(SluiceError);
  });
});

describe("settings", () => {
  test.each(["SET memory_limit = '10GB'", "SET TimeZone = 'Europe/Berlin'", "RESET memory_limit"])(
    "cannot be changed: %s",
    async (sql) => {
      await expect(engineRows(engine, sql)).rejects.toBeInstanceOf(SluiceError);
      expect(await engineRows(engine, "SELECT 1")).toEqual([[1]]);
    },
  );
});

describe("the engines of an isolate", () => {
  test("are held by one query each, the second after a moment; a third waits for either", async () => {
    const { EnginePool } = await import("#platform/duckdb/engine-pool.ts");
    const pool = new EnginePool(engineModules());
    const { signal } = new AbortController();
    const first = await pool.acquire(signal);
    const second = await pool.acquire(signal);
    expect(second.engine).not.toBe(first.engine);
    let isThirdReady = false;
    const third = pool.acquire(signal).then((hold) => {
      isThirdReady = true;
      return hold;
    });
    const long = engineRows(
      first.engine,
      "SELECT count(*) FROM range(30000000) WHERE range % 7 = 0",
    );
    for (let i = 0; i < 20; i++) expect(await engineRows(second.engine, "SELECT 1")).toEqual([[1]]);
    expect(await long).toEqual([[4_285_715]]);
    expect(isThirdReady).toBe(false);
    second.release();
    second.release();
    expect(await engineRows((await third).engine, "SELECT 2")).toEqual([[2]]);
  });

  test("go to those who wait before those who come again", async () => {
    const { EnginePool } = await import("#platform/duckdb/engine-pool.ts");
    const pool = new EnginePool(engineModules());
    const { signal } = new AbortController();
    let isOver = false;
    const greedy = (async () => {
      while (!isOver) (await pool.acquire(signal)).release();
    })();
    for (let turn = 0; turn < 5; turn++) {
      const { engine: own, release } = await pool.acquire(signal);
      expect(await engineRows(own, `SELECT ${turn}`)).toEqual([[turn]]);
      release();
    }
    isOver = true;
    await greedy;
  });

  test("are replaced after a query that broke them", async () => {
    const { EnginePool } = await import("#platform/duckdb/engine-pool.ts");
    const pool = new EnginePool(engineModules());
    const { signal } = new AbortController();
    const first = await pool.acquire(signal);
    const failing = source(bytes, () => Promise.reject(new SluiceError("store_unavailable", "no")));
    const query = engineRows(first.engine, sum, new Map([["f.parquet", failing]]));
    await expect(query).rejects.toMatchObject({ code: "store_unavailable" });
    first.release();
    const { engine: fresh, release } = await pool.acquire(signal);
    expect(fresh).not.toBe(first.engine);
    expect(await engineRows(fresh, "SELECT 1")).toEqual([[1]]);
    release();
    expect((await pool.acquire(signal)).engine).toBe(fresh);
  });

  test("let nobody wait beyond his own deadline", async () => {
    const { EnginePool } = await import("#platform/duckdb/engine-pool.ts");
    const pool = new EnginePool(engineModules());
    await pool.acquire(new AbortController().signal);
    const reason = new SluiceError("query_timeout", "late");
    await expect(pool.acquire(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
