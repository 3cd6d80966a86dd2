// Metrics as text: Prometheus 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)
// and OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), which differ in the
// name that HELP and TYPE give a counter, and in the end.

import type { FamilyValues } from "./hub.ts";
import type { Metric } from "./metric.ts";
import type { Distribution, SeriesValue } from "./series.ts";

export type TextFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Record<TextFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What a scraper's Accept header asks for; the older format when it does not say. */
export function chooseTextFormat(accept: string | null): TextFormat {
  return accept?.includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus";
}

export function metricsText(families: readonly FamilyValues[], format: TextFormat): string {
  const parts = families.map(({ metric, series }) => {
    const isOpenCounter = format === "openmetrics" && metric.kind === "counter";
    const name = isOpenCounter ? metric.name.replace(/_total$/, "") : metric.name;
    const head = `# HELP ${name} ${escapeHelp(metric.help, format)}\n# TYPE ${name} ${metric.kind}\n`;
    return head + series.map((one) => seriesText(metric, one)).join("");
  });
  return parts.join("") + (format === "openmetrics" ? "# EOF\n" : "");
}

function seriesText(metric: Metric, { labels, value }: SeriesValue): string {
  const pairs = metric.labels.map((label, at) => `${label}="${escapeLabel(labels[at]!)}"`);
  if (typeof value === "number") return `${metric.name}${braces(pairs)} ${numberText(value)}\n`;
  return distributionText(metric, pairs, value);
}

function distributionText(metric: Metric, pairs: string[], { counts, sum }: Distribution): string {
  const { name, buckets } = metric;
  let total = 0;
  let text = "";
  for (const [at, count] of counts.entries()) {
    total += count;
    const bound = at < buckets.length ? numberText(buckets[at]!) : "+Inf";
    text += `${name}_bucket${braces([...pairs, `le="${bound}"`])} ${total}\n`;
  }
  return `${text}${name}_sum${braces(pairs)} ${numberText(sum)}\n${name}_count${braces(pairs)} ${total}\n`;
}

function braces(pairs: readonly string[]): string {
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string, format: TextFormat): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? plain.replaceAll('"', '\\"') : plain;
}
