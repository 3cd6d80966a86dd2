// The analyses of the telemetry reference, each twice: in TypeScript over what the manager answers,
// and as SQL over the measurements. The tests hold them against each other.

import type { Event, Metric } from "../../../clients/recording/index.ts";

/** Metric values per minute, by minute. */
export function requestsPerMinute(metrics: readonly Metric[]): Map<string, number> {
  const minutes = new Map<string, number>();
  for (const { timestamp, value } of metrics.toReversed()) {
    const minute = bucketOf(timestamp, 60_000);
    minutes.set(minute, (minutes.get(minute) ?? 0) + value);
  }
  return minutes;
}

export const REQUESTS_PER_MINUTE = `
  SELECT time_bucket(INTERVAL '1 minute', time) AS minute, sum(value) AS requests
  FROM telemetry_metrics WHERE name = 'requests_total'
  GROUP BY ALL ORDER BY minute`;

/** Averages of five minutes, in order. */
export function fiveMinuteAverages(metrics: readonly Metric[]): [string, number][] {
  const buckets = new Map<string, number[]>();
  for (const { timestamp, value } of metrics) {
    const bucket = bucketOf(timestamp, 5 * 60_000);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), value]);
  }
  return [...buckets]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([bucket, values]) => [bucket, sum(values) / values.length]);
}

export const FIVE_MINUTE_AVERAGES = `
  SELECT time_bucket(INTERVAL '5 minutes', time) AS bucket, avg(value) AS average
  FROM telemetry_metrics WHERE name = 'cpu_percent'
  GROUP BY ALL ORDER BY bucket`;

/** The value at which so many hundredths are passed: the one at that place of the sorted ones. */
export function percentile(metrics: readonly Metric[], percent: number): number {
  const sorted = metrics.map((metric) => metric.value).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]!;
}

export const LATENCY_PERCENTILES = `
  WITH sorted AS (
    SELECT value, row_number() OVER (ORDER BY value) - 1 AS place, count(*) OVER () AS n
    FROM telemetry_metrics WHERE name = 'operation_latency')
  SELECT p, min(value) AS value
  FROM sorted, (VALUES (50), (95), (99)) AS wanted(p)
  WHERE place = least(n - 1, n * p // 100)
  GROUP BY p ORDER BY p`;

export function statistics(metrics: readonly Metric[]) {
  const values = metrics.map((metric) => metric.value);
  const count = values.length;
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { count, min, max, avg: sum(values) / count };
}

export const LATENCY_STATISTICS = `
  SELECT count(*) AS count, min(value) AS min, max(value) AS max, avg(value) AS avg
  FROM telemetry_metrics WHERE name = 'operation_latency'`;

export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number;
}

export function cacheHitRates(
  cacheHits: readonly Metric[],
  cacheMisses: readonly Metric[],
): Record<string, CacheStats> {
  const stats: Record<string, { hits: number; misses: number }> = {};
  const ofNode = ({ attributes }: Metric) =>
    (stats[attributes["node_id"] as string] ??= { hits: 0, misses: 0 });
  for (const metric of cacheHits) ofNode(metric).hits += metric.value;
  for (const metric of cacheMisses) ofNode(metric).misses += metric.value;
  const rated = Object.entries(stats).map(([node, { hits, misses }]) => {
    const total = hits + misses;
    return [node, { hits, misses, hitRate: total > 0 ? hits / total : 0 }] as const;
  });
  return Object.fromEntries(rated);
}

export const CACHE_HIT_RATES = `
  SELECT attributes->>'node_id' AS node,
    sum(value) FILTER (WHERE name = 'cache_hits') AS hits,
    coalesce(sum(value) FILTER (WHERE name = 'cache_misses'), 0) AS misses,
    hits / (hits + misses) AS hit_rate
  FROM telemetry_metrics WHERE name IN ('cache_hits', 'cache_misses')
  GROUP BY node ORDER BY node`;

export const EXPECTED_CHECKPOINTS = ["data_loaded", "data_validated", "data_saved"];

/** Trace → the checkpoints that it has not reached. */
export function incompleteCheckpoints(checkpoints: readonly Event[]): Record<string, string[]> {
  const byTrace = Map.groupBy(checkpoints, (event) => event.traceId!);
  const missing = [...byTrace].map(([trace, events]) => {
    const reached = new Set(events.map((event) => event.attributes["stage"]));
    return [trace, EXPECTED_CHECKPOINTS.filter((stage) => !reached.has(stage))] as const;
  });
  return Object.fromEntries(missing.filter(([, stages]) => stages.length > 0));
}

export const INCOMPLETE_CHECKPOINTS = `
  WITH reached AS (
    SELECT trace_id, list(attributes->>'stage') AS stages
    FROM telemetry_events WHERE type = 'checkpoint' GROUP BY trace_id)
  SELECT trace_id, list(stage ORDER BY place) AS missing
  FROM reached,
    (VALUES (1, 'data_loaded'), (2, 'data_validated'), (3, 'data_saved')) AS wanted(place, stage)
  WHERE NOT list_contains(stages, stage)
  GROUP BY trace_id ORDER BY trace_id`;

export function costByModel(costs: readonly Metric[]): Record<string, number> {
  const models: Record<string, number> = {};
  for (const { attributes, value } of costs) {
    const model = attributes["model"] as string;
    models[model] = (models[model] ?? 0) + value;
  }
  return models;
}

export const COST_BY_MODEL = `
  SELECT attributes->>'model' AS model, sum(value) AS dollars
  FROM telemetry_metrics WHERE name = 'llm_api_cost'
  GROUP BY model ORDER BY model`;

function bucketOf(time: Date, widthMs: number): string {
  return new Date(Math.floor(time.getTime() / widthMs) * widthMs).toISOString();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
