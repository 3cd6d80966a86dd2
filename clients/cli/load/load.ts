// `sluice load`: a load test of any server that speaks Arc's write protocol.
//
// Makes the batches first (batches.ts), sends them at the rate asked for (open-loop.ts), reports
// (report.ts), and with --verify looks for every acknowledged row by SQL (verify.ts).

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { requestJson, type Connection } from "../../client/http.ts";
import { UsageError, type Arguments, type Command } from "../command.ts";
import { onInterrupt, startProgress } from "../terminal.ts";
import { makeBatches, type LoadBatch, type LoadKind } from "./batches.ts";
import { openConnections } from "./connection.ts";
import { startLoop } from "./open-loop.ts";
import {
  headerText,
  progressText,
  reportJson,
  reportText,
  type LoadResult,
  type LoadSettings,
} from "./report.ts";
import { countOutcome, newTally } from "./tally.ts";
import { verifyRows, type Verification } from "./verify.ts";

const KINDS = ["events", "logs", "traces", "metrics", "mixed"] as const;
const PROGRESS_EVERY_MS = 1_000;

export const loadCommand: Command = {
  name: "load",
  summary: "load test: realistic telemetry at a fixed rate, with latency percentiles",
  usage: "[OPTIONS]",
  about:
    "The loop is open: requests are sent when they are due, whatever the server does, and latency " +
    "counts from then. RPS are rows per second. Nothing is sent again. Ctrl-C ends the test " +
    "early, with its report.",
  options: {
    kind: { type: "string", value: "KIND", help: "events (default), logs, traces, metrics, mixed" },
    rps: { type: "string", value: "N", help: "rows per second to send (100,000)" },
    duration: { type: "string", value: "SECONDS", help: "how long (30)" },
    "batch-size": { type: "string", value: "N", help: "rows per request (10,000)" },
    workers: { type: "string", value: "N", help: "requests in flight at most (64)" },
    seed: { type: "string", value: "N", help: "same seed, same rows, but for their times (1)" },
    verify: {
      type: "boolean",
      help:
        "then compare counts and sums of what can be queried with what was acknowledged; rows " +
        "get the columns load_run and load_batch",
    },
    "verify-within": {
      type: "string",
      value: "SECONDS",
      help: "how long the rows may take to be found (0)",
    },
    json: { type: "boolean", help: "the report as JSON on standard output" },
  },
  examples: [
    ["sluice load --database events --rps 500000", "half a million events a second for 30 s"],
    [
      "sluice load --kind mixed --rps 1000000 --duration 60 --batch-size 20000 --workers 600",
      "all four pillars, at full speed for a minute",
    ],
    ["sluice load --rps 50000 --duration 10 --verify --json", "is every row there, for a script"],
  ],
  run: runLoad,
};

async function runLoad(args: Arguments): Promise<number> {
  args.atMost(0);
  const connection = args.connection();
  const settings = readSettings(args, connection);
  const verifyWithinMs = args.number("verify-within", 0, 0, 3_600) * 1_000;
  const runId = args.isSet("verify") ? `run-${randomUUID()}` : null;
  const isJson = args.isSet("json");
  const out = isJson ? process.stderr : process.stdout;

  const interrupted = new AbortController();
  const release = onInterrupt(() => interrupted.abort());
  const batches = await prepare(settings, runId, interrupted.signal);
  out.write(headerText(settings, batches.length));
  const result = await drive(settings, connection, batches, interrupted.signal);
  release();
  const verification =
    runId === null ? null : await verify(connection, runId, batches, result, verifyWithinMs);
  const whole: LoadResult = { ...result, verification };
  out.write(`\n${reportText(whole)}`);
  if (isJson) process.stdout.write(`${reportJson(whole)}\n`);
  const isWrong = verification !== null && verification.differences.length > 0;
  return isWrong || whole.tally.requestsAcknowledged === 0 ? 1 : 0;
}

