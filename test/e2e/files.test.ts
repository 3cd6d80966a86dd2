// The list of a measurement's Parquet files, for engines that read the bucket themselves.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({ SEAL_AFTER_MS: "3600000", COMPACT_AFTER_MS: "3600000" });
const client = new HttpClient(() => stack.url);
const PATH = "/api/v1/databases/default/measurements/cpu/files";
const DAY_MS = 86_400_000;
const T0 = Date.UTC(2026, 0, 1);

interface FilesAnswer {
  readonly version: number;
  readonly next: number | null;
  readonly files: readonly {
    readonly key: string;
    readonly rows: number;
    readonly bytes: number;
    readonly time_min: string;
    readonly time_max: string;
    readonly sha256: string;
  }[];
}

beforeAll(async () => {
  await stack.start();
  for (let day = 0; day < 3; day++) {
    const time = Array.from({ length: day + 1 }, (_, i) => T0 + day * DAY_MS + i);
    await client.write(encodeBatch("cpu", { time, day: time.map(() => day) }));
    await client.flush();
  }
});
afterAll(() => stack.remove());

async function list(query = ""): Promise<FilesAnswer> {
  const response = await client.fetch(PATH + query);
  expect(response.status).toBe(200);
  return (await response.json()) as FilesAnswer;
}

test("names each file with what the catalog knows of it", async () => {
  const { files, next } = await list();
  expect(next).toBeNull();
  expect(files.map(({ rows, time_min, time_max }) => [rows, time_min, time_max])).toEqual([
    [1, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"],
    [2, "2026-01-02T00:00:00.000Z", "2026-01-02T00:00:00.001Z"],
    [3, "2026-01-03T00:00:00.000Z", "2026-01-03T00:00:00.002Z"],
  ]);
  for (const { key, bytes, sha256 } of files) {
    const content = readFileSync(join(stack.folder, "data", "r2", "sluice-lake", key));
    expect([content.length, createHash("sha256").update(content).digest("hex")]).toEqual([
      bytes,
      sha256,
    ]);
  }
});

test("comes page by page, all of one version", async () => {
  const first = await list("?limit=2");
  const second = await list(`?limit=2&after=${first.next!}`);
  expect([first.files.length, second.files.length, second.next]).toEqual([2, 1, null]);
  expect(second.version).toBe(first.version);
  const whole = await list();
  expect([...first.files, ...second.files]).toEqual(whole.files);
});

test("is refused for what does not exist, and beyond its limit", async () => {
  const missing = await client.fetch(PATH.replace("cpu", "mem"));
  expect(missing.status).toBe(404);
  const wide = await client.fetch(`${PATH}?limit=50001`);
  expect([wide.status, await wide.json()]).toMatchObject([400, { code: "parameter_invalid" }]);
});
