// What this isolate tells of itself: counts, spans and log records, sent together to one object.
//
// The meter is plain data of the module, so Workers and Durable Objects of one isolate share it.
// Promises may not be shared so: a timer belongs to the request that set it. So the first request
// after a report stays behind for a second (`waitUntil`), and sends what all have counted.

import { LIMITS } from "#lib/base/limits.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import { Meter, type MetricReport } from "#lib/telemetry/meter.ts";
import * as metrics from "#lib/telemetry/metrics/runtime.ts";
import { type FinishedSpan, Tracer } from "#lib/telemetry/span.ts";
import { sleep } from "./clock.ts";

/** Of this isolate, whoever counts in it. */
export const meter = new Meter();

export interface TelemetryEnv {
  readonly TELEMETRY_HUB: { getByName(name: string): Hub };
}

export interface TimedTelemetryEnv extends TelemetryEnv {
  /** Counts are told this often while there are some. */
  readonly METRICS_EVERY_MS: string;
}

interface Hub {
  report(
    report: MetricReport,
    spans: readonly FinishedSpan[],
    logs: readonly LogRecord[],
  ): Promise<void>;
}

const isolate = {
  /** Random, and randomness is to be had only within a request. */
  source: "",
  spans: [] as FinishedSpan[],
  logs: [] as LogRecord[],
  sender: null as { readonly sinceMs: number } | null,
};

/** From then on another request takes over; one that stays behind has 30 s at most. */
const SENDER_AGE_MAX_MS = 10_000;
const SENDER_LIFE_MS = 25_000;
/** One may find a report of another under way, which it can only repeat. */
const NOW_TRIES_MAX = 2;

/**
 * `waitUntil` of Durable Objects: they live on by themselves, and what an alarm waits for would
 * hold the next alarm up.
 */
export function goOnInObject(work: Promise<unknown>): void {
  void work;
}

/** To be called at the end of whatever may have counted something. */
export function reportSoon(
  component: string,
  env: TimedTelemetryEnv,
  waitUntil: (work: Promise<unknown>) => void,
): void {
  if (!hasNews()) return;
  const nowMs = Date.now();
  if (isolate.sender !== null && nowMs - isolate.sender.sinceMs < SENDER_AGE_MAX_MS) return;
  const sender = { sinceMs: nowMs };
  isolate.sender = sender;
  waitUntil(sendWhileThereIsNews(sender, component, env));
}

async function sendWhileThereIsNews(
  sender: { readonly sinceMs: number },
  component: string,
  env: TimedTelemetryEnv,
): Promise<void> {
  while (isolate.sender === sender) {
    await sleep(Number(env.METRICS_EVERY_MS));
    await send(component, env);
    const isDone = !hasNews() || Date.now() - sender.sinceMs > SENDER_LIFE_MS;
    if (isDone && isolate.sender === sender) isolate.sender = null;
  }
}

/**
 * The same at once, for queue consumers: the platform gives them no further messages while
 * something of theirs is still under way, so nothing may stay behind there.
 */
export async function reportNow(component: string, env: TelemetryEnv): Promise<void> {
  for (let tries = 0; hasNews() && tries < NOW_TRIES_MAX; tries++) await send(component, env);
}

async function send(component: string, env: TelemetryEnv): Promise<void> {
  isolate.source ||= crypto.randomUUID();
  const report = meter.nextReport(isolate.source, component);
  const spans = isolate.spans.splice(0);
  const logs = isolate.logs.splice(0);
  try {
    await env.TELEMETRY_HUB.getByName("hub").report(report, spans, logs);
    meter.acknowledge(report.sequence);
  } catch {
    // The counts go out again under the same number. Spans and logs are samples, and are let go.
    meter.add(metrics.spansDropped, spans.length, "unreachable");
    meter.add(metrics.logsDropped, logs.length, "unreachable");
  }
}

function hasNews(): boolean {
  return meter.hasNews || isolate.spans.length > 0 || isolate.logs.length > 0;
}

/** For the hub: a record of level info or above, which is printed already. */
export function keepLog(record: LogRecord): void {
  meter.add(metrics.logs, 1, record.level);
  if (isolate.logs.length < LIMITS.logsPerReportMax) isolate.logs.push(record);
  else meter.add(metrics.logsDropped, 1, "full");
}

function keepSpan(span: FinishedSpan): void {
  meter.add(metrics.spansRecorded, 1);
  if (isolate.spans.length < LIMITS.spansPerReportMax) isolate.spans.push(span);
  else meter.add(metrics.spansDropped, 1, "full");
}

const TRACER_PORTS = {
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
  randomHex,
  random: Math.random,
  finish: keepSpan,
};

/** Spans of one component, as far as their traces are recorded. */
export function createTracer(component: string, sampleRatio: string): Tracer {
  return new Tracer(TRACER_PORTS, component, Number(sampleRatio));
}

/** Ids are needed for every request, recorded or not: the generator is asked for many at once. */
const RANDOM_BYTES = 1_024;
let randomDigits = "";

function randomHex(digits: number): string {
  if (randomDigits.length < digits) {
    const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
    randomDigits = Buffer.from(bytes).toString("hex");
  }
  const taken = randomDigits.slice(0, digits);
  randomDigits = randomDigits.slice(digits);
  return taken;
}
