import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { checksOf, type Probes, worst } from "#lib/telemetry/health.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import type { Metric } from "#lib/telemetry/metric.ts";
import { MetricView } from "#lib/telemetry/metric-view.ts";
import * as buffer from "#lib/telemetry/metrics/buffer.ts";
import * as catalog from "#lib/telemetry/metrics/catalog.ts";
import * as upkeep from "#lib/telemetry/metrics/upkeep.ts";

const WELL: Probes = {
  directory: null,
  lake: null,
  queries: null,
  telemetry: null,
  silentBuffers: 0,
  silentCatalogs: 0,
};

function family(metric: Metric, value: number, ...labels: string[]): FamilyValues {
  return { metric, series: [{ labels, value }] };
}

/** Counters had been 1 ten minutes before. */
function viewOf(families: readonly FamilyValues[]): MetricView {
  const counters = [buffer.hintsFailed, buffer.hintsRepeated, catalog.gcFailures];
  const series = Object.fromEntries(counters.map(({ name }) => [name, [{ labels: [], value: 1 }]]));
  const sample = { fromMs: 0, atMs: 0, series };
  return new MetricView(families, [sample], 600_000, 600_000);
}

const FULL = LIMITS.bufferSoftBytesMax;

describe("the health of a system", () => {
  test("that has nothing to complain of is ok, in every part", () => {
    const checks = checksOf(viewOf([family(buffer.hintsFailed, 1)]), WELL);
    expect(worst(checks)).toBe("ok");
    expect(new Set(Object.values(checks).map(({ reason }) => reason))).toEqual(new Set([null]));
  });

  test.each([
    ["a quarantined segment", "buffers", family(buffer.segments, 1, "a", "quarantined")],
    ["rows that wait for long", "buffers", family(buffer.oldestSeconds, 301, "a")],
    ["a buffer that fills up", "buffers", family(buffer.bytes, 0.9 * FULL, "a")],
    ["a hint that a queue did not take", "queue", family(buffer.hintsFailed, 2)],
    ["a hint that was lost", "queue", family(buffer.hintsRepeated, 3)],
    ["garbage that stays", "upkeep", family(catalog.gcFailures, 2)],
    ["a job that nobody does", "upkeep", family(upkeep.oldestJobSeconds, 3_601, "a")],
  ] as const)("with %s is degraded, and says why", (_, part, told) => {
    const checks = checksOf(viewOf([told]), WELL);
    expect(worst(checks)).toBe("degraded");
    expect(checks[part]).toEqual({ status: "degraded", reason: expect.stringMatching(/\w/) });
  });

  test.each(["lake", "queries", "telemetry"] as const)("without its %s is degraded", (part) => {
    const checks = checksOf(null, { ...WELL, [part]: "no answer in 2000 ms" });
    expect(worst(checks)).toBe("degraded");
    expect(checks[part].reason).toBe("no answer in 2000 ms");
  });

  test.each([
    ["its directory is away", { ...WELL, directory: "down" }],
    ["a buffer does not answer", { ...WELL, silentBuffers: 1 }],
    ["a catalog does not answer", { ...WELL, silentCatalogs: 2 }],
  ] as const)("is unhealthy when %s: writes cannot be stored", (_, probes) => {
    expect(worst(checksOf(viewOf([]), probes))).toBe("unhealthy");
  });

  test("is unhealthy when a buffer is full", () => {
    expect(worst(checksOf(viewOf([family(buffer.bytes, FULL, "a")]), WELL))).toBe("unhealthy");
  });
});
