// Statistics for consoles without a Prometheus: the four dashboards as data, and costs.
//
//   GET /api/v1/stats/overview|queries|streams|resources?window_sec=60&history_sec=0
//   GET /api/v1/stats/costs?database=&token=

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { mayDo } from "#lib/directory/permissions.ts";
import { json } from "#lib/http/respond.ts";
import { costStats } from "#lib/telemetry/costs.ts";
import type { MetricSample } from "#lib/telemetry/history.ts";
import { MetricView } from "#lib/telemetry/metric-view.ts";
import * as stats from "#lib/telemetry/stats.ts";
import { SERVICE_VERSION } from "#lib/telemetry/otlp.ts";
import type { AdmittedArrival, Arrival } from "./arrival.ts";
import { currentHealth } from "./health.ts";
import { allFamilies } from "./metrics.ts";

const WINDOW_DEFAULT_S = 60;

export async function overview(arrival: AdmittedArrival): Promise<Response> {
  const { status } = await currentHealth(arrival);
  return await answer(arrival, (view) => {
    return { version: SERVICE_VERSION, status, ...stats.overviewStats(view) };
  });
}

export function queries(arrival: AdmittedArrival): Promise<Response> {
  return answer(arrival, stats.queryStats);
}

/** Of the databases that the token may read. */
export function streams(arrival: AdmittedArrival): Promise<Response> {
  const isShown = (database: string) => mayDo(arrival.principal, "read", database);
  return answer(arrival, (view) => stats.streamStats(view, isShown));
}

export function resources(arrival: AdmittedArrival): Promise<Response> {
  return answer(arrival, stats.resourceStats);
}

/** Since counting began: `sluice_cost_operations_total` with prices. */
export async function costs(arrival: AdmittedArrival): Promise<Response> {
  const { searchParams } = new URL(arrival.request.url);
  const { view, nowMs } = await viewOf(arrival, WINDOW_DEFAULT_S);
  const timestamp = new Date(nowMs).toISOString();
  const filter = {
    database: searchParams.get("database") || null,
    token: searchParams.get("token") || null,
  };
  return json({ timestamp, ...costStats(view, filter) });
}

export interface View {
  readonly view: MetricView;
  readonly samples: readonly MetricSample[];
  readonly nowMs: number;
}

/** The counts now, and as they were so many seconds ago. */
export async function viewOf(arrival: Arrival, windowS: number, historyS = 0): Promise<View> {
  const nowMs = Date.now();
  const sinceMs = nowMs - Math.max(windowS, historyS) * 1_000;
  const [families, samples] = await Promise.all([
    allFamilies(arrival),
    arrival.env.TELEMETRY_HUB.getByName("hub").samples(sinceMs),
  ]);
  return { view: new MetricView(families, samples, nowMs, windowS * 1_000), samples, nowMs };
}

async function answer(
  arrival: AdmittedArrival,
  statsOf: (view: MetricView) => stats.Stats,
): Promise<Response> {
  const { searchParams } = new URL(arrival.request.url);
  const windowS = seconds(searchParams, "window_sec", WINDOW_DEFAULT_S, 1);
  const historyS = seconds(searchParams, "history_sec", 0, 0);
  const { view, samples, nowMs } = await viewOf(arrival, windowS, historyS);
  return json({
    timestamp: new Date(nowMs).toISOString(),
    window_sec: view.windowSeconds,
    ...statsOf(view),
    ...(historyS === 0 ? {} : { history: stats.timelineOf(samples) }),
  });
}

function seconds(params: URLSearchParams, field: string, fallback: number, min: number): number {
  const max = LIMITS.metricHistoryMs / 1_000;
  const text = params.get(field);
  if (!text) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const message = `"${field}" must be a number from ${min} to ${max}`;
  throw new SluiceError("parameter_invalid", message, { field, limit: max });
}
