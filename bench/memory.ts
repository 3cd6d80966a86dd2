// Peak memory of the process that runs all Workers, above that of the same process at rest.
//
// An isolate may use 128 MB on Cloudflare. workerd on this machine does not enforce that, and its
// process holds all isolates and SQLite beside, so what is measured here is an upper bound. The
// server is started afresh before each phase: garbage of the phase before would be counted.

import { setTimeout as sleep } from "node:timers/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { flush, runQuery } from "../scripts/demo/api.ts";
import { gzippedBodies, ROWS_PER_BATCH } from "./events.ts";
import { sendBodies } from "./load.ts";
import { peakResidentBytes, residentBytes, resetPeak } from "./process-stats.ts";
import { printFigure, printMachine } from "./report.ts";
import { startBenchServer, type BenchServer } from "./server.ts";

const DATABASE = "memory";
const BATCHES = 50;

const QUERIES = {
  count: "SELECT count(*) FROM system_events",
  "last rows": "SELECT * FROM system_events ORDER BY time DESC LIMIT 100",
  "group by type": `SELECT event_type, count(*), avg(duration_ms),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms)
    FROM system_events GROUP BY event_type`,
  "distinct users": "SELECT count(DISTINCT user_id) FROM system_events",
  "JSON by user": `SELECT user_id, array_agg(DISTINCT metadata::json->>'ip')
    FROM system_events WHERE event_category = 'security'
    GROUP BY user_id HAVING count(*) >= 5`,
};

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
try {
  printMachine();
  console.log(`One segment of ${BATCHES * ROWS_PER_BATCH} events; peak above rest:`);
  const bodies = await gzippedBodies(BATCHES);
  await withServer(async ({ admin }) => {
    await sendBodies(
      admin,
      bodies.map((body) => ({ database: DATABASE, body })),
      1,
    );
  });
  await withServer((server) => report(server, "flush", () => flush(server.admin)));
  for (const [name, sql] of Object.entries(QUERIES)) {
    await withServer((server) =>
      report(server, `query: ${name}`, () => runQuery(server.admin, DATABASE, sql)),
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function withServer(work: (server: BenchServer) => Promise<void>): Promise<void> {
  const server = await startBenchServer(folder);
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

async function report(
  { workerdPid }: BenchServer,
  label: string,
  work: () => Promise<unknown>,
): Promise<void> {
  await sleep(1_000); // start-up has garbage of its own, some of it collected by then
  const restBytes = residentBytes(workerdPid);
  resetPeak(workerdPid);
  await work();
  const peakBytes = peakResidentBytes(workerdPid);
  printFigure(label, [(peakBytes - restBytes) / 1e6], `MB  (rest ${megabytes(restBytes)})`);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
