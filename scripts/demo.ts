// `npm start`: the whole pipeline on this machine, with data in it and questions answered.
//
// Starts the stack, sends generated telemetry through the HTTP API, asks the questions of
// demo/questions.ts, shows the Parquet files, and stays up until Ctrl-C. It uses nothing that a
// client could not use. Each start begins with an empty folder below .data/demo.

import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { SluiceClient } from "../clients/client/client.ts";
import { generateTelemetry } from "../clients/samples/generate.ts";
import { splitRows } from "../clients/samples/measurement.ts";
import { createToken, flush, runQuery, type Caller } from "./demo/api.ts";
import { findTableFolders } from "./demo/parquet-files.ts";
import { progressBar, startStep } from "./demo/progress.ts";
import { QUESTIONS } from "./demo/questions.ts";
import { isPortFree, startStack, type Stack } from "./demo/stack.ts";
import { formatAnswer } from "./demo/table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DATABASE = "events";
const SEED = 42;
const COUNTS = { events: 200_000, metrics: 138_240, logs: 100_000, traces: 100_000 };
const ROWS_PER_BATCH = 10_000;
/** Little, so that the progress shown is not far ahead of what the server has. */
const BYTES_AHEAD_MAX = 8_000_000;
const TERMINAL_WIDTH_DEFAULT = 100;

const { values: options } = parseArgs({ options: { port: { type: "string", default: "8000" } } });
await main(Number(options.port));

async function main(port: number): Promise<void> {
  if (!(await isPortFree(port))) {
    console.error(
      `Port ${port} is taken. Stop what listens there, or choose another: npm start -- --port 8001`,
    );
    process.exitCode = 1;
    return;
  }
  // One folder for each port: a free port means that no other demo uses the folder.
  const dataDir = join(ROOT, ".data/demo", String(port));
  const { admin, stack } = await startServer(port, dataDir);
  try {
    await demonstrate(admin, relative(process.cwd(), dataDir));
  } catch (error) {
    if (stack.isStopping) return;
    console.error(error);
    process.exitCode = 1;
    await stack.stop();
  }
}

async function startServer(
  port: number,
  dataDir: string,
): Promise<{ admin: Caller; stack: Stack }> {
  const step = startStep("Starting the stack");
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });
  const adminToken = randomBytes(24).toString("base64url");
  const logFile = join(dataDir, "server.log");
  const stack = await startStack({ port, dataDir, adminToken, logFile });
  endTogether(stack);
  step.done(`${stack.url}, log in ${relative(process.cwd(), logFile)}`);
  return { admin: { url: stack.url, token: adminToken }, stack };
}

