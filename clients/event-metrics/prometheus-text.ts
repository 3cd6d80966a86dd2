// Metrics as Prometheus reads them: the text format 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
// What is counted is a counter, what is observed a gauge with its last value, each series by
// itself; an observed metric may be declared a histogram or a summary, computed from all its
// points. Names become what Prometheus allows, other characters `_`; a counter's ends in `_total`.
//
// Refuses two metrics, or two labels of one series, that would get the same name: Prometheus would
// take one for the other.

import type { MetricConnection } from "./metric-connection.ts";
import { checkedEdges, checkedPercentiles } from "./metric-query.ts";
import type { SeriesSummary } from "./metric-store.ts";
import type { SeriesKind } from "./series.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type ExportedMetric = { readonly help?: string } & (
  | { readonly type: "gauge" }
  | { readonly type: "histogram"; readonly buckets: readonly number[] }
  | { readonly type: "summary"; readonly percentiles: readonly number[] }
);

/** By the name under which a metric is recorded. A declared gauge may be one that is counted. */
export type ExportedMetrics = Readonly<Record<string, ExportedMetric>>;

type LabelPairs = readonly (readonly [string, string])[];

/** Throws a RangeError for names that meet, and for wrong buckets or percentiles. */
export async function prometheusText(
  connection: MetricConnection,
  declared: ExportedMetrics = {},
): Promise<string> {
  const recorded = new Set((await connection.series()).map(({ name }) => name));
  const owners = new Map<string, string>();
  let text = "";
  for (const name of recorded) {
    const metric = Object.hasOwn(declared, name) ? declared[name]! : null;
    const series = await connection.summaries(name, {
      edges: metric?.type === "histogram" ? checkedEdges(metric.buckets) : [],
      percentiles: metric?.type === "summary" ? checkedPercentiles(metric.percentiles) : [],
    });
    for (const kind of ["observation", "increment"] as const) {
      const ofKind = series.filter((one) => one.kind === kind);
      if (ofKind.length > 0) text += family(name, kind, metric, ofKind, owners);
    }
  }
  return text;
}

/** HELP, TYPE, and the samples of all series. */
function family(
  name: string,
  kind: SeriesKind,
  metric: ExportedMetric | null,
  series: readonly SeriesSummary[],
  owners: Map<string, string>,
): string {
  const type = typeOf(kind, metric);
  const exported = exportedName(name, type);
  for (const sample of sampleNames(exported, type)) claim(owners, sample, name);
  const help = metric?.help ?? `${name}, recorded at event time.`;
  const samples = series.flatMap((one) => samplesOf(exported, type, metric, one));
  return [
    `# HELP ${exported} ${escapeHelp(help)}`,
    `# TYPE ${exported} ${type}`,
    ...samples,
    "",
  ].join("\n");
}

type MetricType = "counter" | ExportedMetric["type"];

function typeOf(kind: SeriesKind, metric: ExportedMetric | null): MetricType {
  if (kind === "observation") return metric?.type ?? "gauge";
  return metric?.type === "gauge" ? "gauge" : "counter";
}

function exportedName(name: string, type: MetricType): string {
  const allowed = name.replaceAll(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_");
  return type === "counter" && !allowed.endsWith("_total") ? `${allowed}_total` : allowed;
}

function sampleNames(name: string, type: MetricType): string[] {
  if (type === "histogram") return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  if (type === "summary") return [name, `${name}_sum`, `${name}_count`];
  return [name];
}

function claim(owners: Map<string, string>, exported: string, name: string): void {
  const owner = owners.get(exported);
  if (owner !== undefined) {
    throw new RangeError(`${owner} and ${name} would both be exported as ${exported}`);
  }
  owners.set(exported, name);
}

function samplesOf(
  name: string,
  type: MetricType,
  metric: ExportedMetric | null,
  series: SeriesSummary,
): string[] {
  const labels = exportedLabels(name, series.labels);
  if (type === "counter" || type === "gauge") return [sample(name, labels, series.last)];
  const totals = [
    sample(`${name}_sum`, labels, series.sum),
    sample(`${name}_count`, labels, series.count),
  ];
  if (metric?.type === "histogram") {
    return [...bucketSamples(name, labels, metric.buckets, series.bucketCounts), ...totals];
  }
  if (metric?.type === "summary") {
    const quantiles = metric.percentiles.map((percentile, at) =>
      sample(name, [...labels, ["quantile", String(percentile / 100)]], series.percentiles[at]!),
    );
    return [...quantiles, ...totals];
  }
  return totals;
}

function bucketSamples(
  name: string,
  labels: LabelPairs,
  buckets: readonly number[],
  counts: readonly number[],
): string[] {
  const edges = checkedEdges(buckets);
  let below = 0;
  return counts.map((count, at) => {
    below += count;
    return sample(
      `${name}_bucket`,
      [...labels, ["le", formatNumber(edges[at] ?? Infinity)]],
      below,
    );
  });
}

/** `le` and `quantile` are Prometheus's own, as is all that begins with two underscores. */
function exportedLabels(name: string, labels: Readonly<Record<string, string>>): LabelPairs {
  const owners = new Map<string, string>();
  return Object.entries(labels).map(([key, value]) => {
    const allowed = key.replaceAll(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d|$)/, "_");
    const isReserved = allowed === "le" || allowed === "quantile" || allowed.startsWith("__");
    const exported = isReserved ? `exported_${allowed}` : allowed;
    claim(owners, exported, `label ${key} of ${name}`);
    return [exported, value] as const;
  });
}

function sample(name: string, labels: LabelPairs, value: number): string {
  const pairs = labels.map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join()}}`} ${formatNumber(value)}`;
}

function formatNumber(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
