// What recording must never do: throw into the application, grow without an end, or lose in
// silence.

import { mkdtempSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import {
  Graph,
  Node,
  TelemetryConfig,
  TelemetryManager,
} from "../../../clients/recording/index.ts";
import type { EventRecord, MetricRecord } from "../../../clients/recording/index.ts";
import { newUuid, uuidOf } from "../../../clients/recording/new-uuid.ts";
import { isTraceKept } from "../../../clients/recording/sampling.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-recording-limits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileConfig(name: string, options: object = {}): TelemetryConfig {
  return TelemetryConfig.createSqlite({
    dbPath: join(folder, name),
    onError: () => {},
    ...options,
  });
}

describe("recording never throws", () => {
  test("whatever it is given, and counts what it cannot take", async () => {
    const told: Error[] = [];
    const manager = new TelemetryManager(
      fileConfig("hostile.db", { onError: (error: Error) => told.push(error) }),
    );
    const getter = {
      get trap(): never {
        throw new Error("trap");
      },
    };
    const hostile = [
      undefined,
      null,
      { eventType: 7 },
      { attributes: getter },
      { timestamp: new Date(Number.NaN) },
      { timestamp: new Date(-1) },
      { timestamp: new Date(253_402_300_800_000) },
    ] as unknown as EventRecord[];
    for (const record of hostile) manager.recordEvent(record);
    for (const value of [Number.NaN, Infinity, -Infinity, "3", undefined]) {
      manager.recordMetric({ name: "m", value } as MetricRecord);
    }
    manager.recordMetric({ value: 1 } as MetricRecord);
    manager.recordMetric({ name: "m", value: 1, aggregationType: "sum" } as object as MetricRecord);
    manager.startSpan({ name: "s", attributes: untellable() }).end();
    await manager.flush();
    const dropped = hostile.length + 5 + 2 + 1;
    expect(manager.stats()).toEqual({ recorded: 0, written: 0, sampledOut: 0, dropped });
    expect(told).toHaveLength(dropped);
    await manager.shutdown();
  });

  test("also when nobody can be told", () => {
    const manager = new TelemetryManager(
      fileConfig("deaf.db", {
        onError: () => {
          throw new Error("the ear is broken");
        },
      }),
    );
    manager.recordMetric({ name: "m", value: Number.NaN });
    expect(manager.stats().dropped).toBe(1);
  });

  test("and a graph runs as ever when nothing can be stored", async () => {
    class Fine extends Node {
      process() {
        return { fine: true };
      }
    }
    const telemetryConfig = fileConfig("no/such/folder.db");
    const graph = new Graph({ start: new Fine(), telemetryConfig });
    expect(await graph.run()).toEqual({ fine: true });
    const manager = TelemetryManager.getInstance();
    await expect(manager.flush()).rejects.toThrow(/rows of telemetry_\w+ are lost: unable to open/);
    await expect(manager.queryEvents()).rejects.toThrow("unable to open");
    expect(manager.stats().dropped).toBe(manager.stats().recorded);
    // A loss is told once; the next flush has nothing to tell.
    await manager.flush();
  });
});

/** A value whose toJSON throws, only when the span ends. */
function untellable(): Record<string, unknown> {
  return {
    bad: {
      toJSON() {
        throw new RangeError("cannot be said");
      },
    },
  };
}

