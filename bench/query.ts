// The documents' aggregations over 10 million rows in Parquet, beside native DuckDB on one thread.
//
// Both read the same files in the same run and must give the same answers. *Cold* is the first
// query of a server that has just started, *warm* the median of five after it was asked for three
// seconds, five times at least.
// `npm run bench -- query FOLDER` keeps the rows in FOLDER for the next run.

import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";

import { type Cell, firstDifference, nativeCell, parseExactly } from "../test/conformance/cells.ts";
import { DATABASE, DAYS, loadMonth, ROW_COUNT } from "./month.ts";
import { MONTH_QUERIES, type MonthQuery } from "./month-queries.ts";
import { median, printFigure, printMachine } from "./report.ts";
import { type BenchServer, startBenchServer } from "./server.ts";

const ROUNDS = 5;
/** Until the hot parts of the engine are compiled a second time, and better. */
const WARM_UP_ROUNDS = 5;
const WARM_UP_MS = 3_000;
const STARTS = 7;

/**
 * What a query sees as `time`: as stored, which is adjusted to UTC, or plain as Sluice's. The one
 * lets native DuckDB leave out row groups, the other spares it the calendar.
 */
const VIEWS = { stored: "time", plain: "make_timestamp(epoch_us(time))" };

interface Measured {
  readonly nativeMs: number;
  readonly coldMs: number;
  readonly warmMs: number;
  readonly bytesRead: number;
  readonly filesRead: number;
}

const [kept] = process.argv.slice(2);
const folder = kept ?? mkdtempSync(join(tmpdir(), "sluice-bench-"));
mkdirSync(folder, { recursive: true });
try {
  printMachine();
  const files = await loadMonth(folder);
  const byteLength = files.reduce((sum, file) => sum + statSync(file).size, 0);
  console.log(
    `${ROW_COUNT.toLocaleString("en-US")} events of ${DAYS} days in ${files.length} files, ` +
      `${Math.round(byteLength / 1e6)} MB; milliseconds\n`,
  );
  const native = await openNative(files);
  printRow("", "native", "cold", "warm", "ratio", "MB read", "files");
  for (const query of MONTH_QUERIES) {
    const found = await measure(query, native);
    printRow(
      query.name,
      found.nativeMs.toFixed(0),
      found.coldMs.toFixed(0),
      found.warmMs.toFixed(0),
      `${(found.warmMs / found.nativeMs).toFixed(1)} ×`,
      `${(found.bytesRead / 1e6).toFixed(1)} (${percent(found.bytesRead / byteLength)})`,
      String(found.filesRead),
    );
  }
  console.log();
  await measureFirstQuery();
} finally {
  if (kept === undefined) rmSync(folder, { recursive: true });
}

async function measure(query: MonthQuery, native: DuckDBConnection): Promise<Measured> {
  const server = await startBenchServer(folder);
  try {
    const first = await ask(server, query.sql);
    const startMs = performance.now();
    for (let i = 0; i < WARM_UP_ROUNDS || performance.now() - startMs < WARM_UP_MS; i++) {
      await ask(server, query.sql);
    }
    const warm = await repeat(() => ask(server, query.sql));
    const nativeRows = await native.runAndReadAll(query.sql);
    const expected = nativeRows.getRows().map((row) => row.map(nativeCell));
    const difference = firstDifference(first.data, expected, false);
    if (difference !== null) {
      throw new Error(`${query.name}: ${difference.sluice}, natively ${difference.native}`);
    }
    return {
      nativeMs: await nativeMs(native, query.sql),
      coldMs: first.ms,
      warmMs: median(warm.map(({ ms }) => ms)),
      bytesRead: first.bytesRead,
      filesRead: first.filesRead,
    };
  } finally {
    await server.stop();
  }
}

/** The first query that a server answers, over one file. */
async function measureFirstQuery(): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const server = await startBenchServer(folder);
    times.push((await ask(server, MONTH_QUERIES[0]!.sql)).ms);
    await server.stop();
  }
  printFigure("first query of a new query isolate", times, "ms");
}

async function ask({ admin }: BenchServer, sql: string) {
  const startMs = performance.now();
  const response = await fetch(`${admin.url}/api/v1/query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${admin.token}`,
      "content-type": "application/json",
      "x-arc-database": DATABASE,
    },
    body: JSON.stringify({ sql }),
  });
  const text = await response.text();
  const ms = performance.now() - startMs;
  if (!response.ok) throw new Error(`a query answered ${response.status}: ${text}`);
  const { cost } = JSON.parse(text) as { cost: { bytes_read: number; files_read: number } };
  const { data } = parseExactly(text) as { data: Cell[][] };
  return { ms, data, bytesRead: cost.bytes_read, filesRead: cost.files_read };
}

async function openNative(files: readonly string[]): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run("SET threads = 1");
  await connection.run("SET TimeZone = 'UTC'");
  const names = files.map((file) => `'${file}'`).join(", ");
  for (const [schema, time] of Object.entries(VIEWS)) {
    await connection.run(`CREATE SCHEMA ${schema}`);
    await connection.run(
      `CREATE VIEW ${schema}.system_events AS
       SELECT * REPLACE (${time} AS time) FROM read_parquet([${names}])`,
    );
  }
  await connection.run("SET schema = 'plain'");
  return connection;
}

/** The median over the view that suits the query better. */
async function nativeMs(native: DuckDBConnection, sql: string): Promise<number> {
  const medians: number[] = [];
  for (const schema of Object.keys(VIEWS)) {
    await native.run(`SET schema = '${schema}'`);
    await native.runAndReadAll(sql);
    const times = await repeat(async () => {
      const startMs = performance.now();
      await native.runAndReadAll(sql);
      return performance.now() - startMs;
    });
    medians.push(median(times));
  }
  await native.run("SET schema = 'plain'");
  return Math.min(...medians);
}

async function repeat<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < ROUNDS; i++) results.push(await work());
  return results;
}

function printRow(name: string, ...figures: string[]): void {
  console.log(name.padEnd(34) + figures.map((figure) => figure.padStart(14)).join(""));
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
