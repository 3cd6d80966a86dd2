// Deletes over HTTP: the tail that is not flushed goes too, and readers see all of it or nothing.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({ SEAL_AFTER_MS: "3600000" });
const client = new HttpClient(() => stack.url);
const T0 = Date.UTC(2026, 0, 1);

interface DeleteAnswer {
  readonly success: boolean;
  readonly deleted_count: number;
  readonly affected_files: number;
  readonly rewritten_files: number;
  readonly dry_run: boolean;
  readonly job_id: number;
  readonly code?: string;
  readonly error?: string;
}

beforeAll(() => stack.start());
afterAll(() => stack.remove());

async function write(measurement: string, from: number, to: number, stepMs = 1_000): Promise<void> {
  const ids = Array.from({ length: to - from }, (_, i) => from + i);
  const columns = { time: ids.map((id) => T0 + id * stepMs), id: ids };
  expect((await client.write(encodeBatch(measurement, columns))).status).toBe(204);
}

async function remove(body: object): Promise<{ status: number; body: DeleteAnswer }> {
  const response = await client.post("/api/v1/delete", { database: "default", ...body });
  return { status: response.status, body: (await response.json()) as DeleteAnswer };
}

describe("a delete", () => {
  test("counts in a dry run, and takes what is flushed and what is not", async () => {
    await write("cpu", 0, 100);
    await client.flush();
    await write("cpu", 100, 150);
    const where = "id % 2 = 0";
    const dry = await remove({ measurement: "cpu", where, dry_run: true });
    expect([dry.status, dry.body]).toMatchObject([200, { deleted_count: 75, dry_run: true }]);
    expect(await client.row("SELECT count(*) FROM cpu")).toEqual([150]);
    const { status, body } = await remove({ measurement: "cpu", where });
    expect([status, body]).toMatchObject([
      200,
      { success: true, deleted_count: 75, affected_files: 2, rewritten_files: 2, dry_run: false },
    ]);
    expect(await client.row("SELECT count(*), sum(id % 2) FROM cpu")).toEqual([75, 75]);
    const job = await (await client.fetch(`/api/v1/compaction/jobs/${body.job_id}`)).json();
    expect(job).toMatchObject({ kind: "delete", state: "done", where, result: { rows: 75 } });
  });

  test("of many rows needs a confirmation", async () => {
    await write("many", 0, 10_001, 1);
    const refused = await remove({ measurement: "many", where: "true" });
    expect([refused.status, refused.body]).toMatchObject([400, { code: "delete_unconfirmed" }]);
    expect(refused.body.error).toContain("10001 rows");
    const done = await remove({ measurement: "many", where: "true", confirm: true });
    expect([done.status, done.body.deleted_count]).toEqual([200, 10_001]);
    expect(await client.row("SELECT count(*) FROM many")).toEqual([0]);
  });

  test("is seen by readers whole or not at all", async () => {
    for (let part = 0; part < 5; part++) {
      await write("whole", part * 100, part * 100 + 100, 86_400_000 / 100);
      await client.flush();
    }
    let isDone = false;
    const seen = new Set<unknown>();
    const reading = (async () => {
      while (!isDone) seen.add((await client.row("SELECT count(*) FROM whole"))[0]);
    })();
    const { body } = await remove({ measurement: "whole", where: "id % 10 = 3" });
    isDone = true;
    expect(body).toMatchObject({ success: true, deleted_count: 50, affected_files: 5 });
    await reading;
    seen.add((await client.row("SELECT count(*) FROM whole"))[0]);
    expect([...seen].filter((count) => count !== 500)).toEqual([450]);
    const job = await (await client.fetch(`/api/v1/compaction/jobs/${body.job_id}`)).json();
    expect(job).toMatchObject({ state: "done", attempt: 1, error: null });
  });

  test("of a measurement that does not exist finds nothing", async () => {
    const { status, body } = await remove({ measurement: "nothing", where: "true" });
    expect([status, body]).toMatchObject([200, { deleted_count: 0, affected_files: 0 }]);
  });

  test("tells its limits", async () => {
    const config = await (await client.fetch("/api/v1/delete/config")).json();
    expect(config).toMatchObject({ enabled: true, confirmation_threshold: 10_000 });
  });
});

describe("a delete is refused", () => {
  test.each([
    [{ measurement: "cpu" }, 400, "parameter_invalid"],
    [{ measurement: "cpu", where: " " }, 400, "parameter_invalid"],
    [{ where: "true" }, 400, "parameter_invalid"],
    [{ measurement: "cpu", where: "true", dry_run: "yes" }, 400, "parameter_invalid"],
    [{ measurement: "cpu", where: "nothing = 1" }, 400, "sql_invalid"],
    [{ measurement: "cpu", where: "id IN (SELECT id FROM cpu)" }, 400, "sql_not_allowed"],
    [{ measurement: "cpu", where: "random() < 2" }, 400, "sql_not_allowed"],
    [{ database: "no-such", measurement: "cpu", where: "true" }, 404, "database_unknown"],
  ])("%j", async (request, status, code) => {
    const refused = await remove(request);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
  });

  test("with a condition that is too long", async () => {
    const refused = await remove({ measurement: "cpu", where: "x".repeat(4_097) });
    expect([refused.status, refused.body.code]).toEqual([400, "parameter_invalid"]);
    expect((await remove({ measurement: "cpu", where: "x".repeat(4_096) })).body.code).toBe(
      "sql_invalid",
    );
  });

  test("without the permission, and on other databases", async () => {
    const make = async (permissions: string[], databases: string[]) => {
      const name = [...permissions, ...databases].join(" ");
      const made = await client.post("/api/v1/auth/tokens", { name, permissions, databases });
      return new HttpClient(() => stack.url, ((await made.json()) as { token: string }).token);
    };
    const request = { database: "default", measurement: "nothing", where: "true" };
    const statusFor = async (one: HttpClient) => (await one.post("/api/v1/delete", request)).status;
    expect(await statusFor(await make(["read", "write"], ["*"]))).toBe(403);
    expect(await statusFor(await make(["delete"], ["other"]))).toBe(403);
    expect(await statusFor(await make(["delete"], ["default"]))).toBe(200);
    expect(await statusFor(await make(["admin"], ["default"]))).toBe(200);
  });
});
