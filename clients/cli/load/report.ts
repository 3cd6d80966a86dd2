// What a load test says: the block before it, a line while it runs, the report after it.

import type { LoadKind } from "./batches.ts";
import type { LatencyHistogram } from "./histogram.ts";
import type { LoopState } from "./open-loop.ts";
import type { Tally } from "./tally.ts";
import type { Verification } from "./verify.ts";

export interface LoadSettings {
  readonly kind: LoadKind;
  readonly url: string;
  readonly database: string;
  readonly rowsPerSecond: number;
  readonly durationMs: number;
  readonly rowsPerBatch: number;
  readonly workers: number;
  readonly seed: number;
}

export interface LoadResult {
  readonly settings: LoadSettings;
  readonly batchCount: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  readonly tally: Tally;
  readonly latencies: LatencyHistogram;
  /** Were due, and had not begun when the time was over. */
  readonly requestsNotBegun: number;
  readonly verification: Verification | null;
}

const RULE = "=".repeat(80);
const LABEL_WIDTH = 17;

const ROW_NOUNS: Record<LoadKind, string> = {
  events: "events",
  logs: "logs",
  traces: "spans",
  metrics: "points",
  mixed: "rows",
};

const CONTENTS: Record<LoadKind, [string, string]> = {
  events: ["Event Types", "Infrastructure, Business, Security, Application"],
  logs: ["Log Lines", "Of traced requests, with level, host, trace and span"],
  traces: ["Spans", "Of requests through eight services"],
  metrics: ["Metrics", "CPU of 16 hosts"],
  mixed: ["Contents", "Events, logs, traces and metrics in turn"],
};

const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

export function headerText(settings: LoadSettings, batchCount: number): string {
  const { kind, rowsPerSecond, rowsPerBatch, durationMs, database, workers, url } = settings;
  const noun = ROW_NOUNS[kind];
  return block("Sluice Load Test - MessagePack Columnar Format", [
    ["Target RPS", `${grouped(rowsPerSecond)} ${noun}/sec`],
    ["Batch Size", `${grouped(rowsPerBatch)} ${noun}/batch`],
    ["Duration", `${durationMs / 1_000}s`],
    ["Database", database],
    CONTENTS[kind],
    ["Pre-generated", `${batchCount} batches in memory`],
    ["Protocol", "MessagePack columnar, gzip"],
    ["Workers", `${workers} requests in flight at most`],
    ["URL", `${url}/api/v1/write/msgpack`],
  ]);
}

export function progressText(kind: LoadKind, state: LoopState, tally: Tally): string {
  const rate = (tally.rowsAcknowledged / Math.max(1, state.elapsedMs)) * 1_000;
  return [
    `${(state.elapsedMs / 1_000).toFixed(0)} s`,
    `${grouped(tally.rowsAcknowledged)} ${ROW_NOUNS[kind]}`,
    `${grouped(Math.round(rate))}/s`,
    `${state.inFlight} in flight`,
    `${state.dueCount - state.begunCount} waiting`,
    `${tally.requestsFailed} errors`,
    `p50 ${milliseconds(state.latencies.percentileMs(0.5), 1)} ms`,
    `p99 ${milliseconds(state.latencies.percentileMs(0.99), 1)} ms`,
  ].join("  ");
}

