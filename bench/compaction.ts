// 30 days of minute files compacted: files, bytes, time, memory, write amplification, every row.
//
// Compaction is held off until all files are there, and then asked for until nothing is left to
// merge. Lists of the files that are taken on the way stand for readers: what they name must still
// be whole when compaction has ended. Queries are asked of a server that has just started.

import { setTimeout as sleep } from "node:timers/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { type Caller, callApi } from "../scripts/demo/api.ts";
import { bytesOf, fingerprint, type ListedFile, listFiles } from "./lake-files.ts";
import { DATABASE, MEASUREMENT, START_MS, writeMinuteFiles } from "./minute-files.ts";
import { MINUTES_PER_DAY, ROWS_PER_MINUTE } from "./minute-files.ts";
import { peakResidentBytes, residentBytes, resetPeak } from "./process-stats.ts";
import { median, printFigure, printMachine } from "./report.ts";
import { type BenchServer, measureCpu, startBenchServer } from "./server.ts";

const HOUR_MS = 3_600_000;
const POLL_MS = 500;
/** A list of the files is taken when so much of them is left. */
const LISTS_AT = [0.8, 0.5, 0.2];
const WARM_ROUNDS = 5;

const { values } = parseArgs({ options: { days: { type: "string", default: "30" } } });
const days = Number(values.days);
const rowCount = days * MINUTES_PER_DAY * ROWS_PER_MINUTE;

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const data = join(folder, "data");
try {
  printMachine();
  console.log(
    `${days} days, ${days * MINUTES_PER_DAY} files, ${rowCount.toLocaleString("en")} rows`,
  );
  await withServer(fill);
  const before = await withServer(({ admin }) => listFiles(admin, DATABASE, MEASUREMENT));
  const expected = await fingerprint(data, before);
  if (!expected.startsWith(`${rowCount} `)) throw new Error(`files have the rows ${expected}`);
  await withServer(({ admin }) => reportQueries("before", admin));
  const lists = await withServer((server) => compact(server, before));
  const after = await withServer(({ admin }) => listFiles(admin, DATABASE, MEASUREMENT));
  for (const [at, files] of [...lists, after].entries()) {
    const found = await fingerprint(data, files);
    if (found !== expected) throw new Error(`list ${at} has ${found}, and not ${expected}`);
    console.log(`rows by count, sums and hash are the same in ${files.length} files`);
  }
  await withServer(({ admin }) => reportQueries("after", admin));
} finally {
  rmSync(folder, { recursive: true });
}

