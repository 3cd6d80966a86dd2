// Peak memory of queries above the process at rest: every conformance query, a month, long answers.
//
// The figure is that of the whole process of workerd, so it is an upper bound for the isolate of
// the query: it holds the compiled engine, the front door and the objects as well, and garbage of
// the queries before. The server is started afresh for every query over the month, and for every
// 25 of the conformance suite. `npm run bench -- query-memory FOLDER` keeps the month for the next
// run.

import { encode } from "@msgpack/msgpack";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Caller, flush } from "../scripts/demo/api.ts";
import { seededTables } from "../test/conformance/data.ts";
import { readQueries } from "../test/conformance/queries.ts";
import { DATABASE, loadMonth } from "./month.ts";
import { MONTH_QUERIES } from "./month-queries.ts";
import { peakResidentBytes, residentBytes, resetPeak } from "./process-stats.ts";
import { median, printFigure, printMachine } from "./report.ts";
import { startBenchServer } from "./server.ts";

const CONFORMANCE = "conformance";
const QUERIES_PER_SERVER = 25;
const SHOWN = 10;
const FORMATS = ["json", "ndjson", "csv", "arrow", "parquet"];

interface Asked {
  readonly name: string;
  readonly database: string;
  readonly body: { readonly sql: string; readonly format?: string };
}

interface Peak {
  readonly name: string;
  readonly megabytes: number;
  readonly firstByteMs: number;
}

const [kept] = process.argv.slice(2);
const folder = kept ?? mkdtempSync(join(tmpdir(), "sluice-bench-"));
mkdirSync(folder, { recursive: true });
try {
  printMachine();
  await loadMonth(folder);
  const small = join(folder, "conformance");
  mkdirSync(small, { recursive: true });
  await writeConformance(small);
  const conformance = readQueries().map(({ name, sql }) => ({
    name,
    database: CONFORMANCE,
    body: { sql },
  }));
  report("conformance queries", await measureAll(small, conformance, QUERIES_PER_SERVER));
  const month = MONTH_QUERIES.map(({ name, sql }) => ({ name, database: DATABASE, body: { sql } }));
  report("queries over 10 million rows", await measureAll(folder, month, 1));
  const sql = "SELECT * FROM system_events LIMIT 1000000";
  const long = FORMATS.map((format) => ({
    name: `a million rows as ${format}`,
    database: DATABASE,
    body: { sql, format },
  }));
  report("long answers", await measureAll(folder, long, 1));
} finally {
  if (kept === undefined) rmSync(folder, { recursive: true });
}

/** A part of the rows stays in the tail, as it does for anyone who asks early. */
async function writeConformance(place: string): Promise<void> {
  const server = await startBenchServer(place);
  try {
    for (const round of [0, 1, 2]) {
      for (const [m, { batches }] of Object.entries(seededTables())) {
        const columns = batches[round];
        if (columns !== undefined && columns !== null) await write(server.admin, { m, columns });
      }
      if (round < 2) await flush(server.admin);
    }
  } finally {
    await server.stop();
  }
}

async function write({ url, token }: Caller, batch: object): Promise<void> {
  const response = await fetch(`${url}/api/v1/write/msgpack`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "x-arc-database": CONFORMANCE },
    body: encode(batch, { useBigInt64: true }),
  });
  if (!response.ok) throw new Error(`write answered ${response.status}: ${await response.text()}`);
}

async function measureAll(
  place: string,
  queries: readonly Asked[],
  perServer: number,
): Promise<Peak[]> {
  const peaks: Peak[] = [];
  for (let at = 0; at < queries.length; at += perServer) {
    const { admin, workerdPid, stop } = await startBenchServer(place);
    try {
      await sleep(500); // start-up has garbage of its own, some of it collected by then
      const restBytes = residentBytes(workerdPid);
      for (const asked of queries.slice(at, at + perServer)) {
        resetPeak(workerdPid);
        const firstByteMs = await ask(admin, asked);
        const megabytes = (peakResidentBytes(workerdPid) - restBytes) / 1e6;
        peaks.push({ name: asked.name, megabytes, firstByteMs });
      }
    } finally {
      await stop();
    }
  }
  return peaks;
}

/** Reads the answer to its end and drops it. Resolves with the time to its first byte. */
async function ask({ url, token }: Caller, { database, body }: Asked): Promise<number> {
  const startMs = performance.now();
  const response = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "x-arc-database": database,
    },
    body: JSON.stringify(body),
  });
  let firstByteMs: number | null = null;
  for await (const _ of response.body!) firstByteMs ??= performance.now() - startMs;
  return firstByteMs ?? performance.now() - startMs;
}

function report(title: string, peaks: readonly Peak[]): void {
  const sorted = peaks.toSorted((a, b) => b.megabytes - a.megabytes);
  console.log(`\n${title}: ${peaks.length}; peak above rest`);
  printFigure(
    "median, least, most",
    peaks.map(({ megabytes }) => megabytes),
    "MB",
  );
  for (const { name, megabytes, firstByteMs } of sorted.slice(0, SHOWN)) {
    printFigure(`  ${name}`, [megabytes], `MB  (first byte after ${Math.round(firstByteMs)} ms)`);
  }
  const firstBytes = peaks.map(({ firstByteMs }) => firstByteMs);
  printFigure("first byte", [median(firstBytes)], "ms");
}
