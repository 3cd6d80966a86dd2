// The shell of a meter: whatever an isolate has counted is told by somebody, so an isolate that is
// evicted when nothing of it is under way takes nothing with it.

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import { TelemetryHubCore } from "#lib/telemetry/hub.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import { meter, reportSoon } from "#platform/telemetry.ts";
import { ManualClock, MemorySqlStore } from "../helpers/memory-world.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../helpers/property.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** `fates` of the reports in their order; when there are no more, all arrive. */
function newWorld(fates: readonly string[]) {
  const hub = new TelemetryHubCore({ store: new MemorySqlStore(), clock: new ManualClock() });
  let told = 0;
  const report = async (one: MetricReport) => {
    const fate = fates[told++] ?? "arrives";
    if (fate !== "is lost") hub.report(structuredClone(one));
    if (fate !== "arrives") throw new Error("the connection broke");
  };
  const env = { TELEMETRY_HUB: { getByName: () => ({ report }) }, METRICS_EVERY_MS: "1000" };
  const rows = () => {
    const { name } = ingest.rowsAccepted;
    const { series } = hub.families().find(({ metric }) => metric.name === name)!;
    return series.reduce((sum, { value }) => sum + (value as number), 0);
  };
  return { env, rows };
}

test(
  "when nothing is under way any more, all that was counted is told, once",
  async () => {
    const request = fc.record({ rows: fc.integer({ min: 1, max: 9 }), waitMs: fc.nat(15_000) });
    const fate = fc.constantFrom("arrives", "is lost", "arrives unacknowledged");
    const work = async (requests: readonly { rows: number; waitMs: number }[], fates: string[]) => {
      const { env, rows } = newWorld(fates);
      const underWay = new Set<Promise<unknown>>();
      let counted = 0;
      for (const { rows: rowCount, waitMs } of requests) {
        meter.add(ingest.rowsAccepted, rowCount, "default", "cpu");
        counted += rowCount;
        reportSoon("front-door", env, (one) => {
          underWay.add(one);
          void one.then(() => underWay.delete(one));
        });
        await vi.advanceTimersByTimeAsync(waitMs);
      }
      while (underWay.size > 0) await vi.advanceTimersByTimeAsync(1_000);
      expect(rows()).toBe(counted);
      expect(meter.hasNews).toBe(false);
    };
    // Fewer failures than a sender lives for: else the counts wait for the next request.
    const story = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 12 }),
      fc.array(fate, { maxLength: 10 }),
      work,
    );
    await fc.assert(story, propertyRuns(100));
  },
  PROPERTY_TIMEOUT_MS,
);

test("a hub that is away for long makes the next request's sender tell all", async () => {
  const { env, rows } = newWorld(Array.from({ length: 40 }, () => "is lost"));
  const waits: Promise<unknown>[] = [];
  meter.add(ingest.rowsAccepted, 3, "default", "cpu");
  reportSoon("front-door", env, (one) => void waits.push(one));
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(waits);
  expect([waits.length, rows(), meter.hasNews]).toEqual([1, 0, true]);
  for (let i = 0; i < 3 && meter.hasNews; i++) {
    meter.add(ingest.rowsAccepted, 1, "default", "cpu");
    reportSoon("front-door", env, (one) => void waits.push(one));
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect([rows() >= 4, meter.hasNews]).toEqual([true, false]);
});
