import { describe, expect, test } from "vitest";
import { counter, histogram } from "#lib/telemetry/metric.ts";
import { METRICS } from "#lib/telemetry/metrics.ts";
import { chooseTextFormat, metricsText } from "#lib/telemetry/prometheus-text.ts";

const rows = counter("rows_total", 'Rows, "all".\nOf them.', ["table"]);
const seconds = histogram("took_seconds", "Time.", [0.1, 1], ["stage"]);
const FAMILIES = [
  { metric: rows, series: [{ labels: ['a"b\\c\nd'], value: 3 }] },
  { metric: seconds, series: [{ labels: ["read"], value: { counts: [1, 0, 2], sum: 7.5 } }] },
];

describe("metrics as text", () => {
  test("escape what they must, and count up through the buckets", () => {
    expect(metricsText(FAMILIES, "prometheus")).toBe(
      [
        '# HELP rows_total Rows, "all".\\nOf them.',
        "# TYPE rows_total counter",
        'rows_total{table="a\\"b\\\\c\\nd"} 3',
        "# HELP took_seconds Time.",
        "# TYPE took_seconds histogram",
        'took_seconds_bucket{stage="read",le="0.1"} 1',
        'took_seconds_bucket{stage="read",le="1"} 1',
        'took_seconds_bucket{stage="read",le="+Inf"} 3',
        'took_seconds_sum{stage="read"} 7.5',
        'took_seconds_count{stage="read"} 3',
        "",
      ].join("\n"),
    );
  });

  test("as OpenMetrics name a counter without its ending, and say where they end", () => {
    const text = metricsText(FAMILIES, "openmetrics");
    expect(text).toContain('# HELP rows Rows, \\"all\\".\\nOf them.\n# TYPE rows counter\n');
    expect(text).toContain("\nrows_total{");
    expect(text.endsWith("\n# EOF\n")).toBe(true);
  });

  test("come in the format that the scraper asks for", () => {
    expect(chooseTextFormat(null)).toBe("prometheus");
    expect(chooseTextFormat("application/openmetrics-text;version=1.0.0,*/*;q=0.1")).toBe(
      "openmetrics",
    );
  });
});

test("metrics are named as Prometheus wants it: once, with unit, and counters as totals", () => {
  const all = METRICS.flatMap(({ metrics }) => metrics);
  // OpenMetrics names the family of a counter without its ending.
  const families = all.map(({ name }) => name.replace(/_total$/, ""));
  expect(families.filter((name, at) => families.indexOf(name) < at)).toEqual([]);
  for (const { name, kind, help, labels } of all) {
    expect(name).toMatch(/^sluice_[a-z0-9_]+$/);
    expect(name.endsWith("_total"), name).toBe(kind === "counter");
    expect(help, name).toMatch(/^[A-Z].*\.$/s);
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/);
  }
});
