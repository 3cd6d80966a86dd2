// Metrics that users define by a query: as families for a scraper, and as rows of a measurement.
//
// A rule without a name for its metric gives series of `sluice_custom_value`, labelled with rule
// and series. One with a name gives a metric of that name, with the query's text columns as labels,
// and the column's name behind it where the query has several numbers. Rules with one name for it
// make one family; a label that one of them lacks is blank, which for Prometheus is the same as
// none.
//
// Refuses nothing: names were checked when the rule was made (parse-rule.ts), series are bounded.

import { type OwnBatch, ownBatch } from "#lib/protocol/own-batch.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { gauge, type Metric } from "#lib/telemetry/metric.ts";
import type { Rule, Sample } from "./types.ts";

export const CUSTOM_PREFIX = "sluice_custom_";
export const CUSTOM_MEASUREMENT = "custom_metrics";

/** One series of a metric that a rule of this database gives, as plain data for a message. */
export interface CustomSeries {
  /** null: it has no name of its own. */
  readonly metric: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function customSeries(
  { name: rule, test }: Pick<Rule, "name" | "test">,
  samples: readonly Sample[],
): CustomSeries[] {
  const metric = test.kind === "metric" ? test.metric : null;
  const columns = new Set(samples.map(({ series }) => series));
  return samples.map(({ series, labels, value }) => {
    if (metric === null) {
      return { metric, labels: { rule, series: seriesText(series, labels) }, value };
    }
    const name = columns.size === 1 ? metric : `${metric}_${plainName(series)}`;
    const plain = Object.entries(labels).map(([label, text]) => [plainName(label), text]);
    return { metric: name, labels: { ...Object.fromEntries(plain), rule }, value };
  });
}

/** Of one database; each name once. `unnamed`: what has no metric of its own is a series of it. */
export function customFamilies(
  unnamed: Metric,
  database: string,
  series: readonly CustomSeries[],
): FamilyValues[] {
  const textOf = (own: CustomSeries["labels"], label: string) =>
    label === "database" ? database : (own[label] ?? "");
  return [...Map.groupBy(series, ({ metric }) => metric)].map(([name, all]) => {
    const metric = name === null ? unnamed : namedMetric(name, all);
    const told = all.map(({ labels, value }) => ({
      labels: metric.labels.map((label) => textOf(labels, label)),
      value,
    }));
    return { metric, series: told };
  });
}

function namedMetric(name: string, series: readonly CustomSeries[]): Metric {
  const labels = new Set(["database", ...series.flatMap((one) => Object.keys(one.labels))]);
  return gauge(name, "Values of a scheduled query.", [...labels], "max");
}

/** At least one sample. */
export function sampleRows(rule: string, samples: readonly Sample[], timeUs: number): OwnBatch {
  return ownBatch(CUSTOM_MEASUREMENT, samples, (builder, { series, labels, value }) => {
    builder.time.writeInteger(timeUs);
    builder.column("rule").writeString(rule);
    builder.column("name").writeString(series);
    builder.column("value").writeFloat(value);
    builder.column("labels").writeString(JSON.stringify(labels));
  });
}

function seriesText(series: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
  return [series, ...pairs].join(",");
}

/** What Prometheus takes as a label or the end of a name. */
function plainName(text: string): string {
  const plain = text.replaceAll(/\W/g, "_").slice(0, 64);
  // Names with two underscores in front are Prometheus's own; these two are ours.
  const isTaken = /^(\d|_|$)/.test(plain) || plain === "rule" || plain === "database";
  return isTaken ? `x_${plain}` : plain;
}
