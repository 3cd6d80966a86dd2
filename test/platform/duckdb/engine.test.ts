// The engine behind its port, under Node: reading through sources, failing, being stopped, waiting.

import { beforeAll, describe, expect, test, vi } from "vitest";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ENGINE_PAGE_BYTES, type FileSource } from "#lib/sql/engine.ts";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import { engineModule, openTestEngine } from "../../helpers/duckdb-wasm.ts";
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
    await engineRows(engine, sum, new Map([["f.parquet", source(bytes, () => null)]]));
    await expect(engineRows(engine, sum)).rejects.toMatchObject({ code: "bug" });
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
    expect(own.isBroken).toBe(false);
    expect(await engineRows(own, "SELECT 1")).toEqual([[1]]);
  });

  test("yields also where the clock stands still while a program runs", async () => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(1);
    const own = await openTestEngine();
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
    },
  );
});

describe("an engine held by one query at a time", () => {
  test("is handed on in turn, and replaced after a query that broke it", async () => {
    const { ExclusiveEngine } = await import("#platform/duckdb/exclusive.ts");
    const exclusive = new ExclusiveEngine(engineModule());
    const { signal } = new AbortController();
    const first = await exclusive.acquire(signal);
    let isSecondReady = false;
    const second = exclusive.acquire(signal).then((hold) => {
      isSecondReady = true;
      return hold;
    });
    const failing = source(bytes, () => Promise.reject(new SluiceError("store_unavailable", "no")));
    const query = engineRows(first.engine, sum, new Map([["f.parquet", failing]]));
    await expect(query).rejects.toMatchObject({ code: "store_unavailable" });
    expect(isSecondReady).toBe(false);
    first.release();
    first.release();
    const { engine: fresh, release } = await second;
    expect(fresh).not.toBe(first.engine);
    expect(await engineRows(fresh, "SELECT 1")).toEqual([[1]]);
    release();
    const third = await exclusive.acquire(signal);
    expect(third.engine).toBe(fresh);
  });

  test("lets nobody wait beyond his own deadline", async () => {
    const { ExclusiveEngine } = await import("#platform/duckdb/exclusive.ts");
    const exclusive = new ExclusiveEngine(engineModule());
    await exclusive.acquire(new AbortController().signal);
    const reason = new SluiceError("query_timeout", "late");
    await expect(exclusive.acquire(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
