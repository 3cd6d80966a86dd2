import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { TelemetryHubCore } from "#lib/telemetry/hub.ts";
import { Meter } from "#lib/telemetry/meter.ts";
import { MetricView } from "#lib/telemetry/metric-view.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import * as query from "#lib/telemetry/metrics/query.ts";
import { timelineOf } from "#lib/telemetry/stats.ts";
import { ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { propertyRuns } from "../../helpers/property.ts";

const STEP_MS = LIMITS.metricSampleEveryMs;

function newHub(store = new MemorySqlStore(), clock = new ManualClock()) {
  return { hub: new TelemetryHubCore({ store, clock }), store, clock };
}

function viewOf(hub: TelemetryHubCore, nowMs: number, windowMs: number): MetricView {
  return new MetricView(hub.families(), hub.samples(nowMs - windowMs), nowMs, windowMs);
}

describe("rates", () => {
  test("are those of the window, not of the time before it", () => {
    const { hub, clock } = newHub();
    const meter = new Meter();
    for (let second = 0; second < 120; second++) {
      meter.add(ingest.rowsAccepted, second < 60 ? 1_000 : 10, "a", "m");
      hub.report(meter.nextReport("s", "front-door"));
      meter.acknowledge(second + 1);
      clock.advance(1_000);
    }
    const view = viewOf(hub, clock.nowMs(), 60_000);
    expect(view.windowSeconds).toBeCloseTo(60, 0);
    expect(view.perSecond(ingest.rowsAccepted)).toBeCloseTo(10, 0);
    expect(view.perSecond(ingest.rowsAccepted, { measurement: "other" })).toBe(0);
  });

  test("fall to nothing when nobody reports any more", () => {
    const { hub, clock } = newHub();
    const meter = new Meter();
    for (let report = 1; report <= 3; report++) {
      meter.add(ingest.rowsAccepted, 500, "a", "m");
      hub.report(meter.nextReport("s", "front-door"));
      meter.acknowledge(report);
      clock.advance(STEP_MS);
    }
    clock.advance(120_000);
    meter.add(http.requests, 1, "/health", "GET", "200");
    hub.report(meter.nextReport("s", "front-door"));
    expect(viewOf(hub, clock.nowMs(), 60_000).perSecond(ingest.rowsAccepted)).toBe(0);
  });

  test("cannot be told before there is anything to compare with", () => {
    const { hub, clock } = newHub();
    const view = viewOf(hub, clock.nowMs(), 60_000);
    expect(view.windowSeconds).toBeNull();
    expect(view.perSecond(ingest.rowsAccepted)).toBeNull();
  });

  test("survive that the object which keeps them comes and goes", () => {
    const { hub, store, clock } = newHub();
    const meter = new Meter();
    for (let report = 1; report <= 2; report++) {
      meter.add(ingest.rowsAccepted, 100, "a", "m");
      hub.report(meter.nextReport("s", "front-door"));
      meter.acknowledge(report);
      clock.advance(STEP_MS);
    }
    const again = newHub(store, clock).hub;
    const rate = viewOf(hub, clock.nowMs(), 60_000).perSecond(ingest.rowsAccepted);
    expect(rate).toBeGreaterThan(0);
    expect(viewOf(again, clock.nowMs(), 60_000).perSecond(ingest.rowsAccepted)).toBe(rate);
  });
});

describe("the history", () => {
  test("is an hour long, whatever is reported", () => {
    const { hub, clock } = newHub();
    const meter = new Meter();
    const steps = 2 * (LIMITS.metricHistoryMs / STEP_MS);
    for (let step = 1; step <= steps; step++) {
      meter.add(ingest.rowsAccepted, 1, "a", "m");
      hub.report(meter.nextReport("s", "front-door"));
      meter.acknowledge(step);
      clock.advance(STEP_MS);
    }
    const samples = hub.samples(0);
    expect(samples.length).toBeLessThanOrEqual(LIMITS.metricHistoryMs / STEP_MS + 1);
    expect(samples[0]!.atMs).toBeGreaterThanOrEqual(
      clock.nowMs() - LIMITS.metricHistoryMs - 2 * STEP_MS,
    );
  });

  test("keeps the largest series of a metric, and no more than its share", () => {
    const { hub, clock } = newHub();
    const meter = new Meter();
    const count = LIMITS.metricSampleSeriesMax + 20;
    for (let at = 0; at < count; at++) meter.add(ingest.rowsAccepted, at + 1, "a", `m${at}`);
    hub.report(meter.nextReport("s", "front-door"));
    meter.acknowledge(1);
    clock.advance(STEP_MS);
    meter.add(http.requests, 1, "/health", "GET", "200");
    hub.report(meter.nextReport("s", "front-door"));
    const series = hub.samples(0).at(-1)!.series[ingest.rowsAccepted.name]!;
    expect(series).toHaveLength(LIMITS.metricSampleSeriesMax);
    expect(series[0]).toEqual({ labels: ["a", `m${count - 1}`], value: count });
  });

  test("as points: what all of them count together is what was counted in between", () => {
    const counts = fc.array(fc.nat(1_000), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(counts, (rows) => {
        const { hub, clock } = newHub();
        const meter = new Meter();
        for (const [at, count] of rows.entries()) {
          meter.add(ingest.rowsAccepted, count, "a", "m");
          hub.report(meter.nextReport("s", "front-door"));
          meter.acknowledge(at + 1);
          clock.advance(STEP_MS);
        }
        const points = timelineOf(hub.samples(0));
        const told = points.map(({ values }) => (values["rows_per_sec"]! * STEP_MS) / 1_000);
        // The first sample is of the time before the first report, the last report is not in yet.
        const counted = rows.slice(0, -1);
        const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
        expect(sum(told)).toBeCloseTo(sum(counted), 6);
      }),
      propertyRuns(100),
    );
  });
});

describe("quantiles", () => {
  test("are those of what happened within the window", () => {
    const { hub, clock } = newHub();
    const meter = new Meter();
    for (let at = 0; at < 100; at++) meter.observe(query.seconds, 20, "sql");
    hub.report(meter.nextReport("s", "query"));
    meter.acknowledge(1);
    clock.advance(60_000);
    for (let at = 0; at < 100; at++) meter.observe(query.seconds, 0.004, "sql");
    hub.report(meter.nextReport("s", "query"));
    const view = viewOf(hub, clock.nowMs(), 60_000);
    const median = view.quantile(query.seconds, 0.5, { kind: "sql" })!;
    expect(median).toBeGreaterThan(0.0025);
    expect(median).toBeLessThanOrEqual(0.005);
    expect(view.quantile(query.seconds, 0.5, { kind: "match" })).toBeNull();
  });
});
