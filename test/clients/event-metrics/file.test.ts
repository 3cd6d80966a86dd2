// Metrics in a file: the answers, and what a file must stand besides.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

import { MetricConnection, Units } from "../../../clients/event-metrics/metric-connection.ts";
import { describeAnswers } from "./answers.ts";

const WRITER = fileURLToPath(new URL("writer.ts", import.meta.url));
const DAY_MS = Date.UTC(2026, 0, 1);

const folder = mkdtempSync(join(tmpdir(), "sluice-metrics-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function newPath(): string {
  return join(folder, `metrics-${files++}`);
}

describeAnswers(async () => new MetricConnection(newPath()), 150);

describe("a file", () => {
  test("has everything again when it is opened again", async () => {
    const path = newPath();
    const first = new MetricConnection(path);
    for (let i = 0; i < 100_000; i++) first.observe("latency", i, { timestamp: DAY_MS + i });
    first.increment("counter", 7);
    await first.close();
    const second = new MetricConnection(path);
    second.increment("counter", 1);
    expect(await second.query("latency").toScalar({ agg: "sum" })).toBe((99_999 * 100_000) / 2);
    expect(await second.query("counter").toScalar()).toBe(8);
    await second.close();
  });

  test("is written after a while, with nobody asking", async () => {
    const path = newPath();
    const [writer, reader] = [new MetricConnection(path), new MetricConnection(path)];
    writer.observe("latency", 1);
    while ((await reader.query("latency").toScalar()) === null) await sleep(10);
    expect(await reader.query("latency").toScalar()).toBe(1);
    await Promise.all([writer.close(), reader.close()]);
  });

  test("keeps what was flushed when its process is killed", async () => {
    const path = newPath();
    const child = spawn(process.execPath, [WRITER, path, "until-killed", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let flushed = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      flushed = Number(line);
      if (flushed > 20_000) break;
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    const connection = new MetricConnection(path);
    const values = await connection.query("written").toArray();
    expect(values.length).toBeGreaterThanOrEqual(flushed);
    expect(values.every((value, at) => value === at)).toBe(true);
    expect(await connection.query("counted").toScalar()).toBe(values.length);
    await connection.close();
  });

  test("is counted in by several processes and connections at once", async () => {
    const path = newPath();
    const here = new MetricConnection(path);
    const children = ["a", "b"].map((label) => spawnWriter(path, label, 5_000));
    for (let i = 0; i < 5_000; i++) {
      here.increment("counted", 1, { labels: { writer: "here" } });
      if (i % 500 === 0) await here.flush();
    }
    expect(await Promise.all(children)).toEqual([0, 0]);
    expect(await here.query("counted").toScalar()).toBe(15_000);
    expect(await here.query("counted").toScalar({ agg: "max" })).toBe(15_000);
    expect(await here.query("counted", { labels: { writer: "a" } }).toScalar()).toBe(5_000);
    await here.close();
  });

  test("merges the chunks of slow series, in order", async () => {
    const path = newPath();
    const connection = new MetricConnection(path);
    const expected: number[] = [];
    for (let i = 0; i < 500; i++) {
      // Two at one time: the later one is the later one after merging, too.
      const timestamp = DAY_MS + Math.floor(i / 2) * (i % 3 === 0 ? -1 : 1);
      connection.observe("slow", i, { timestamp });
      expected.push(i);
      await connection.flush();
    }
    const timeOf = (i: number) => Math.floor(i / 2) * (i % 3 === 0 ? -1 : 1);
    const ordered = expected.toSorted((a, b) => timeOf(a) - timeOf(b) || a - b);
    expect([...(await connection.query("slow").toArray())]).toEqual(ordered);
    await connection.close();
    expect(countRows(path, "chunk")).toBeLessThan(64);
  });

  test("forgets points before a time, but not what was counted, and gets smaller", async () => {
    const path = newPath();
    const connection = new MetricConnection(path);
    for (let i = 0; i < 200_000; i++) {
      connection.observe("latency", i, { timestamp: DAY_MS + i });
      if (i % 1_000 === 0) connection.increment("counter", 1, { timestamp: DAY_MS + i });
    }
    await connection.flush();
    const before = pageCount(path);
    expect(await connection.deleteBefore(DAY_MS + 150_500)).toBe(150_500 + 151);
    expect(await connection.query("latency").toScalar({ agg: "count" })).toBe(49_500);
    expect((await connection.query("latency").toArray())[0]).toBe(150_500);
    expect([...(await connection.query("counter").toArray())].slice(0, 2)).toEqual([152, 153]);
    expect(await connection.query("counter").toScalar()).toBe(200);
    expect(await connection.deleteBefore(Date.now())).toBe(49_500 + 49);
    connection.increment("counter", 1);
    expect(await connection.query("counter").toScalar()).toBe(201);
    await connection.close();
    expect(pageCount(path)).toBeLessThan(before / 4);
  });

  test("that cannot be written makes closing fail, but closes it", async () => {
    const path = newPath();
    const connection = new MetricConnection(path);
    const other = new DatabaseSync(path);
    other.exec("DROP TABLE chunk");
    other.close();
    connection.observe("latency", 1);
    await expect(connection.flush()).rejects.toThrow("chunk");
    await expect(connection.close()).rejects.toThrow("chunk");
    expect(() => connection.observe("latency", 1)).toThrow("closed");
    await connection.close();
  });

  test("of something else is refused and left alone", () => {
    const text = newPath();
    writeFileSync(text, "not a database, but long enough to be looked at as one".repeat(20));
    expect(() => new MetricConnection(text)).toThrow(/not a database/);
    const other = newPath();
    const database = new DatabaseSync(other);
    database.exec("CREATE TABLE customer (id INTEGER)");
    database.close();
    const bytes = statSync(other).size;
    expect(() => new MetricConnection(other)).toThrow(/is a database, but not of metrics/);
    expect(statSync(other).size).toBe(bytes);
  });

  test("of a later format is refused", async () => {
    const path = newPath();
    await new MetricConnection(path).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 2");
    database.close();
    expect(() => new MetricConnection(path)).toThrow(/format 2/);
  });
});

describe("recording refuses", () => {
  test("what could not be kept, and records nothing of it", async () => {
    const connection = new MetricConnection(newPath());
    const wrong = (name: unknown, value: unknown, labels?: unknown, timestamp?: number) => () =>
      connection.observe(name as string, value as number, {
        ...(labels === undefined ? {} : { labels: labels as Record<string, string> }),
        ...(timestamp === undefined ? {} : { timestamp }),
      });
    expect(wrong("a", Number.NaN)).toThrow(/no finite number/);
    expect(wrong("a", Infinity)).toThrow(/no finite number/);
    expect(wrong("a", "1")).toThrow(/no finite number/);
    expect(wrong("", 1)).toThrow(/needs a name/);
    expect(wrong("a\0", 1)).toThrow(/U\+0000/);
    expect(wrong("a", 1, { "": "b" })).toThrow(/label needs a name/);
    expect(wrong("a", 1, { b: null })).toThrow(/label b/);
    expect(wrong("a", 1, { b: Number.NaN })).toThrow(/label b/);
    expect(wrong("a", 1, { b: "\ud800" })).toThrow(/well-formed/);
    expect(wrong("a", 1, {}, -1)).toThrow(/no time/);
    expect(wrong("a", 1, {}, Number.NaN)).toThrow(/no time/);
    expect(await connection.series()).toEqual([]);
    await connection.close();
    expect(wrong("a", 1)).toThrow(/closed/);
    await expect(connection.query("a").toArray()).rejects.toThrow(/closed/);
  });

  test("more series than there may be", async () => {
    const connection = new MetricConnection(newPath());
    const one = (i: number) => connection.observe("a", 1, { labels: { user: i } });
    for (let i = 0; i < 100_000; i++) one(i);
    expect(() => one(100_000)).toThrow(/100000 series/);
    one(99_999);
    expect(await connection.query("a").toScalar({ agg: "count" })).toBe(100_001);
    await connection.close();
  });

  test("questions that make no sense", async () => {
    const connection = new MetricConnection(newPath());
    const query = connection.query("a");
    await expect(query.toScalar({ agg: "median" as "mean" })).rejects.toThrow(/no aggregation/);
    await expect(query.toBuckets({ buckets: [1, 1] })).rejects.toThrow(/ascending/);
    await expect(query.toPercentiles({ percentiles: [101] })).rejects.toThrow(/no percentile/);
    expect(() => query.fromTimedelta({ fortnights: 1 } as object)).toThrow(/no unit of time/);
    expect(() => query.fromTimedelta(-1 * Units.seconds)).toThrow(/no length of time/);
    await connection.close();
  });
});

async function spawnWriter(path: string, label: string, count: number): Promise<number | null> {
  const child = spawn(process.execPath, [WRITER, path, label, String(count)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

function countRows(path: string, table: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()!;
  database.close();
  return rows as number;
}

function pageCount(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const { page_count: pages } = database.prepare("PRAGMA page_count").get()!;
  database.close();
  return pages as number;
}
