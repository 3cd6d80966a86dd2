// What a server says of itself to those who have no Prometheus: health with its reasons, the four
// pages of statistics, Arc's metrics, and who caused what costs.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const WRITES = 25;
const KEYED_WRITES = 5;
const QUERIES = 4;
const ROWS = 10;
const TRIES_MAX = 250;

const stack = new Stack({ METRICS_ACCESS: "token", METRICS_EVERY_MS: "100", SELF_DATABASE: "" });
const admin = new HttpClient(() => stack.url);
let writer: HttpClient;
let writerId: number;
let reader: HttpClient;

beforeAll(async () => {
  await stack.start();
  const write = await newToken("loader", ["write"], ["*"]);
  writer = new HttpClient(() => stack.url, write.token);
  writerId = write.id;
  reader = new HttpClient(() => stack.url, (await newToken("eyes", ["read"], ["shop"])).token);
  await load();
}, 120_000);
afterAll(() => stack.remove());

async function newToken(
  name: string,
  permissions: string[],
  databases: string[],
): Promise<{ id: number; token: string }> {
  const response = await admin.post("/api/v1/auth/tokens", { name, permissions, databases });
  const { token } = (await response.json()) as { token: string };
  const { tokens } = await get<{ tokens: { id: number; name: string }[] }>("/api/v1/auth/tokens");
  return { id: tokens.find((one) => one.name === name)!.id, token };
}

/** Known operations: so many writes and queries of one database, and one flush. */
async function load(): Promise<void> {
  const time = Array.from({ length: ROWS }, (_, at) => Date.now() * 1_000 + at);
  for (let write = 0; write < WRITES + KEYED_WRITES; write++) {
    const key = write < WRITES ? {} : { key: `k${write}` };
    const body = encodeBatch("orders", { time, n: time.map(() => write) });
    const response = await writer.write(body, { database: "shop", ...key });
    expect(response.status).toBe(204);
  }
  await writer.write(encodeBatch("secret", { time }), { database: "vault" });
  await admin.flush();
  for (let query = 0; query < QUERIES; query++) {
    const answer = await reader.query("SELECT sum(n) FROM orders", "shop");
    expect(answer.success, answer.error).toBe(true);
  }
}

type Numbers = Record<string, number>;

async function get<T>(path: string, client = admin): Promise<T> {
  const response = await client.fetch(path);
  expect(response.status, path).toBe(200);
  return (await response.json()) as T;
}

/** Counts arrive some moments after what they count. */
async function until<T>(path: string, isThere: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await get<T>(path);
    if (isThere(answer)) return answer;
    if (tries === TRIES_MAX) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    await sleep(100);
  }
}

describe("statistics", () => {
  test("overview: rows, requests, queries, and what the processes use", async () => {
    const rows = (WRITES + KEYED_WRITES + 1) * ROWS;
    const overview = await until<Numbers & { status: string; version: string }>(
      "/api/v1/stats/overview?window_sec=600",
      (answer) => answer["rows_total"] === rows,
    );
    const about = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(overview).toMatchObject({ status: "ok", version: about.version, databases: 3 });
    expect(overview["requests_total"]).toBeGreaterThanOrEqual(WRITES);
  });

  test("rates are over a window, and the history has a point each ten seconds", async () => {
    type Answer = { rows_per_sec: number | null; history: { values: Numbers }[] };
    const path = "/api/v1/stats/overview?window_sec=3600&history_sec=3600";
    const { rows_per_sec, history } = await until<Answer>(
      path,
      (answer) => answer.history.length >= 1,
    );
    expect(rows_per_sec).toBeGreaterThan(0);
    expect(Object.keys(history[0]!.values)).toContain("rows_per_sec");
  }, 60_000);

  test("queries: by kind, with quantiles of their time", async () => {
    type Kind = Numbers & { kind: string; latency_sec: { p50: number | null } };
    const isThere = ({ kinds }: { kinds: Kind[] }) =>
      kinds.find(({ kind }) => kind === "sql")?.["started_total"] === QUERIES;
    const { kinds } = await until<{ kinds: Kind[] }>("/api/v1/stats/queries", isThere);
    expect(kinds.find(({ kind }) => kind === "sql")).toMatchObject({ errors_total: 0 });
  });

  test("streams: measurements and buffers, of the databases that the token may read", async () => {
    type Answer = { measurements: Numbers[]; buffers: { database: string }[] };
    const mine = await get<Answer>("/api/v1/stats/streams", reader);
    const rows_total = (WRITES + KEYED_WRITES) * ROWS;
    const orders = { database: "shop", measurement: "orders", rows_total, rows_rejected_total: 0 };
    expect(mine.measurements).toEqual([expect.objectContaining(orders)]);
    expect(mine.buffers.map(({ database }) => database)).toEqual(["shop"]);
    const all = await get<Answer>("/api/v1/stats/streams");
    expect(all.buffers.map(({ database }) => database).toSorted()).toEqual([
      "default",
      "shop",
      "vault",
    ]);
  });

  test("resources: the processes, the disk and the isolates of this server", async () => {
    type Answer = {
      processes: (Numbers & { process: string })[];
      disk: Numbers;
      connections: number;
      isolates: { component: string; count: number }[];
    };
    const { processes, disk, connections, isolates } = await get<Answer>("/api/v1/stats/resources");
    expect(disk["free_bytes"]).toBeGreaterThan(0);
    expect(isolates).toContainEqual({ component: "front-door", count: 1 });
    if (process.platform !== "linux") return;
    expect(processes.map((one) => one.process).toSorted()).toEqual(["supervisor", "workerd"]);
    for (const one of processes) {
      expect(one["memory_bytes"]).toBeGreaterThan(1e7);
      expect(one["threads"]).toBeGreaterThan(1);
      expect(one["open_files"]).toBeGreaterThan(3);
      expect(one["cpu_seconds_total"]).toBeGreaterThan(0);
    }
    expect(connections).toBeGreaterThanOrEqual(0);
    expect((await reader.fetch("/api/v1/stats/resources")).status).toBe(403);
  });

  test("a window that is not one is refused by name", async () => {
    const response = await admin.fetch("/api/v1/stats/overview?window_sec=soon");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: { field: "window_sec" } });
  });
});

