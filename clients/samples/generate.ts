// Sample telemetry in which events explain metrics, logs and traces.
//
// A pure function of seed, time and counts: the same arguments give the same rows everywhere.
// timeline.ts holds the common cause; events.ts, metrics.ts, traces.ts and logs.ts tell what each
// pillar saw of it. Telemetry for load, without a common cause: load-batches.ts.

import type { Measurement } from "./measurement.ts";
import { generateEvents } from "./events.ts";
import { generateLogs } from "./logs.ts";
import { generateCpuMetrics } from "./metrics.ts";
import { DAY_MS, planTimeline } from "./timeline.ts";
import { generateSpans, spansToMeasurement } from "./traces.ts";

export interface TelemetryCounts {
  readonly events: number;
  readonly metrics: number;
  readonly logs: number;
  readonly traces: number;
}

/**
 * Events over the 30 days before `baseTimeMs`, the other three over the last day, each in order
 * of time and with exactly as many rows as asked for. No row is later than `baseTimeMs`, but spans
 * called by a request of the last second may be. Some events lie on 2025-10-28, in an outage.
 */
export function generateTelemetry(
  seed: number,
  baseTimeMs: number,
  counts: TelemetryCounts,
): Measurement[] {
  const timeline = planTimeline(seed, baseTimeMs);
  const lastDayMs = baseTimeMs - DAY_MS;
  const spans = generateSpans(seed, timeline, lastDayMs, counts.traces);
  return [
    generateEvents(seed, timeline, counts.events),
    generateCpuMetrics(seed, timeline, lastDayMs, counts.metrics),
    generateLogs(seed, spans, counts.logs),
    spansToMeasurement(spans),
  ];
}