export function reportText(result: LoadResult): string {
  const { settings, tally, latencies, requestsNotBegun, verification } = result;
  const noun = ROW_NOUNS[settings.kind];
  const figures = figuresOf(result);
  const lines: [string, string][] = [
    ["Duration", `${figures.duration_s.toFixed(1)}s`],
    ["Total Sent", `${grouped(tally.rowsAcknowledged)} ${noun}`],
    ["Total Errors", errorsText(tally)],
    ["Success Rate", `${figures.success_rate_percent.toFixed(2)}%`],
    ["Actual RPS", `${grouped(Math.round(figures.actual_rps))} ${noun}/sec`],
    ["Target RPS", `${grouped(settings.rowsPerSecond)} ${noun}/sec`],
    ["Achievement", `${figures.achievement_percent.toFixed(1)}%`],
  ];
  if (requestsNotBegun > 0) {
    lines.push(["Not Sent", `${grouped(requestsNotBegun)} requests that were due at the end`]);
  }
  if (tally.backPressureCount > 0) {
    const longest = `up to ${tally.retryAfterMsMax / 1_000} s`;
    lines.push(["Back-pressure", `${grouped(tally.backPressureCount)} answers to wait ${longest}`]);
  }
  if (verification !== null) lines.push(["Verified", verificationText(verification, noun)]);
  const percentiles = Object.entries(PERCENTILES).map(
    ([name, fraction]) =>
      `  ${`${name}:`.padEnd(6)}${milliseconds(latencies.percentileMs(fraction), 2)}`,
  );
  const failures = verification?.differences.map((difference) => `  ${difference}`) ?? [];
  return block("Test Complete", lines, [
    ...(failures.length > 0 ? ["", "Differences:", ...failures] : []),
    "",
    "Latency Percentiles (ms):",
    ...percentiles,
  ]);
}

/** The same for machines. */
export function reportJson(result: LoadResult): string {
  const { settings, tally, batchCount, requestsNotBegun, verification, latencies } = result;
  const percentiles = Object.entries(PERCENTILES).map(([name, fraction]) => [
    name,
    latencies.percentileMs(fraction),
  ]);
  return JSON.stringify({
    kind: settings.kind,
    url: settings.url,
    database: settings.database,
    batch_size: settings.rowsPerBatch,
    batches: batchCount,
    workers: settings.workers,
    seed: settings.seed,
    ...figuresOf(result),
    total_sent: tally.rowsAcknowledged,
    bytes_sent: tally.bytesAcknowledged,
    requests_acknowledged: tally.requestsAcknowledged,
    total_errors: tally.requestsFailed,
    errors: Object.fromEntries(tally.errors),
    requests_not_sent: requestsNotBegun,
    back_pressure: { answers: tally.backPressureCount, retry_after_ms_max: tally.retryAfterMsMax },
    latency_ms: Object.fromEntries(percentiles) as unknown,
    verification: verification && {
      rows_acknowledged: verification.rowsAcknowledged,
      rows_found: verification.rowsFound,
      differences: verification.differences,
    },
  });
}

function figuresOf({ settings, elapsedMs, tally }: LoadResult) {
  const requests = tally.requestsAcknowledged + tally.requestsFailed;
  const rate = tally.rowsAcknowledged / (elapsedMs / 1_000);
  return {
    duration_s: elapsedMs / 1_000,
    target_rps: settings.rowsPerSecond,
    actual_rps: rate,
    achievement_percent: (rate / settings.rowsPerSecond) * 100,
    success_rate_percent: requests === 0 ? 0 : (tally.requestsAcknowledged / requests) * 100,
  };
}

function errorsText({ requestsFailed, errors }: Tally): string {
  if (requestsFailed === 0) return "0";
  const kinds = [...errors].map(([kind, count]) => `${kind} × ${grouped(count)}`);
  return `${grouped(requestsFailed)} requests (${kinds.join(", ")})`;
}

function verificationText(verification: Verification, noun: string): string {
  const { rowsFound, rowsAcknowledged, differences } = verification;
  const found = `${grouped(rowsFound)} of ${grouped(rowsAcknowledged)} acknowledged ${noun} found`;
  return differences.length === 0 ? `yes, ${found}, all sums agree` : `NO, ${found}`;
}

function block(title: string, lines: readonly [string, string][], tail: readonly string[] = []) {
  const labelled = lines.map(([label, value]) => `${`${label}:`.padEnd(LABEL_WIDTH)}${value}`);
  return [RULE, title, RULE, ...labelled, ...tail, RULE, ""].join("\n");
}

function milliseconds(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
