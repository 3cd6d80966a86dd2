// `cpu_metrics`: what the state was. One reading per host at even intervals.

import type { Measurement } from "./measurement.ts";
import { HOSTS } from "./fleet.ts";
import { Random } from "./random.ts";
import { pressureAt, type Timeline } from "./timeline.ts";

/** From `startMs` to the end of the timeline. */
export function generateCpuMetrics(
  seed: number,
  timeline: Timeline,
  startMs: number,
  count: number,
): Measurement {
  const random = new Random(seed, "cpu_metrics");
  const deployments = timeline.deployments.filter((deployment) => deployment.startMs >= startMs);
  const intervalMs = ((timeline.endMs - startMs) / count) * HOSTS.length;
  const levels = HOSTS.map(() => random.integer(22, 46));

  const readings = Array.from({ length: count }, (_, i) => {
    const host = HOSTS[i % HOSTS.length]!;
    const timeMs = Math.floor(startMs + Math.floor(i / HOSTS.length) * intervalMs);
    const pressure = pressureAt(deployments, host.service, timeMs);
    const level = levels[i % HOSTS.length]!;
    const noise = random.fraction() * 10 - 5;
    const value = level + (94 - level) * Math.min(1, pressure * 1.5) + noise;
    return { host, timeMs, value: Math.round(value * 100) / 100 };
  });

  return {
    name: "cpu_metrics",
    rowCount: count,
    columns: {
      time: readings.map((reading) => reading.timeMs),
      host: readings.map((reading) => reading.host.name),
      service: readings.map((reading) => reading.host.service),
      environment: readings.map(() => "production"),
      value: Float64Array.from(readings, (reading) => reading.value),
    },
  };
}
