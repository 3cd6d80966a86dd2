// A month of events in Parquet, for the benchmarks of queries: 30 files, a day of 340,000 each.
//
// The rows go the whole way: written over HTTP, flushed day by day. As that takes two minutes, a
// folder that holds them already is used as it is.

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { flush } from "../scripts/demo/api.ts";
import { gzippedBodies, ROWS_PER_BATCH } from "./events.ts";
import { sendBodies } from "./load.ts";
import { startBenchServer } from "./server.ts";

export const DATABASE = "month";
export const DAYS = 30;
const DAY_MS = 86_400_000;
const BATCHES_PER_DAY = 34;
export const ROW_COUNT = DAYS * BATCHES_PER_DAY * ROWS_PER_BATCH;
export const START_MS = Date.UTC(2026, 0, 1);

/** Steps of 250 ms in the mean: a day's rows end 25 minutes before the day does. */
const STEP_MS_MAX = 1_000;

/** Fills the bench server's `folder`, unless it was filled before. Returns its Parquet files. */
export async function loadMonth(folder: string): Promise<string[]> {
  const marker = join(folder, "month-is-loaded");
  if (!existsSync(marker)) {
    await writeMonth(folder);
    writeFileSync(marker, "");
  }
  const lake = join(folder, "data", "r2");
  return readdirSync(lake, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .map((name) => join(lake, name));
}

async function writeMonth(folder: string): Promise<void> {
  const server = await startBenchServer(folder);
  try {
    for (let day = 0; day < DAYS; day++) {
      const startMs = START_MS + day * DAY_MS;
      const beginning = { seed: day, startMs, stepMsMax: STEP_MS_MAX };
      const bodies = await gzippedBodies(BATCHES_PER_DAY, beginning);
      const addressed = bodies.map((body) => ({ database: DATABASE, body }));
      await sendBodies(server.admin, addressed, 4);
      await flush(server.admin);
    }
  } finally {
    await server.stop();
  }
}
