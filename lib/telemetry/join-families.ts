// What several places tell of the same metric, as one.

import type { FamilyValues } from "./hub.ts";
import type { Metric } from "./metric.ts";
import type { SeriesValue } from "./series.ts";

/**
 * In the order in which metrics come first; the same series from two places is merged. Of a metric
 * that users define places may know other labels: one that a series lacks is blank.
 */
export function joinFamilies(families: readonly FamilyValues[]): FamilyValues[] {
  const byName = Map.groupBy(families, ({ metric }) => metric.name);
  return [...byName.values()].map((same) => {
    const labels = [...new Set(same.flatMap(({ metric }) => metric.labels))];
    const metric = { ...same[0]!.metric, labels };
    return { metric, series: mergeSeries(metric, same.flatMap(inOrderOf(labels))) };
  });
}

function inOrderOf(labels: readonly string[]) {
  return ({ metric, series }: FamilyValues): readonly SeriesValue[] => {
    const places = labels.map((label) => metric.labels.indexOf(label));
    if (places.every((place, at) => place === at)) return series;
    const texts = (own: readonly string[]) => places.map((place) => own[place] ?? "");
    return series.map(({ labels: own, value }) => ({ labels: texts(own), value }));
  };
}

function mergeSeries(metric: Metric, series: readonly SeriesValue[]): SeriesValue[] {
  const merged = new Map<string, SeriesValue>();
  for (const { labels, value } of series) {
    const key = labels.join("\u0000");
    const before = merged.get(key)?.value;
    merged.set(key, { labels, value: both(metric, before, value) });
  }
  return [...merged.values()];
}

/** Distributions are told by one place only. */
function both(
  { merge }: Metric,
  before: SeriesValue["value"] | undefined,
  value: SeriesValue["value"],
): SeriesValue["value"] {
  if (typeof before !== "number" || typeof value !== "number") return value;
  return merge === "sum" ? before + value : Math.max(before, value);
}