/** Ends the server on Ctrl-C or when the terminal is closed, and this process with the server. */
function endTogether(stack: Stack): void {
  const stop = () => {
    console.log("\nStopping.");
    void stack.stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  void stack.ended.then((code) => process.exit(process.exitCode ?? code ?? 1));
}

async function demonstrate(admin: Caller, dataDir: string): Promise<void> {
  const user = { url: admin.url, token: await createToken(admin, "demo") };
  const tables = await loadTelemetry(user);
  await checkCounts(user, tables, "Every acknowledged row is visible");
  await answerQuestions(user);
  await flushToParquet(admin);
  await checkCounts(user, tables, "The same rows, now from Parquet");
  showParquet(join(dataDir, "r2"));
  showHowToGoOn(user, dataDir);
}

/** Returns how many rows each table got. */
async function loadTelemetry(user: Caller): Promise<Map<string, number>> {
  const making = startStep("Making telemetry");
  const baseTimeMs = Date.now();
  const measurements = generateTelemetry(SEED, baseTimeMs, COUNTS);
  const rowsTotal = measurements.reduce((sum, { rowCount }) => sum + rowCount, 0);
  making.done(`${formatCount(rowsTotal)} rows of events, metrics, logs and traces`);

  const sending = startStep("Sending it over HTTP");
  const client = new SluiceClient({ ...user, database: DATABASE, memoryBytesMax: BYTES_AHEAD_MAX });
  let rowsTaken = 0;
  const startedMs = performance.now();
  for (const measurement of measurements) {
    for (const { name, rowCount, columns } of splitRows(measurement, ROWS_PER_BATCH)) {
      await client.writeColumns(name, columns);
      rowsTaken += rowCount;
      sending.update(`${progressBar(rowsTaken / rowsTotal)} ${formatCount(rowsTaken)} rows`);
    }
  }
  await client.close();
  const seconds = (performance.now() - startedMs) / 1_000;
  const rate = `${formatCount(Math.round(rowsTotal / seconds))} rows/s`;
  sending.done(`${formatCount(rowsTotal)} rows durable in ${seconds.toFixed(1)} s, ${rate}`);
  return new Map(measurements.map(({ name, rowCount }) => [name, rowCount]));
}

async function checkCounts(user: Caller, tables: Map<string, number>, claim: string) {
  const step = startStep(claim);
  const found: string[] = [];
  for (const [table, rowCount] of tables) {
    const { data } = await runQuery(user, DATABASE, `SELECT count(*) FROM ${table}`);
    const count = Number(data[0]![0]);
    if (count !== rowCount) throw new Error(`${table} has ${count} rows, sent were ${rowCount}`);
    found.push(`${table} ${formatCount(count)}`);
  }
  step.done(found.join(", "));
}

async function answerQuestions(user: Caller): Promise<void> {
  const width = process.stdout.columns ?? TERMINAL_WIDTH_DEFAULT;
  for (const [i, { question, sql }] of QUESTIONS.entries()) {
    const step = startStep(`${i + 1}. ${question}`);
    const startedMs = performance.now();
    const answer = await runQuery(user, DATABASE, sql);
    const elapsedMs = Math.round(performance.now() - startedMs);
    step.done(`${formatCount(answer.data.length)} rows in ${elapsedMs} ms`);
    console.log(
      formatAnswer(answer, width - 4)
        .map((line) => `    ${line}\n`)
        .join(""),
    );
  }
  console.log(`The SQL of these questions: ${relative(process.cwd(), questionsFolder())}\n`);
}

async function flushToParquet(admin: Caller): Promise<void> {
  const step = startStep("Flushing what is still in the buffer");
  const startedMs = performance.now();
  await flush(admin);
  step.done(
    `all rows are in Parquet after ${((performance.now() - startedMs) / 1e3).toFixed(1)} s`,
  );
}

function showParquet(lake: string): void {
  const tables = findTableFolders(lake);
  console.log(`Parquet files below ${lake}, as they would lie in your R2 bucket:`);
  for (const { folder, files, byteLength } of tables) {
    const size = `${(byteLength / 1e6).toFixed(1)} MB`;
    console.log(`  ${relative(lake, folder)}: ${files} files, ${size}`);
  }
  // The small ones are Sluice's own: events of what was made, traces and logs of itself.
  const [largest] = tables.toSorted((a, b) => b.byteLength - a.byteLength);
  console.log(`With DuckDB: duckdb -c "FROM '${largest!.folder}/**/*.parquet' LIMIT 10"`);
  console.log(
    "Files that were merged stay for a quarter of an hour beside the new ones; which count",
  );
  console.log("says GET /api/v1/databases/:database/measurements/:measurement/files.\n");
}

function showHowToGoOn({ url, token }: Caller, dataDir: string): void {
  console.log(`Sluice stays up on ${url} until Ctrl-C.

  token (may do everything): ${token}

  curl ${url}/api/v1/query \\
    -H 'Authorization: Bearer ${token}' \\
    -H 'X-Arc-Database: ${DATABASE}' -H 'Content-Type: application/json' \\
    -d '{"sql": "SELECT event_type, count(*) FROM system_events GROUP BY ALL ORDER BY 2 DESC"}'

The next npm start begins empty. To go on with this data: npm run serve -- --data ${dataDir}
`);
}

function questionsFolder(): string {
  return join(ROOT, "scripts/demo/sql");
}

function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
