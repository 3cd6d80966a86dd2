// Dropping and renaming while others write and read: every batch that is acknowledged after the
// answer is there, none that was acknowledged before the request is, and no query sees a part of
// one.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

// Small segments and two shards, so that tails, segments on their way and files are all met.
const stack = new Stack({ SEAL_BYTES: "20000", SEAL_AFTER_MS: "1000", BUFFER_SHARDS: "2" });
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const ROWS = 50;
const WRITERS = 4;
const ROUNDS = 5;

interface Written {
  readonly id: number;
  readonly sentAt: number;
  readonly ackedAt: number;
}

/**
 * Writers and a reader at work on `cpu` until `change` has been called and some more was written.
 */
async function during(database: string, change: () => Promise<void>): Promise<Change> {
  const written: Written[] = [];
  let order = 0;
  let ids = 0;
  let isOver = false;
  const writer = async () => {
    while (!isOver) {
      const id = nextId + ids++;
      const sentAt = order++;
      const { status } = await client.write(batch(id), { database });
      expect([204, 503]).toContain(status);
      if (status === 204) written.push({ id, sentAt, ackedAt: order++ });
    }
  };
  const reader = async () => {
    while (!isOver) {
      const sql = "SELECT batch, count(*) FROM cpu GROUP BY batch HAVING count(*) <> 50";
      const answer = await client.query(sql, database);
      expect([undefined, "database_unknown"]).toContain(answer.code);
      expect(answer.data ?? []).toEqual([]);
    }
  };
  const until = async (count: number) => {
    while (written.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const work = Promise.all([...Array.from({ length: WRITERS }, writer), reader()]);
  const script = async () => {
    await until(40);
    const begunAt = order++;
    await change();
    const endedAt = order++;
    await until(written.length + 40);
    isOver = true;
    return { begunAt, endedAt };
  };
  const [{ begunAt, endedAt }] = await Promise.all([script(), work]);
  nextId += ids;
  return {
    before: written.filter(({ ackedAt }) => ackedAt < begunAt).map(({ id }) => id),
    after: written.filter(({ sentAt }) => sentAt > endedAt).map(({ id }) => id),
  };
}

interface Change {
  /** Acknowledged before it began. */
  readonly before: readonly number[];
  /** Sent after it was answered. */
  readonly after: readonly number[];
}

let nextId = 0;

function batch(id: number): Uint8Array<ArrayBuffer> {
  const time = Array.from({ length: ROWS }, (_, i) => 1_750_000_000_000 + id * ROWS + i);
  return encodeBatch("cpu", { time, batch: time.map(() => id) });
}

async function batchesIn(measurement: string, database: string): Promise<Set<number>> {
  const sql = `SELECT batch FROM "${measurement}" GROUP BY batch HAVING count(*) = ${ROWS}`;
  const { success, data, error } = await client.query(sql, database);
  if (!success) throw new Error(error);
  return new Set(data.map(([id]) => id as number));
}

function drop(path: string): Promise<Response> {
  return client.fetch(`/api/v1/databases/${path}`, { method: "DELETE" });
}

function rename(path: string, name: string): Promise<Response> {
  const init = { method: "PATCH", body: JSON.stringify({ name }) };
  return client.fetch(`/api/v1/databases/${path}`, init);
}

describe("while others write", () => {
  test("a measurement is dropped", { timeout: 120_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { before, after } = await during("dropping", async () => {
        expect((await drop("dropping/measurements/cpu?confirm=true")).status).toBe(200);
      });
      const found = await batchesIn("cpu", "dropping");
      expect(before.filter((id) => found.has(id))).toEqual([]);
      expect(after.filter((id) => !found.has(id))).toEqual([]);
      await client.flush();
      expect(await batchesIn("cpu", "dropping")).toEqual(found);
    }
  });

  test("a measurement is renamed", { timeout: 120_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const newName = `archive_${round}`;
      const { before, after } = await during("renaming", async () => {
        expect((await rename("renaming/measurements/cpu", newName)).status).toBe(200);
      });
      const [old, renamed] = await Promise.all([
        batchesIn("cpu", "renaming"),
        batchesIn(newName, "renaming"),
      ]);
      expect(before.filter((id) => old.has(id))).toEqual([]);
      expect(after.filter((id) => !old.has(id) || renamed.has(id))).toEqual([]);
      // What an earlier round has left in `cpu` is renamed with the rest.
      expect(before.filter((id) => !renamed.has(id))).toEqual([]);
      await client.flush();
      expect(await batchesIn(newName, "renaming")).toEqual(renamed);
    }
  });

  test("a database is dropped", { timeout: 120_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { before, after } = await during("leaving", async () => {
        expect((await drop("leaving?confirm=true")).status).toBe(200);
      });
      const found = await batchesIn("cpu", "leaving");
      expect(before.filter((id) => found.has(id))).toEqual([]);
      expect(after.filter((id) => !found.has(id))).toEqual([]);
    }
  });
});

