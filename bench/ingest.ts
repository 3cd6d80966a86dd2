// Ingest and flush, end to end over HTTP on loopback.
//
// Ingest is what happens before the answer: read, gunzip, validate, append, commit. Flush is from
// the log to Parquet files in the catalog. The client runs on the same machine, so the figure to
// compare is events per second of CPU that the server's process used, beside the plain wall clock.
// Afterwards all rows are counted by SQL: an event that cannot be found again was not ingested.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { flush, runQuery } from "../scripts/demo/api.ts";
import { gzippedBodies, ROWS_PER_BATCH } from "./events.ts";
import { sendBodies } from "./load.ts";
import { printFigure, printMachine, quantile } from "./report.ts";
import { measureCpu, startBenchServer, type BenchServer } from "./server.ts";

const ROUNDS = 3;
const CONCURRENCY = 8;
/** Below the million rows at which a segment is sealed whatever the settings are. */
const BATCHES_PER_DATABASE = 90;
const DATABASES_PER_ROUND = 2;
const WARM_UP_BATCHES = 30;

type Round = Awaited<ReturnType<typeof runRound>>;

const bodyCount = BATCHES_PER_DATABASE * DATABASES_PER_ROUND;
console.log(`Making ${bodyCount} different batches of ${ROWS_PER_BATCH} events …`);
const bodies = await gzippedBodies(bodyCount);

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const server = await startBenchServer(folder);
try {
  const warmUp = bodies.slice(0, WARM_UP_BATCHES).map((body) => ({ database: "warm_up", body }));
  await sendBodies(server.admin, warmUp, CONCURRENCY);
  await flush(server.admin);
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await runRound(server, `round_${i}`));
  report(rounds);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}

async function runRound(server: BenchServer, name: string) {
  const addressed = bodies.map((body, i) => ({
    database: `${name}_${i % DATABASES_PER_ROUND}`,
    body,
  }));
  const ingest = await measureCpu(server, () => sendBodies(server.admin, addressed, CONCURRENCY));
  const flushing = await measureCpu(server, () => flush(server.admin));
  let rowCount = 0;
  for (let i = 0; i < DATABASES_PER_ROUND; i++) {
    const sql = "SELECT count(*) FROM system_events";
    rowCount += Number((await runQuery(server.admin, `${name}_${i}`, sql)).data[0]![0]);
  }
  if (rowCount !== bodyCount * ROWS_PER_BATCH) {
    throw new Error(`${rowCount} rows are found, ${bodyCount * ROWS_PER_BATCH} were acknowledged`);
  }
  return { rowCount, ingest, flushing };
}

function report(rounds: readonly Round[]): void {
  const figures = (pick: (round: Round) => number) => rounds.map(pick);
  const latency = (fraction: number) => figures(({ ingest }) => quantile(ingest.result, fraction));
  const rows = rounds[0]!.rowCount;
  console.log(`\n${ROUNDS} rounds of ${bodyCount} batches, ${CONCURRENCY} in flight; medians`);
  printMachine();
  printFigure(
    "ingest, per second of workerd's CPU",
    figures(({ ingest }) => rows / ingest.workerdSeconds),
    "events",
  );
  printFigure(
    "ingest, per second of wall clock",
    figures(({ ingest }) => rows / ingest.wallSeconds),
    "events",
  );
  printFigure("ingest latency p50", latency(0.5), "ms");
  printFigure("ingest latency p95", latency(0.95), "ms");
  printFigure("ingest latency p99", latency(0.99), "ms");
  printFigure(
    "flush, per second of workerd's CPU",
    figures(({ flushing }) => rows / flushing.workerdSeconds),
    "events",
  );
  printFigure(
    "flush, per CPU second of workerd and object store",
    figures(({ flushing }) => rows / (flushing.workerdSeconds + flushing.supervisorSeconds)),
    "events",
  );
  printFigure(
    "flush, per second of wall clock",
    figures(({ flushing }) => rows / flushing.wallSeconds),
    "events",
  );
  console.log("\nAll rows were found again by SQL after each round.");
}