function readSettings(args: Arguments, { url, database }: Connection): LoadSettings {
  const rowsPerBatch = args.number("batch-size", 10_000, 1, 1_000_000);
  if (!Number.isInteger(rowsPerBatch)) throw new UsageError("--batch-size must be a whole number");
  return {
    kind: args.oneOf<LoadKind>("kind", KINDS) ?? "events",
    url,
    database,
    rowsPerSecond: args.number("rps", 100_000, 0.001, 1e9),
    durationMs: args.number("duration", 30, 0.1, 86_400) * 1_000,
    rowsPerBatch,
    workers: Math.ceil(args.number("workers", 64, 1, 10_000)),
    seed: Math.floor(args.number("seed", 1, 0, 2 ** 31)),
  };
}

async function prepare(
  settings: LoadSettings,
  runId: string | null,
  signal: AbortSignal,
): Promise<LoadBatch[]> {
  const { kind, seed, rowsPerBatch, rowsPerSecond, durationMs } = settings;
  const sliceMs = (rowsPerBatch / rowsPerSecond) * 1_000;
  const plan = {
    kind,
    seed,
    rowsPerBatch,
    requestCount: Math.max(1, Math.round(durationMs / sliceMs)),
    startMs: Date.now(),
    sliceMs,
    runId,
  };
  const progress = startProgress();
  const batches = await makeBatches(plan, (share) => {
    signal.throwIfAborted();
    progress.update(`making batches: ${Math.round(share * 100)} %`);
  });
  progress.end();
  return batches;
}

async function drive(
  settings: LoadSettings,
  connection: Connection,
  batches: readonly LoadBatch[],
  signal: AbortSignal,
): Promise<LoadResult> {
  const { rowsPerSecond, rowsPerBatch, durationMs, workers } = settings;
  const plan = {
    requestsPerSecond: rowsPerSecond / rowsPerBatch,
    durationMs,
    inFlightMax: workers,
  };
  const connections = openConnections(connection, workers);
  const keyPrefix = `load-${randomUUID()}`;
  const tally = newTally(batches.length);
  const startedMs = performance.now();
  const loop = startLoop(
    plan,
    (index) => connections.send(batches[index % batches.length]!.body, `${keyPrefix}-${index}`),
    (index, outcome) => {
      const batchIndex = index % batches.length;
      countOutcome(tally, batchIndex, batches[batchIndex]!, outcome);
    },
  );
  signal.addEventListener("abort", loop.stop);
  if (signal.aborted) loop.stop();
  const progress = startProgress();
  const timer = setInterval(
    () => progress.update(progressText(settings.kind, loop.state, tally)),
    PROGRESS_EVERY_MS,
  );
  await loop.ended;
  // The last request has its slot of the timetable, even if it was answered at once.
  const slotsMs = (loop.state.begunCount / plan.requestsPerSecond) * 1_000;
  const elapsedMs = Math.max(performance.now() - startedMs, slotsMs);
  clearInterval(timer);
  progress.end();
  connections.close();
  const { latencies, dueCount, begunCount } = loop.state;
  return {
    settings,
    batchCount: batches.length,
    elapsedMs,
    tally,
    latencies,
    requestsNotBegun: dueCount - begunCount,
    verification: null,
  };
}

/** Asks again until the rows are as they should be, or the time allowed is over. */
async function verify(
  connection: Connection,
  runId: string,
  batches: readonly LoadBatch[],
  { tally }: LoadResult,
  withinMs: number,
): Promise<Verification> {
  const runSql = async (sql: string) => {
    const answer = await requestJson<{ data: unknown[][] }>(connection, "/api/v1/query", {
      method: "POST",
      json: { sql },
    });
    return answer.data;
  };
  const startedMs = performance.now();
  for (;;) {
    const verification = await verifyRows(runSql, runId, batches, tally.batches);
    const isOver = performance.now() - startedMs >= withinMs;
    if (verification.differences.length === 0 || isOver) return verification;
    await sleep(1_000);
  }
}
