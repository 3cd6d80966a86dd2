// What is told of jobs, of compaction and of the schedule, over HTTP.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

/** Compaction waits, so that the test is the one that begins it. */
const stack = new Stack({ COMPACT_AFTER_MS: "3600000" });
const client = new HttpClient(() => stack.url);
const T0 = Date.UTC(2026, 0, 1);
const FILES = 20;

beforeAll(async () => {
  await stack.start();
  for (let n = 0; n < FILES; n++) {
    await client.write(encodeBatch("cpu", { time: [T0 + n], v: [n] }));
    await client.flush();
  }
});
afterAll(() => stack.remove());

async function get<T = Record<string, unknown>>(path: string, by = client): Promise<T> {
  const response = await by.fetch(path);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

interface JobBody {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
}

describe("compaction", () => {
  test("tells its candidates, is begun by request, and leaves a trace", async () => {
    const candidate = {
      database: "default",
      measurement: "cpu",
      partition_path: "default/cpu/2026-01-01",
      file_count: FILES,
      tier: "daily",
    };
    const found = await get("/api/v1/compaction/candidates");
    expect(found).toMatchObject({ count: 1, candidates: [candidate] });
    expect(await get("/api/v1/compaction/jobs")).toEqual({ active_jobs: 0, jobs: [] });
    const trigger = await client.post("/api/v1/compaction/trigger?database=default", {});
    expect([trigger.status, await trigger.json()]).toMatchObject([
      200,
      { message: "Compaction triggered", status: "running", database: "default" },
    ]);
    const completed = async () => {
      const { manager } = await get<{ manager: { total_completed: number } }>(
        "/api/v1/compaction/status",
      );
      return manager.total_completed;
    };
    await expect.poll(completed, { timeout: 20_000 }).toBe(1);
    const stats = await get("/api/v1/compaction/stats");
    expect(stats).toMatchObject({ total_files_read: FILES, total_files_written: 1 });
    const { total_jobs, recent_jobs } = await get<{ total_jobs: number; recent_jobs: JobBody[] }>(
      "/api/v1/compaction/history?limit=1",
    );
    expect([total_jobs, recent_jobs]).toMatchObject([1, [{ kind: "compaction", state: "done" }]]);
    expect(await get(`/api/v1/compaction/jobs/${recent_jobs[0]!.id}`)).toEqual(recent_jobs[0]);
    // Clocks make jobs: a million of them are no more than a year's.
    expect(Math.floor(Number(recent_jobs[0]!.id) / 1_000_000_000)).toBe(1);
    expect(await client.row("SELECT count(*), sum(v) FROM cpu")).toEqual([FILES, 190]);
    expect(await get("/api/v1/compaction/candidates")).toEqual({ count: 0, candidates: [] });
  });

  test("that has ended stays as it was when it is cancelled", async () => {
    const { recent_jobs } = await get<{ recent_jobs: JobBody[] }>("/api/v1/compaction/history");
    const path = `/api/v1/compaction/jobs/${recent_jobs[0]!.id}`;
    const cancelled = await client.fetch(path, { method: "DELETE" });
    expect([cancelled.status, await cancelled.json()]).toEqual([200, recent_jobs[0]]);
    for (const id of ["0", "1000001", "1000000999", "5000000001", "x"]) {
      const response = await client.fetch(`/api/v1/compaction/jobs/${id}`, { method: "DELETE" });
      expect([id, response.status]).toEqual([id, 404]);
    }
  });
});

test("the schedule tells every task, when it runs next and how it went", async () => {
  const { tasks } = await get<{ tasks: Record<string, string | null>[] }>("/api/v1/schedulers");
  const names = tasks.map(({ database, name }) => `${database} ${name}`);
  expect(names).toContain("default garbage");
  const compaction = tasks.find(({ name }) => name === "compaction")!;
  expect(compaction).toMatchObject({ database: "default", last_error: null });
  expect(Date.parse(compaction["next_run"]!)).toBeGreaterThan(Date.now());
  expect(Date.parse(compaction["last_run"]!)).toBeLessThanOrEqual(Date.now());
  const next = tasks.flatMap(({ next_run }) => (next_run === null ? [] : [next_run!]));
  expect(next).toEqual(next.toSorted());
});

test("a token sees what its databases do, and begins nothing elsewhere", async () => {
  const request = { name: "other", permissions: ["admin"], databases: ["other"] };
  const made = await client.post("/api/v1/auth/tokens", request);
  const { token } = (await made.json()) as { token: string };
  const other = new HttpClient(() => stack.url, token);
  expect(await get("/api/v1/compaction/history", other)).toEqual({
    total_jobs: 0,
    recent_jobs: [],
  });
  const { tasks } = await get<{ tasks: object[] }>("/api/v1/schedulers", other);
  expect(tasks).toEqual([]);
  const { recent_jobs } = await get<{ recent_jobs: JobBody[] }>("/api/v1/compaction/history");
  const path = `/api/v1/compaction/jobs/${recent_jobs[0]!.id}`;
  for (const method of ["GET", "DELETE"]) {
    const refusal = await other.fetch(path, { method });
    expect([method, refusal.status]).toEqual([method, 404]);
    // Whose job it is would be the name of a database that is not the token's business.
    expect(await refusal.text()).not.toContain("default");
  }
  const trigger = await other.post("/api/v1/compaction/trigger?database=default", {});
  expect(trigger.status).toBe(403);
});