async function withServer<T>(work: (server: BenchServer) => Promise<T>): Promise<T> {
  const server = await startBenchServer(folder);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function fill(server: BenchServer): Promise<void> {
  const { wallSeconds, workerdSeconds } = await measureCpu(server, () =>
    writeMinuteFiles(server.admin, days, (minute) => {
      if (minute % 144 === 0) console.log(`  ${minute * days} files written`);
    }),
  );
  printFigure("writing the minute files", [wallSeconds], "s");
  printFigure("of workerd's CPU", [workerdSeconds], "s");
}

async function compact(
  server: BenchServer,
  before: readonly ListedFile[],
): Promise<ListedFile[][]> {
  const { admin, workerdPid } = server;
  await sleep(2_000); // start-up has garbage of its own
  const restBytes = residentBytes(workerdPid);
  resetPeak(workerdPid);
  const { result, ...use } = await measureCpu(server, () => compactAll(admin, before.length));
  const peakBytes = peakResidentBytes(workerdPid) - restBytes;
  const after = await listFiles(admin, DATABASE, MEASUREMENT);
  const stats = (await callApi(admin, "GET", "/api/v1/compaction/stats")) as JobTotals;
  const [bytesBefore, bytesAfter] = [bytesOf(before), bytesOf(after)];
  console.log("\ncompaction");
  printFigure("files before", [before.length], "");
  printFigure("files after", [after.length], "");
  printFigure("bytes before", [bytesBefore / 1e6], "MB");
  printFigure("bytes after", [bytesAfter / 1e6], "MB");
  printFigure("jobs", [stats.total_jobs_completed], "");
  printFigure("jobs failed", [stats.total_jobs_failed], "");
  printFigure("wall clock", [use.wallSeconds], "s");
  printFigure("workerd's CPU", [use.workerdSeconds], "s");
  printFigure("object store's CPU", [use.supervisorSeconds], "s");
  printFigure("rows per second of workerd's CPU", [rowCount / use.workerdSeconds], "");
  printFigure("peak memory above rest", [peakBytes / 1e6], `MB  (rest ${restBytes / 1e6} MB)`);
  printFigure("bytes written", [stats.total_bytes_written / 1e6], "MB");
  printFigure("written per byte of the result", [stats.total_bytes_written / bytesAfter], "");
  printFigure("written per byte of the input", [stats.total_bytes_written / bytesBefore], "");
  return result;
}

interface JobTotals {
  readonly active_jobs: number;
  readonly total_jobs_completed: number;
  readonly total_jobs_failed: number;
  readonly total_bytes_written: number;
}

/** Until there is nothing to merge; returns the lists taken on the way. */
async function compactAll(admin: Caller, filesBefore: number): Promise<ListedFile[][]> {
  const lists: ListedFile[][] = [];
  const waiting = LISTS_AT.map((share) => share * filesBefore);
  while ((await candidateCount(admin)) > 0) {
    await callApi(admin, "POST", `/api/v1/compaction/trigger?database=${DATABASE}`);
    // The jobs are made by the catalog's alarm, soon.
    do {
      await sleep(POLL_MS);
      if (waiting.length > 0 && (await fileCount(admin)) < waiting[0]!) {
        waiting.shift();
        lists.push(await listFiles(admin, DATABASE, MEASUREMENT));
      }
    } while ((await activeJobs(admin)) > 0);
  }
  return lists;
}

async function candidateCount(admin: Caller): Promise<number> {
  const path = `/api/v1/compaction/candidates?database=${DATABASE}`;
  return ((await callApi(admin, "GET", path)) as { count: number }).count;
}

async function activeJobs(admin: Caller): Promise<number> {
  const path = `/api/v1/compaction/jobs?database=${DATABASE}`;
  return ((await callApi(admin, "GET", path)) as { active_jobs: number }).active_jobs;
}

async function fileCount(admin: Caller): Promise<number> {
  const path = `/api/v1/databases/${DATABASE}/measurements`;
  const answer = (await callApi(admin, "GET", path)) as { measurements: { file_count: number }[] };
  return answer.measurements[0]!.file_count;
}

async function reportQueries(when: string, admin: Caller): Promise<void> {
  const day = START_MS + Math.floor(days / 2) * 24 * HOUR_MS;
  console.log(`\nqueries ${when}: first ms, median of ${WARM_ROUNDS} after it, files, MB read`);
  await reportWindow("an hour", day + 12 * HOUR_MS, HOUR_MS, admin);
  await reportWindow("six hours", day + 12 * HOUR_MS, 6 * HOUR_MS, admin);
  await reportWindow("a day", day, 24 * HOUR_MS, admin);
  await reportQuery("all: count(*)", `SELECT count(*) FROM ${MEASUREMENT}`, admin);
}

async function reportWindow(
  name: string,
  fromMs: number,
  lengthMs: number,
  admin: Caller,
): Promise<void> {
  const [from, to] = [fromMs, fromMs + lengthMs].map((ms) => new Date(ms).toISOString());
  const window = `time >= '${from}' AND time < '${to}'`;
  for (const [question, sql] of Object.entries(questions(window))) {
    await reportQuery(`${name}: ${question}`, sql, admin);
  }
}

/** The documents' aggregations, over one window of time. */
function questions(window: string): Record<string, string> {
  return {
    "events by type": `SELECT event_type, count(*), avg(duration_ms)
      FROM ${MEASUREMENT} WHERE ${window} GROUP BY event_type ORDER BY 2 DESC`,
    revenue: `SELECT date_trunc('hour', time) AS hour, count(*), sum(amount), avg(amount)
      FROM ${MEASUREMENT} WHERE event_type = 'billing_completed' AND success = true AND ${window}
      GROUP BY hour ORDER BY hour`,
    deployments: `SELECT date_trunc('hour', time) AS hour, count(*),
        sum(CASE WHEN success THEN 1 ELSE 0 END), max(duration_ms / 1000.0)
      FROM ${MEASUREMENT} WHERE event_type = 'deploy_completed' AND ${window}
      GROUP BY hour ORDER BY hour`,
    "failed authentications": `SELECT user_id, count(*) FROM ${MEASUREMENT}
      WHERE event_category = 'security' AND success = false AND ${window}
      GROUP BY user_id HAVING count(*) >= 2 ORDER BY 2 DESC, 1 LIMIT 100`,
  };
}

async function reportQuery(name: string, sql: string, admin: Caller): Promise<void> {
  const first = await timedQuery(sql, admin);
  if (first.error !== undefined) return console.log(`${name.padEnd(36)} refused: ${first.error}`);
  const warm: number[] = [];
  for (let i = 0; i < WARM_ROUNDS; i++) warm.push((await timedQuery(sql, admin)).ms);
  const { files_read, bytes_read, bytes_from_cache } = first.cost!;
  const megabytes = (bytes_read! + bytes_from_cache!) / 1e6;
  const figures = [first.ms, median(warm), files_read!, megabytes];
  console.log(name.padEnd(36), figures.map((value) => value.toFixed(2).padStart(12)).join(""));
}

interface Timed {
  readonly ms: number;
  readonly cost?: Record<string, number>;
  /** The code of a refusal. */
  readonly error?: string;
}

async function timedQuery(sql: string, { url, token }: Caller): Promise<Timed> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "x-arc-database": DATABASE,
    },
    body: JSON.stringify({ sql }),
  });
  const answer = (await response.json()) as { cost?: Record<string, number>; code?: string };
  const ms = performance.now() - startedMs;
  if (!response.ok) return { ms, error: answer.code ?? `${response.status}` };
  return { ms, cost: answer.cost! };
}
