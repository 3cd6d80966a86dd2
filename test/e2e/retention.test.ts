// Retention over HTTP, in Arc's shapes.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);
const DAY_MS = 86_400_000;
const NOW = Date.now();

interface PolicyBody {
  readonly id: number;
  readonly [field: string]: unknown;
}

beforeAll(async () => {
  await stack.start();
  for (const database of ["default", "other"]) {
    for (const age of [40, 20, 1]) {
      const columns = { time: [NOW - age * DAY_MS], age: [age] };
      await client.write(encodeBatch("cpu", columns), { database });
      await client.write(encodeBatch("mem", columns), { database });
      await client.flush();
    }
  }
});
afterAll(() => stack.remove());

async function call(method: string, path: string, body?: object, by = client) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await by.fetch(`/api/v1/retention${path}`, init);
  return { status: response.status, body: (await response.json()) as PolicyBody };
}

async function create(fields: object = {}): Promise<PolicyBody> {
  const policy = {
    name: `policy ${Math.random()}`,
    database: "default",
    measurement: "cpu",
    retention_days: 30,
    buffer_days: 2,
    is_active: true,
  };
  const made = await call("POST", "", { ...policy, ...fields });
  expect([made.status, made.body]).toMatchObject([201, { database: "default" }]);
  return made.body;
}

async function agesIn(measurement: string): Promise<unknown[]> {
  return (await client.query(`SELECT age FROM ${measurement} ORDER BY age`)).data.flat();
}

describe("a policy", () => {
  test("is made, shown, listed, changed in part or whole, and deleted", async () => {
    const policy = await create({ name: "first" });
    expect(policy).toMatchObject({
      name: "first",
      measurement: "cpu",
      retention_days: 30,
      buffer_days: 2,
      straddling: "keep",
      is_active: true,
      last_execution_time: null,
      last_execution_status: null,
      last_deleted_count: null,
    });
    const path = `/${policy.id}`;
    expect((await call("GET", path)).body).toEqual(policy);
    expect((await call("GET", "")).body).toEqual([policy]);
    const changed = await call("PUT", path, { retention_days: 60, measurement: null });
    expect([changed.status, changed.body]).toMatchObject([
      200,
      { name: "first", retention_days: 60, buffer_days: 2, measurement: null },
    ]);
    expect((await call("PUT", path, { database: "other" })).status).toBe(400);
    expect((await call("DELETE", path)).status).toBe(200);
    expect((await call("GET", path)).status).toBe(404);
    expect((await call("GET", "")).body).toEqual([]);
  });

  test("drops what is too old, says before what that is, and remembers", async () => {
    const { id } = await create();
    const path = `/${id}/execute`;
    const preview = await call("POST", path, { dry_run: true });
    const report = { deleted_count: 1, files_deleted: 1, affected_measurements: ["cpu"] };
    expect([preview.status, preview.body]).toMatchObject([200, { ...report, dry_run: true }]);
    expect((await call("POST", path, {})).body).toMatchObject({ code: "confirmation_required" });
    expect(await agesIn("cpu")).toEqual([1, 20, 40]);
    const done = await call("POST", path, { dry_run: false, confirm: true });
    expect([done.status, done.body]).toMatchObject([200, { ...report, policy_id: id }]);
    expect([await agesIn("cpu"), await agesIn("mem")]).toEqual([
      [1, 20],
      [1, 20, 40],
    ]);
    const { executions } = (await call("GET", `/${id}/executions?limit=5`)).body;
    expect(executions).toMatchObject([{ policy_id: id, status: "completed", deleted_count: 1 }]);
    expect((await call("GET", `/${id}`)).body).toMatchObject({
      last_execution_status: "completed",
      last_deleted_count: 1,
    });
    expect((await client.query("SELECT count(*) FROM cpu", "other")).data).toEqual([[3]]);
  });

  test("that is not active is not run", async () => {
    const { id } = await create({ is_active: false });
    const refused = await call("POST", `/${id}/execute`, { dry_run: true });
    expect([refused.status, refused.body]).toMatchObject([400, { code: "policy_inactive" }]);
  });

  test("rewrites files that also have younger rows, where it says so", async () => {
    const ages = [40, 33, 31, 2];
    const columns = { time: ages.map((age) => NOW - age * DAY_MS), age: ages };
    // One file of many days: more of them than a segment makes files of.
    const many = Array.from({ length: 40 }, (_, i) => NOW - (100 + i) * DAY_MS);
    await client.write(
      encodeBatch("wide", {
        time: [...columns.time, ...many],
        age: [...ages, ...many.map(() => 99)],
      }),
    );
    await client.flush();
    const { id } = await create({ measurement: "wide", straddling: "rewrite" });
    const { body } = await call("POST", `/${id}/execute`, { confirm: true });
    for (const jobId of body["job_ids"] as number[]) await jobDone(jobId);
    expect(await agesIn("wide")).toEqual([2, 31]);
  });

  test("runs by itself, or with all others when asked", async () => {
    const { id } = await create({ measurement: "mem" });
    const schedulers = async () =>
      (await (await client.fetch("/api/v1/schedulers")).json()) as {
        tasks: { database: string; name: string; next_run: string | null }[];
      };
    const name = `retention:${id % 1_000_000}`;
    const task = (await schedulers()).tasks.find((one) => one.name === name);
    expect(task).toMatchObject({ database: "default", next_run: expect.any(String) });
    const triggered = await client.post("/api/v1/schedulers/retention/trigger", {});
    expect(triggered.status).toBe(200);
    await expect.poll(() => agesIn("mem"), { timeout: 10_000 }).toEqual([1, 20]);
  });
});