describe("costs", () => {
  interface Costs {
    dollars: number;
    operations: { operation: string; count: number; dollars: number }[];
    by: { database: string; token: string; operations: Numbers; dollars: number }[];
  }

  test("of a token are the operations that it caused, exactly", async () => {
    const path = `/api/v1/stats/costs?database=shop&token=${writerId}`;
    const isThere = ({ by }: Costs) =>
      by[0]?.operations["worker_requests"] === WRITES + KEYED_WRITES;
    const { by, dollars } = await until<Costs>(path, isThere);
    const requests = WRITES + KEYED_WRITES;
    const operations = {
      worker_requests: requests,
      do_requests: requests,
      do_rows_written: requests + KEYED_WRITES,
    };
    expect(by).toEqual([
      { database: "shop", token: String(writerId), operations, dollars: expect.any(Number) },
    ]);
    const expected = (requests * 0.3 + requests * 0.15 + (requests + KEYED_WRITES) * 1) / 1e6;
    expect(dollars).toBeCloseTo(expected, 12);
  });

  test("of a database are those of its tokens and of what they share; dollars add up", async () => {
    const isThere = ({ by }: Costs) =>
      by.some(({ token, operations }) => token === "_shared" && operations["r2_class_a"]! > 0) &&
      by.some(({ operations }) => operations["do_requests"] === QUERIES * 4);
    const costs = await until<Costs>("/api/v1/stats/costs?database=shop", isThere);
    const shared = costs.by.find(({ token }) => token === "_shared")!;
    // One segment of one day: one file, one hint.
    const flush = { r2_class_a: 1, queue_operations: 3, do_requests: 3, do_rows_written: 12 + 3 };
    expect(shared.operations).toEqual(flush);
    for (const { operation, count } of costs.operations) {
      const sum = costs.by.reduce((total, one) => total + (one.operations[operation] ?? 0), 0);
      expect(count, operation).toBe(sum);
    }
    const dollars = costs.by.reduce((total, one) => total + one.dollars, 0);
    expect(costs.dollars).toBeCloseTo(dollars, 12);
  });
});

describe("Arc's metrics", () => {
  test("are our counts under its names", async () => {
    const rows = (WRITES + KEYED_WRITES + 1) * ROWS;
    const flat = await get<Numbers>("/api/v1/metrics");
    expect(flat).toMatchObject({ ingest_records_total: rows, query_errors_total: 0 });
    const groups = await get<Record<string, Numbers>>("/api/v1/metrics/endpoints");
    expect(groups["msgpack"]).toMatchObject({ requests_total: WRITES + KEYED_WRITES + 1 });
    expect(await get<Numbers>("/api/v1/metrics/memory")).toHaveProperty("alloc_bytes");
    expect(await get<Numbers>("/api/v1/metrics/query-pool")).toHaveProperty("in_use");
    const path = "/api/v1/metrics/timeseries/api?duration_minutes=5";
    const { points_count, data } = await get<{ points_count: number; data: unknown[] }>(path);
    expect(data).toHaveLength(points_count);
    expect((await admin.fetch("/api/v1/metrics/timeseries/sports")).status).toBe(400);
  });

  test("and those for Prometheus need a token where the variable says so", async () => {
    for (const path of ["/metrics", "/api/v1/metrics", "/api/v1/metrics/timeseries/api"]) {
      expect((await fetch(stack.url + path)).status, path).toBe(401);
      expect((await writer.fetch(path)).status, path).toBe(403);
      expect((await reader.fetch(path)).status, path).toBe(200);
    }
  });
});

describe("health", () => {
  interface Health {
    status: string;
    uptime_sec: number;
    checks: Record<string, { status: string; reason: string | null }>;
  }

  test("is open to all, says how each part is, and keeps Arc's fields", async () => {
    const response = await fetch(`${stack.url}/health`);
    expect(response.status).toBe(200);
    const health = (await response.json()) as Health;
    expect(health).toMatchObject({ status: "ok", uptime_sec: expect.any(Number) });
    const names = ["directory", "buffers", "lake", "catalog", "queries", "queue", "upkeep"];
    for (const name of [...names, "telemetry"]) {
      expect(health.checks[name], name).toEqual({ status: "ok", reason: null });
    }
  });

  // The supervisor holds the objects; this test ends it, so it is the last one.
  test("without the object store it is degraded, and says so, and not ready", async () => {
    await stack.end("SIGKILL", stack.pid);
    await sleep(2_500);
    const response = await fetch(`${stack.url}/health`);
    expect(response.status).toBe(200);
    const { status, checks } = (await response.json()) as Health;
    expect(status).toBe("degraded");
    expect(checks["lake"]).toMatchObject({ status: "degraded", reason: expect.any(String) });
    expect((await fetch(`${stack.url}/ready`)).status).toBe(503);
    process.kill(Number(readFileSync(join(stack.folder, "data/workerd.pid"), "utf8")), "SIGKILL");
  });
});
