// Queries over our metrics, made from the metrics themselves: a name or a label that is no more
// does not compile.
//
// Sums leave out `job` and `instance`, because a dashboard shows one deployment: `$instance`.

import type { Metric } from "#lib/telemetry/metric.ts";

type Matcher = `${"=" | "!=" | "=~" | "!~"}"${string}"`;
type Where<Label extends string> = Partial<Record<Label, Matcher>>;

/** A counter's growth per second. */
export function perSecond<Label extends string>(
  metric: Metric<Label>,
  by: readonly NoInfer<Label>[] = [],
  where: Where<NoInfer<Label>> = {},
): string {
  return sum(by, `rate(${metric.name}${selector(where)}[$__rate_interval])`);
}

/** How fast the sum of all that a histogram was told grows. */
export function sumPerSecond<Label extends string>(
  metric: Metric<Label>,
  by: readonly NoInfer<Label>[] = [],
  where: Where<NoInfer<Label>> = {},
): string {
  return sum(by, `rate(${metric.name}_sum${selector(where)}[$__rate_interval])`);
}

/** `rank` of 0.99: what 99 in 100 stay below. */
export function quantile<Label extends string>(
  rank: number,
  metric: Metric<Label>,
  by: readonly NoInfer<Label>[] = [],
  where: Where<NoInfer<Label>> = {},
): string {
  return `histogram_quantile(${rank}, ${buckets(metric, by, where)})`;
}

/** A histogram's buckets, for a heatmap. */
export function buckets<Label extends string>(
  metric: Metric<Label>,
  by: readonly NoInfer<Label>[] = [],
  where: Where<NoInfer<Label>> = {},
): string {
  return sum(["le", ...by], `rate(${metric.name}_bucket${selector(where)}[$__rate_interval])`);
}

/** A gauge, put together as the hub puts it together. */
export function level<Label extends string>(
  metric: Metric<Label>,
  by: readonly NoInfer<Label>[] = [],
  where: Where<NoInfer<Label>> = {},
): string {
  return aggregate(metric.merge, by, metric.name + selector(where));
}

/** Where nothing has happened yet there is no series, and that means 0. */
export function orZero(expression: string): string {
  return `(${expression}) or vector(0)`;
}

function sum(by: readonly string[], expression: string): string {
  return aggregate("sum", by, expression);
}

function aggregate(name: string, by: readonly string[], expression: string): string {
  return `${name}${by.length === 0 ? "" : ` by (${by.join(", ")})`} (${expression})`;
}

function selector(where: Partial<Record<string, Matcher>>): string {
  const matchers = Object.entries(where).map(([label, matcher]) => `${label}${matcher}`);
  return `{${['instance="$instance"', ...matchers].join(", ")}}`;
}