describe("what is wrong is named", () => {
  test.each([
    [{ name: "" }, "name"],
    [{ retention_days: 0 }, "retention_days"],
    [{ retention_days: 1.5 }, "retention_days"],
    [{ retention_days: 5, buffer_days: 5 }, "retention_days"],
    [{ buffer_days: -1 }, "buffer_days"],
    [{ is_active: "yes" }, "is_active"],
    [{ straddling: "drop" }, "straddling"],
    [{ measurement: "a/b" }, "measurement"],
  ])("%j", async (fields, field) => {
    const policy = { name: "wrong", database: "default", retention_days: 30, ...fields };
    const refused = await call("POST", "", policy);
    expect([refused.status, refused.body]).toMatchObject([400, { detail: { field } }]);
  });

  test("a name that is taken, a database and ids that do not exist", async () => {
    await create({ name: "taken" });
    const again = { name: "taken", database: "default", retention_days: 30 };
    expect((await call("POST", "", again)).status).toBe(409);
    const nowhere = { name: "x", database: "nowhere", retention_days: 30 };
    expect((await call("POST", "", nowhere)).status).toBe(404);
    for (const id of ["0", "1000999", "999000001", "x"]) {
      expect([id, (await call("GET", `/${id}`)).status]).toEqual([id, 404]);
    }
  });
});

test("a token sees and changes policies of its databases alone", async () => {
  const mine = await create();
  const make = async (name: string, permissions: string[], databases: string[]) => {
    const made = await client.post("/api/v1/auth/tokens", { name, permissions, databases });
    return new HttpClient(() => stack.url, ((await made.json()) as { token: string }).token);
  };
  const reader = await make("reader", ["read"], ["other"]);
  expect((await call("GET", "", undefined, reader)).body).toEqual([]);
  expect((await call("GET", `/${mine.id}`, undefined, reader)).status).toBe(404);
  expect((await call("DELETE", `/${mine.id}`, undefined, reader)).status).toBe(403);
  const admin = await make("admin of other", ["admin"], ["other"]);
  const fields = { name: "theirs", retention_days: 30 };
  expect((await call("POST", "", { ...fields, database: "default" }, admin)).status).toBe(403);
  expect((await call("POST", "", { ...fields, database: "other" }, admin)).status).toBe(201);
  expect((await call("PUT", `/${mine.id}`, { is_active: false }, admin)).status).toBe(404);
});

async function jobDone(jobId: number): Promise<void> {
  const state = async () => {
    const response = await client.fetch(`/api/v1/compaction/jobs/${jobId}`);
    return ((await response.json()) as { state: string }).state;
  };
  await expect.poll(state, { timeout: 20_000 }).toBe("done");
}
