import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import { generateBatches, ROWS_PER_BATCH } from "../../bench/events.ts";
import { encodeColumns } from "../../clients/client/encode-columns.ts";

describe("the benchmarks' events", () => {
  const batches = [...generateBatches(3)];

  test("have the size that docs/benchmarks.md gives", () => {
    for (const columns of batches) {
      const body = encodeColumns("system_events", columns);
      expect(Math.round(body.length / ROWS_PER_BATCH)).toBe(124);
      expect(Math.round(gzipSync(body).length / ROWS_PER_BATCH)).toBe(18);
    }
  });

  test("are the same in every run and different in every batch", () => {
    expect([...generateBatches(3)]).toEqual(batches);
    expect(batches[0]).not.toEqual(batches[1]);
  });

  test("go on in time from batch to batch", () => {
    const times = batches.flatMap((columns) => columns["time"] as number[]);
    expect(times).toHaveLength(3 * ROWS_PER_BATCH);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(batches[1]!["time"]![0]).toBeGreaterThanOrEqual(Number(batches[0]!["time"]!.at(-1)));
  });
});