describe("kill -9 in the middle", () => {
  /** Sends the request and lets the machine die a little later; then sends it once more. */
  async function crashDuring(send: () => Promise<Response>, afterMs: number): Promise<number> {
    const first = send().then(
      ({ status }) => status,
      () => 0,
    );
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await stack.kill();
    const status = await first;
    await stack.start();
    return status === 200 ? status : (await send()).status;
  }

  test(
    "of a drop leaves nothing of what was there, and loses nothing",
    { timeout: 300_000 },
    async () => {
      for (const path of ["dying/measurements/cpu", "dying"]) {
        for (let round = 0; round < 6; round++) {
          const [old, fresh] = [nextId++, nextId++];
          await client.write(batch(old), { database: "dying" });
          if (round % 2 === 0) await client.flush();
          const status = await crashDuring(() => drop(`${path}?confirm=true`), round * 4);
          // 404: the first request had done it all.
          expect([200, 404]).toContain(status);
          const key = `fresh-${fresh}`;
          expect((await client.write(batch(fresh), { database: "dying", key })).status).toBe(204);
          expect(await batchesIn("cpu", "dying")).toEqual(new Set([fresh]));
          await drop(`${path}?confirm=true`);
        }
      }
    },
  );

  test("of a rename leaves every row under one name", { timeout: 300_000 }, async () => {
    await client.write(batch(0), { database: "moving" });
    for (let round = 0; round < 6; round++) {
      const [from, to] = round % 2 === 0 ? (["cpu", "load"] as const) : (["load", "cpu"] as const);
      const status = await crashDuring(() => rename(`moving/measurements/${from}`, to), round * 4);
      expect([200, 404]).toContain(status);
      expect(await batchesIn(to, "moving")).toEqual(new Set([0]));
      expect(await batchesIn(from, "moving")).toEqual(new Set());
    }
  });
});