describe("memory", () => {
  test("is bounded, and what has no room is counted and told once", async () => {
    const told: string[] = [];
    const manager = new TelemetryManager(
      fileConfig("full.db", {
        memoryBytesMax: 100_000,
        onError: (error: Error) => told.push(error.message),
      }),
    );
    for (let i = 0; i < 1_000; i++) {
      manager.recordEvent({ eventType: "custom", attributes: { text: "x".repeat(400) } });
    }
    const { recorded, dropped } = manager.stats();
    // 400 characters at two bytes, and an object around them.
    expect(recorded).toBeGreaterThan(70);
    expect(recorded).toBeLessThan(100);
    expect(recorded + dropped).toBe(1_000);
    expect(told).toEqual(["telemetry is dropped: 100000 bytes wait"]);
    await manager.flush();
    expect(await manager.queryEvents()).toHaveLength(recorded);
    // What was written has left the memory: the same number fits again.
    for (let i = 0; i < recorded; i++) {
      manager.recordEvent({ eventType: "custom", attributes: { text: "x".repeat(400) } });
    }
    expect(manager.stats()).toMatchObject({ recorded: 2 * recorded, dropped });
    await manager.shutdown();
  });

  test("counts what a slow server has not acknowledged", async () => {
    const waiting: (() => void)[] = [];
    const server = createServer((request, response) => {
      request.resume();
      waiting.push(() => response.writeHead(204).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const manager = new TelemetryManager(
      TelemetryConfig.createSluice({
        url,
        token: "t",
        memoryBytesMax: 100_000,
        batchRowsMax: 10,
        onError: () => {},
      }),
    );
    for (let i = 0; i < 5_000; i++) {
      manager.recordEvent({ eventType: "custom" });
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const { recorded, dropped } = manager.stats();
    expect(recorded).toBeLessThan(500);
    expect(recorded + dropped).toBe(5_000);
    const flushed = manager.flush();
    const answers = setInterval(() => {
      for (const answer of waiting.splice(0)) answer();
    }, 1);
    await flushed;
    expect(manager.stats().written).toBe(recorded);
    clearInterval(answers);
    await manager.shutdown();
    server.close();
  });
});

describe("the embedded file", () => {
  test("keeps what was flushed, for the next process and beside another one", async () => {
    const one = new TelemetryManager(fileConfig("shared.db"));
    const two = new TelemetryManager(fileConfig("shared.db"));
    for (let i = 0; i < 50; i++) {
      for (const manager of [one, two]) manager.recordMetric({ name: "n", value: i });
      await Promise.all([one.flush(), two.flush()]);
    }
    expect(await one.queryMetrics()).toHaveLength(100);
    // Not shut down: as after a crash.
    const next = new TelemetryManager(fileConfig("shared.db"));
    expect(await next.queryMetrics({ name: "n" })).toHaveLength(100);
    for (const manager of [one, two, next]) await manager.shutdown();
  });

  test("has what was recorded when a process ends by itself without a flush", async () => {
    const entry = fileURLToPath(new URL("../../../clients/recording/index.ts", import.meta.url));
    const dbPath = join(folder, "ended.db");
    const script = `
      import { TelemetryConfig, TelemetryManager } from ${JSON.stringify(entry)};
      const config = { dbPath: ${JSON.stringify(dbPath)}, batchAgeMaxMs: 50 };
      const manager = TelemetryManager.getInstance(TelemetryConfig.createSqlite(config));
      manager.recordEvent({ eventType: "last_words" });`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([0, ""]);
    const manager = new TelemetryManager(fileConfig("ended.db"));
    expect((await manager.queryEvents()).map((event) => event.type)).toEqual(["last_words"]);
    await manager.shutdown();
  });

  test("of another version is refused", async () => {
    const database = new DatabaseSync(join(folder, "newer.db"));
    database.exec("PRAGMA user_version = 7");
    database.close();
    const manager = new TelemetryManager(fileConfig("newer.db"));
    await expect(manager.queryEvents()).rejects.toThrow(/telemetry tables of version 7, not 1/);
  });

  test("is asked by its indexes", async () => {
    const manager = new TelemetryManager(fileConfig("plans.db"));
    await manager.queryEvents();
    await manager.shutdown();
    const database = new DatabaseSync(join(folder, "plans.db"));
    const plan = (sql: string) =>
      (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[])[0]!.detail;
    const order = "ORDER BY time DESC, seq DESC LIMIT 10";
    expect(plan(`SELECT * FROM telemetry_events WHERE type = 'a' ${order}`)).toContain(
      "events_by_type",
    );
    expect(plan(`SELECT * FROM telemetry_metrics WHERE name = 'a' ${order}`)).toContain(
      "metrics_by_name",
    );
    expect(plan(`SELECT * FROM telemetry_spans WHERE trace_id = 'a'`)).toContain("spans_by_trace");
    expect(plan(`SELECT * FROM telemetry_events ${order}`)).toContain("events_by_time");
    database.close();
  });
});

test("UUIDs of pages without TLS have the version and variant of others", () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const byte of [0x00, 0x5a, 0xff])
    expect(uuidOf(new Uint8Array(16).fill(byte))).toMatch(form);
  expect(newUuid()).toMatch(form);
});

describe("sampling and configuration", () => {
  test("keep the share of traces that was asked for", () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => [`${i}`, crypto.randomUUID()]).flat();
    for (const rate of [0, 0.01, 0.1, 0.5, 0.9, 1]) {
      const kept = ids.filter((id) => isTraceKept(id, rate)).length;
      const deviation = Math.sqrt(ids.length * rate * (1 - rate));
      expect(Math.abs(kept - ids.length * rate)).toBeLessThanOrEqual(5 * deviation);
    }
  });

  test("a trace kept at a low rate is kept at every higher one", () => {
    const ids = Array.from({ length: 2_000 }, (_, i) => `trace-${i}`);
    const kept = ids.filter((id) => isTraceKept(id, 0.2));
    expect(kept.every((id) => isTraceKept(id, 0.3))).toBe(true);
  });

  test.for([
    { samplingRate: 1.1 },
    { samplingRate: -0.1 },
    { samplingRate: Number.NaN },
    { metricSamplingRates: { latency: 2 } },
    { batchRowsMax: 0 },
    { batchAgeMaxMs: Number.NaN },
    { memoryBytesMax: -1 },
  ])("%j is refused", (options) => {
    expect(() => fileConfig("unused.db", options)).toThrow(RangeError);
  });

  test.for([{ limit: -1 }, { limit: 1.5 }, { startTime: new Date(Number.NaN) }])(
    "the question %j is refused",
    async (query) => {
      const manager = new TelemetryManager(fileConfig("questions.db"));
      await expect(manager.queryEvents(query)).rejects.toThrow(RangeError);
      await manager.shutdown();
    },
  );

  test("the process has one manager, until it is configured anew", () => {
    const config = fileConfig("one.db");
    const manager = TelemetryManager.getInstance(config);
    expect(TelemetryManager.getInstance()).toBe(manager);
    expect(TelemetryManager.getInstance(config)).toBe(manager);
    expect(TelemetryManager.getInstance(fileConfig("two.db"))).not.toBe(manager);
  });
});
