// What this isolate tells of itself: counts, spans and log records, sent together to one object.
//
// The meter is plain data of the module, so Workers and Durable Objects of one isolate share it.
// Promises may not be shared so: a timer belongs to the request that set it. So the first request
// after a report stays behind for a second (`waitUntil`), and sends what all have counted.

import { LIMITS } from "#lib/base/limits.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import { Meter, type MetricReport } from "#lib/telemetry/meter.ts";
import { type FinishedSpan, Tracer } from "#lib/telemetry/span.ts";
import { sleep } from "./clock.ts";

/** Of this isolate, whoever counts in it. */
export const meter = new Meter();

export interface TelemetryEnv {
  readonly TELEMETRY_HUB: { getByName(name: string): Hub };
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
  spansDropped: 0,
  logsDropped: 0,
  sender: null as { readonly sinceMs: number } | null,
};

/** From then on another request takes over; one that stays behind has 30 s at most. */
const SENDER_AGE_MAX_MS = 10_000;
const SENDER_LIFE_MS = 25_000;

/** To be called at the end of whatever may have counted something. */
export function reportSoon(
  component: string,
  env: TelemetryEnv,
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
  env: TelemetryEnv,
): Promise<void> {
  while (isolate.sender === sender) {
    await sleep(Number(env.METRICS_EVERY_MS));
    await send(component, env);
    const isDone = !hasNews() || Date.now() - sender.sinceMs > SENDER_LIFE_MS;
    if (isDone && isolate.sender === sender) isolate.sender = null;
  }
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
    isolate.spansDropped += spans.length;
    isolate.logsDropped += logs.length;
  }
}

function hasNews(): boolean {
  return meter.hasNews || isolate.spans.length > 0 || isolate.logs.length > 0;
}

export function keepLog(record: LogRecord): void {
  if (isolate.logs.length < LIMITS.logsPerReportMax) isolate.logs.push(record);
  else isolate.logsDropped++;
}

function keepSpan(span: FinishedSpan): void {
  if (isolate.spans.length < LIMITS.spansPerReportMax) isolate.spans.push(span);
  else isolate.spansDropped++;
}

/** Spans of one component, as far as their traces are recorded. */
export function createTracer(component: string, sampleRatio: string): Tracer {
  const ports = {
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
    randomHex,
    random: Math.random,
    finish: keepSpan,
  };
  return new Tracer(ports, component, Number(sampleRatio));
}

function randomHex(digits: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(digits / 2))).toString("hex");
}
