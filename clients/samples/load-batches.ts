// Batches for load: realistic rows of the four pillars, no two batches alike, made one by one.
//
// Unlike generate.ts there is no story that the pillars share: each batch stands for the few
// milliseconds that its rows take at the rate of the test, and is a pure function of seed, number
// and times. A fifth of the batches fall into a deployment, so that errors and slow requests come.

import type { Measurement } from "./measurement.ts";
import { generateMixedEvents } from "./events.ts";
import { SERVICES } from "./fleet.ts";
import { generateLogs } from "./logs.ts";
import { generateCpuMetrics } from "./metrics.ts";
import { Random } from "./random.ts";
import { MINUTE_MS, type Timeline } from "./timeline.ts";
import { generateSpans, spansToMeasurement } from "./traces.ts";

export const PILLARS = ["events", "logs", "traces", "metrics"] as const;

export type Pillar = (typeof PILLARS)[number];

/** What a batch of load is: its number in the run and the times that its rows lie between. */
export interface LoadSlice {
  readonly seed: number;
  readonly index: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly rowCount: number;
}

/**
 * One batch, in order of time. Children of a span of the last millisecond may lie behind the end.
 */
export function generateLoadBatch(pillar: Pillar, slice: LoadSlice): Measurement {
  const { startMs, endMs, rowCount } = slice;
  // Not seed + index: batch 1 of one seed would be batch 0 of the next.
  const seed = (slice.seed + Math.imul(slice.index, 0x9e3779b1)) | 0;
  switch (pillar) {
    case "events":
      return generateMixedEvents(new Random(seed, "events"), startMs, endMs, rowCount);
    case "metrics":
      return generateCpuMetrics(seed, planSlice(seed, slice), startMs, rowCount);
    case "traces":
      return spansToMeasurement(generateSpans(seed, planSlice(seed, slice), startMs, rowCount));
    case "logs": {
      const spans = generateSpans(seed, planSlice(seed, slice), startMs, rowCount);
      return generateLogs(seed, spans, rowCount);
    }
  }
}

function planSlice(seed: number, { startMs, endMs }: LoadSlice): Timeline {
  const random = new Random(seed, "slice");
  const isUnderPressure = random.chance(0.2);
  const deployment = {
    id: `deployment-${random.hex(6)}`,
    service: random.pick(SERVICES),
    version: "v1.0.0",
    replicas: 3,
    startMs,
    durationMs: endMs - startMs + MINUTE_MS,
    isBad: random.chance(0.3),
  };
  return { startMs, endMs, deployments: isUnderPressure ? [deployment] : [], attacks: [] };
}