describe("dropping", () => {
  test("takes a confirmation, and says before and after what goes", async () => {
    const write = (database: string, n: number) => client.write(batch(n), { database });
    for (const [database, path] of [
      ["one", "one/measurements/cpu"],
      ["two", "two"],
    ] as const) {
      await write(database, 1);
      await client.flush();
      await write(database, 2);
      const asked = await drop(path);
      expect([asked.status, await asked.json()]).toMatchObject([
        400,
        { code: "confirmation_required" },
      ]);
      const counts = { files_deleted: 1, rows_deleted: 2 * ROWS };
      expect(await (await drop(`${path}?dry_run=true`)).json()).toMatchObject(counts);
      expect((await batchesIn("cpu", database)).size).toBe(2);
      expect(await (await drop(`${path}?confirm=true`)).json()).toMatchObject(counts);
      expect(await batchesIn("cpu", database)).toEqual(new Set());
      expect((await drop(`${path}?confirm=true`)).status).toBe(404);
    }
    const names = await (await client.fetch("/api/v1/databases")).text();
    expect(names).toContain('"one"');
    expect(names).not.toContain('"two"');
  });

  test("is not for tokens without the permission", async () => {
    await client.write(batch(1), { database: "mine" });
    const body = { name: "deleter", permissions: ["delete"], databases: ["mine"] };
    const made = (await (await client.post("/api/v1/auth/tokens", body)).json()) as {
      token: string;
    };
    const deleter = new HttpClient(() => stack.url, made.token);
    const status = async (method: string, path: string) =>
      (await deleter.fetch(`/api/v1/databases/${path}`, { method, body: '{"name":"x"}' })).status;
    expect(await status("DELETE", "mine?confirm=true")).toBe(403);
    expect(await status("PATCH", "mine/measurements/cpu")).toBe(403);
    expect(await status("DELETE", "one/measurements/cpu?confirm=true")).toBe(403);
    expect(await status("DELETE", "mine/measurements/cpu?confirm=true")).toBe(200);
  });

  test("lets the default database come back with its next write", async () => {
    await client.write(batch(1));
    expect((await drop("default?confirm=true")).status).toBe(200);
    expect((await client.query("SELECT * FROM cpu")).data).toEqual([]);
    expect((await client.write(batch(2))).status).toBe(204);
    expect(await batchesIn("cpu", "default")).toEqual(new Set([2]));
  });
});

describe("renaming", () => {
  test("refuses a name that is taken, is none, or does not exist", async () => {
    await client.write(batch(1), { database: "names" });
    await client.write(encodeBatch("mem", { v: [1] }), { database: "names" });
    const code = async (from: string, to: string) =>
      ((await (await rename(`names/measurements/${from}`, to)).json()) as { code?: string }).code;
    expect(await code("cpu", "mem")).toBe("measurement_exists");
    expect(await code("cpu", "cpu")).toBe("measurement_exists");
    expect(await code("cpu", "2 cpu")).toBe("name_invalid");
    expect(await code("disk", "d")).toBe("measurement_unknown");
    expect(await code("cpu", "mem2")).toBeUndefined();
    expect(await batchesIn("mem2", "names")).toEqual(new Set([1]));
  });
});

describe("a measurement's view", () => {
  test("has types, NULLs, bounds, and when each column was seen", async () => {
    const database = "viewed";
    const day = (n: number) => Date.UTC(2026, 0, n);
    await client.write(
      encodeBatch("cpu", { time: [day(1), day(2)], v: [1, 3], host: ["a", "b"] }),
      {
        database,
      },
    );
    await client.flush();
    await client.write(
      encodeBatch("cpu", { time: [day(3), day(4)], v: [0.5, null], up: [true, true] }),
      { database },
    );
    await client.flush();
    const path = `/api/v1/databases/${database}/measurements/cpu`;
    const view = (await (await client.fetch(`${path}?distinct=true`)).json()) as {
      columns: { name: string }[];
    };
    const columns = Object.fromEntries(view.columns.map((column) => [column.name, column]));
    expect(view).toMatchObject({
      row_count: 4,
      time_min: "2026-01-01T00:00:00.000Z",
      time_max: "2026-01-04T00:00:00.000Z",
    });
    expect(columns["v"]).toEqual({
      name: "v",
      type: "float64",
      null_count: 1,
      null_share: 0.25,
      first_seen: "2026-01-01T00:00:00.000Z",
      last_seen: "2026-01-03T00:00:00.000Z",
      min: 0.5,
      max: 3,
      distinct_estimate: 3,
    });
    expect(columns["host"]).toMatchObject({ null_count: 2, min: "a", max: "b" });
    expect(columns["up"]).toMatchObject({ type: "bool", null_share: 0.5, distinct_estimate: 1 });
    expect(columns["time"]).toMatchObject({ type: "timestamp", min: "2026-01-01T00:00:00.000Z" });
    expect((await client.fetch(`/api/v1/databases/${database}/measurements/none`)).status).toBe(
      404,
    );
  });
});
