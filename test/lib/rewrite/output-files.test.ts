import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { OutputFiles } from "#lib/rewrite/output-files.ts";
import { ManualClock, MemoryLake } from "../../helpers/memory-world.ts";
import { tableValues } from "../../helpers/random-batch.ts";
import { tableOf } from "../../helpers/random-table.ts";
import { tablesOf } from "../../helpers/stored-files.ts";

const HOUR_US = 3_600_000_000n;
const COLUMNS = [{ name: "time", type: "timestamp" }] as const;

function rowGroup(hour: number) {
  const values = Array.from({ length: 50 }, (_, i) => BigInt(hour) * HOUR_US + BigInt(i));
  return tableOf([{ name: "time", type: "timestamp", values }]);
}

function outputTo(lake: MemoryLake, fileBytes: number): OutputFiles {
  const keyOf = (day: string, fileNumber: number) => `${day}/${fileNumber}`;
  return new OutputFiles({ tableId: 7, keyOf, keyValues: {} }, COLUMNS, lake, fileBytes);
}

test("a file ends with the row group that fills it, and is described as it is stored", async () => {
  const lake = new MemoryLake(new ManualClock());
  const output = outputTo(lake, 60);
  for (const hour of [0, 10, 20, 30, 40]) await output.add(rowGroup(hour));
  const files = await output.finish();
  expect(files.map(({ key, rowCount }) => [key, rowCount])).toEqual([
    ["1970-01-01/0", 100],
    ["1970-01-01/1", 100],
    ["1970-01-02/2", 50],
  ]);
  expect(files[1]).toMatchObject({
    tableId: 7,
    day: "1970-01-01",
    timeMinMs: 20 * 3_600_000,
    timeMaxMs: 30 * 3_600_000 + 1,
  });
  for (const { key, byteLength, sha256 } of files) {
    const { bytes } = lake.objects.get(key)!;
    expect(byteLength).toBe(bytes.length);
    expect(sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
  expect(files.flatMap((file) => tablesOf(lake, file)).map(tableValues)).toEqual(
    [0, 10, 20, 30, 40].map((hour) => tableValues(rowGroup(hour))),
  );
});

test("nothing is stored of a file that is given up", async () => {
  const lake = new MemoryLake(new ManualClock());
  const output = outputTo(lake, 1_000_000);
  await output.add(rowGroup(0));
  await output.abort();
  expect(lake.objects.size).toBe(0);
});

test("without rows there is no file", async () => {
  const lake = new MemoryLake(new ManualClock());
  expect(await outputTo(lake, 1).finish()).toEqual([]);
});
