// Many small files become few, while rows are written and read.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({ SEAL_AFTER_MS: "200", COMPACT_AFTER_MS: "300" });
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const BATCHES = 40;
const ROWS = 500;
const T0 = Date.parse("2026-03-01T00:00:00Z");

function batch(n: number) {
  const time = Array.from({ length: ROWS }, (_, i) => T0 + n * 60_000 + i);
  return encodeBatch("cpu", {
    time,
    batch: time.map(() => n),
    host: time.map((_, i) => `host-${i % 10}`),
    // A column that comes later, and one that widens on the way.
    ...(n < BATCHES / 2 ? {} : { late: time.map((_, i) => i % 3 === 0) }),
    value: time.map((_, i) => (n === BATCHES - 1 ? i + 0.5 : i)),
  });
}

async function fileCount(): Promise<number> {
  const response = await client.fetch("/api/v1/measurements");
  const { measurements } = (await response.json()) as {
    measurements: { measurement: string; file_count: number }[];
  };
  return measurements.find(({ measurement }) => measurement === "cpu")!.file_count;
}

describe("small files", () => {
  test("are merged; every query meanwhile sees each batch whole and once", async () => {
    let reads = 0;
    for (let n = 0; n < BATCHES; n++) {
      expect((await client.write(batch(n))).status).toBe(204);
      await client.flush();
      const { data } = await client.query("SELECT batch, count(*) FROM cpu GROUP BY 1 ORDER BY 1");
      expect(data).toEqual(Array.from({ length: n + 1 }, (_, id) => [id, ROWS]));
      reads++;
    }
    const deadline = Date.now() + 60_000;
    while ((await fileCount()) > BATCHES / 2 && Date.now() < deadline) {
      const { data } = await client.query("SELECT batch, count(*) FROM cpu GROUP BY 1 ORDER BY 1");
      expect(data).toEqual(Array.from({ length: BATCHES }, (_, id) => [id, ROWS]));
      reads++;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(await fileCount()).toBeLessThanOrEqual(BATCHES / 2);
    expect(reads).toBeGreaterThanOrEqual(BATCHES);
  });

  test("leave the rows as they were", async () => {
    const sql =
      "SELECT count(*), count(late), sum(value), count(DISTINCT host), max(time) FROM cpu";
    const n = BATCHES * ROWS;
    const sum = BATCHES * ((ROWS * (ROWS - 1)) / 2) + ROWS * 0.5;
    const maxTime = new Date(T0 + (BATCHES - 1) * 60_000 + ROWS - 1).toISOString();
    expect(await client.row(sql)).toEqual([n, n / 2, sum, 10, maxTime]);
  });
});
