import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { TelemetryHubCore } from "#lib/telemetry/hub.ts";
import { type MetricReport, Meter } from "#lib/telemetry/meter.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import { ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";

function newHub(store = new MemorySqlStore(), clock = new ManualClock()) {
  return { hub: new TelemetryHubCore({ store, clock }), store, clock };
}

/** Of a counter in all its series, and of a histogram the number of values. */
function totalOf(hub: TelemetryHubCore, name: string): number {
  const { series } = hub.families().find(({ metric }) => metric.name === name)!;
  const sizes = series.map(({ value }) =>
    typeof value === "number" ? value : value.counts.reduce((sum, count) => sum + count, 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function seriesOf(hub: TelemetryHubCore, name: string) {
  return hub.families().find(({ metric }) => metric.name === name)!.series;
}

describe("the counts of many isolates", () => {
  test("are added up by their labels", () => {
    const { hub } = newHub();
    for (const source of ["a", "b"]) {
      const meter = new Meter();
      meter.add(ingest.rowsAccepted, 10, "default", "cpu");
      meter.add(ingest.rowsAccepted, 1, "default", "mem");
      hub.report(meter.nextReport(source, "ingest"));
    }
    expect(seriesOf(hub, "sluice_ingest_rows_accepted_total")).toEqual([
      { labels: ["default", "cpu"], value: 20 },
      { labels: ["default", "mem"], value: 2 },
    ]);
  });

  test("fall into the bucket whose bound they do not pass", () => {
    const { hub } = newHub();
    const meter = new Meter();
    for (const rows of [1, 2, 10, 1e9]) meter.observe(ingest.batchRows, rows);
    hub.report(meter.nextReport("a", "ingest"));
    const [series] = seriesOf(hub, "sluice_ingest_batch_rows");
    expect(series!.value).toEqual({ counts: [1, 2, 0, 0, 0, 0, 0, 1], sum: 1e9 + 13 });
  });

  test("past the cap are counted together, and the sum stays right", () => {
    const { hub } = newHub();
    const meter = new Meter();
    const names = Array.from({ length: LIMITS.metricSeriesMax + 50 }, (_, i) => `m${i}`);
    for (const name of names) meter.add(ingest.rowsRejected, 1, "default", name, "time_missing");
    hub.report(meter.nextReport("a", "ingest"));
    const series = seriesOf(hub, "sluice_ingest_rows_rejected_total");
    expect(series).toHaveLength(LIMITS.metricSeriesMax + 1);
    expect(series.at(-1)).toEqual({ labels: ["_other", "_other", "time_missing"], value: 50 });
  });

  test("of gauges are summed over the isolates that still speak", () => {
    const { hub, clock } = newHub();
    for (const source of ["a", "b"]) {
      const meter = new Meter();
      meter.set(http.active, 3);
      meter.add(http.requestBytes, 1, "/x");
      hub.report(meter.nextReport(source, "ingest"));
      clock.advance(100_000);
    }
    expect(seriesOf(hub, "sluice_http_requests_active")).toEqual([{ labels: [], value: 3 }]);
    expect(seriesOf(hub, "sluice_isolates")).toEqual([{ labels: ["ingest"], value: 1 }]);
    expect(seriesOf(hub, "sluice_isolate_starts_total")).toEqual([
      { labels: ["ingest"], value: 2 },
    ]);
    expect(seriesOf(hub, "sluice_telemetry_reports_total")).toEqual([{ labels: [], value: 2 }]);
    expect(seriesOf(hub, "sluice_uptime_seconds")).toEqual([{ labels: [], value: 200 }]);
  });

  test("that cannot be stored are not shown, and come again", () => {
    const { hub, store } = newHub();
    const meter = new Meter();
    meter.add(http.requestBytes, 7, "/x");
    const report = meter.nextReport("a", "ingest");
    const { exec } = store;
    store.exec = (sql, ...rest) => {
      if (sql.startsWith("INSERT INTO metric_group")) throw new Error("SQLITE_FULL");
      return exec.call(store, sql, ...rest) as never;
    };
    expect(() => hub.report(report)).toThrow("SQLITE_FULL");
    expect(totalOf(hub, "sluice_http_request_bytes_total")).toBe(0);
    store.exec = exec;
    hub.report(report);
    expect(totalOf(hub, "sluice_http_request_bytes_total")).toBe(7);
  });
});

test(
  "no report counts twice or is lost, whatever is repeated, and no total ever falls",
  () => {
    const step = fc.record({
      isolate: fc.nat(3),
      rows: fc.nat(5),
      fate: fc.constantFrom("arrives", "is lost", "arrives unacknowledged", "crash"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { hub: first, store, clock } = newHub();
        let hub = first;
        let shown = 0;
        const meters = Array.from({ length: 4 }, () => new Meter());
        let counted = 0;
        const deliver = (report: MetricReport) => hub.report(report);
        for (const { isolate, rows, fate } of steps) {
          const meter = meters[isolate]!;
          meter.add(ingest.rowsAccepted, rows, "default", `m${rows}`);
          meter.observe(ingest.batchRows, rows);
          counted += rows;
          const report = meter.nextReport(`isolate ${isolate}`, "ingest");
          if (fate !== "is lost") deliver(structuredClone(report));
          if (fate === "arrives") meter.acknowledge(report.sequence);
          if (fate === "crash") ({ hub } = newHub(store, clock));
          const total = totalOf(hub, "sluice_ingest_rows_accepted_total");
          expect(total).toBeGreaterThanOrEqual(shown);
          shown = total;
        }
        for (const [isolate, meter] of meters.entries()) {
          while (meter.hasNews) {
            const report = meter.nextReport(`isolate ${isolate}`, "ingest");
            deliver(report);
            meter.acknowledge(report.sequence);
          }
        }
        expect(totalOf(hub, "sluice_ingest_rows_accepted_total")).toBe(counted);
        expect(totalOf(hub, "sluice_ingest_batch_rows")).toBe(steps.length);
      }),
      propertyRuns(300),
    );
  },
  PROPERTY_TIMEOUT_MS,
);
