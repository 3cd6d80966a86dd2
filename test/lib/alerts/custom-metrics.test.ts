// Metrics that users make of queries, as a scraper reads them.

import { expect, test } from "vitest";
import { customFamilies, customSeries } from "#lib/alerts/custom-metrics.ts";
import { parseRule } from "#lib/alerts/parse-rule.ts";
import type { Sample } from "#lib/alerts/types.ts";
import { joinFamilies } from "#lib/telemetry/join-families.ts";
import { custom } from "#lib/telemetry/metrics/events.ts";
import { metricsText } from "#lib/telemetry/prometheus-text.ts";

function textOf(
  ...databases: { database: string; metric?: string; samples: Sample[] }[]
): string[] {
  const families = databases.flatMap(({ database, metric, samples }) => {
    const rule = parseRule({ name: "r", kind: "metric", sql: "SELECT 1", metric });
    return customFamilies(custom, database, customSeries(rule, samples));
  });
  const text = metricsText(joinFamilies(families), "prometheus");
  return text
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("# HELP"));
}

const sample = (series: string, labels: Record<string, string>, value: number) => ({
  series,
  labels,
  value,
});

test("without a name of its own a rule gives series of one metric", () => {
  const samples = [sample("n", {}, 1), sample("n", { host: "a" }, 2)];
  expect(textOf({ database: "db", samples })).toEqual([
    "# TYPE sluice_custom_value gauge",
    'sluice_custom_value{database="db",rule="r",series="n"} 1',
    'sluice_custom_value{database="db",rule="r",series="n,host=a"} 2',
  ]);
});

test("with one it gives that metric, and one for each number where there are several", () => {
  const samples = [sample("n", { "a-b": "x" }, 1), sample("max(v)", { "a-b": "x" }, 2)];
  expect(textOf({ database: "db", metric: "sluice_custom_x", samples })).toEqual([
    "# TYPE sluice_custom_x_n gauge",
    'sluice_custom_x_n{database="db",a_b="x",rule="r"} 1',
    "# TYPE sluice_custom_x_max_v_ gauge",
    'sluice_custom_x_max_v_{database="db",a_b="x",rule="r"} 2',
  ]);
});

test("a name that two databases use is one metric, whatever labels each has", () => {
  const metric = "sluice_custom_x";
  const one = { database: "one", metric, samples: [sample("n", { host: "a" }, 1)] };
  const two = { database: "two", metric, samples: [sample("n", { zone: "z", rule: "mine" }, 2)] };
  expect(textOf(one, two)).toEqual([
    "# TYPE sluice_custom_x gauge",
    'sluice_custom_x{database="one",host="a",rule="r",zone="",x_rule=""} 1',
    'sluice_custom_x{database="two",host="",rule="r",zone="z",x_rule="mine"} 2',
  ]);
});
