// `distributed_traces`: how requests flowed. One row per span.
//
// A request enters at the gateway and calls one to five services one after the other; its own
// span lasts as long as all of them, so a slow service makes slow requests.

import type { Measurement } from "./measurement.ts";
import { SERVICES, type Service } from "./fleet.ts";
import { Random } from "./random.ts";
import { pressureAt, type Deployment, type Timeline } from "./timeline.ts";

export interface Span {
  readonly timeMs: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly service: Service;
  readonly operation: string;
  readonly durationNs: number;
  readonly error: boolean;
}

const OPERATIONS: Record<Service, readonly string[]> = {
  "api-gateway": ["GET /orders", "POST /orders", "GET /products", "POST /checkout", "GET /search"],
  "auth-service": ["VerifyToken", "RefreshToken"],
  "order-service": ["CreateOrder", "ListOrders", "UPDATE orders"],
  "payment-service": ["AuthorizeCard", "CapturePayment"],
  "catalog-service": ["GetProduct", "SELECT products"],
  "search-service": ["QueryIndex"],
  "notification-service": ["SendEmail", "PushMessage"],
  "app-backend": ["RenderPage", "LoadProfile"],
};

const BEHIND_GATEWAY = SERVICES.filter((service) => service !== "api-gateway");
const SPANS_PER_REQUEST = 4;

/**
 * About `count` spans from `startMs` to the end of the timeline, cut to exactly that many, in
 * order of time.
 */
export function generateSpans(
  seed: number,
  timeline: Timeline,
  startMs: number,
  count: number,
): Span[] {
  const random = new Random(seed, "distributed_traces");
  const deployments = timeline.deployments.filter((deployment) => deployment.startMs >= startMs);
  const spanMs = timeline.endMs - startMs;
  const requestCount = Math.ceil((count / SPANS_PER_REQUEST) * 1.05);
  const spans: Span[] = [];
  for (let i = 0; i < requestCount; i++) {
    const timeMs = startMs + Math.floor(((i + random.fraction()) / requestCount) * spanMs);
    spans.push(...requestSpans(random, deployments, timeMs));
  }
  return spans.toSorted((a, b) => a.timeMs - b.timeMs).slice(-count);
}

export function spansToMeasurement(spans: readonly Span[]): Measurement {
  return {
    name: "distributed_traces",
    rowCount: spans.length,
    columns: {
      time: spans.map((span) => span.timeMs),
      trace_id: spans.map((span) => span.traceId),
      span_id: spans.map((span) => span.spanId),
      parent_span_id: spans.map((span) => span.parentSpanId),
      service_name: spans.map((span) => span.service),
      operation_name: spans.map((span) => span.operation),
      duration_ns: spans.map((span) => span.durationNs),
      error: spans.map((span) => span.error),
    },
  };
}

function requestSpans(
  random: Random,
  deployments: readonly Deployment[],
  timeMs: number,
): readonly Span[] {
  const traceId = random.hex(32);
  const rootId = random.hex(16);
  const ownPressure = pressureAt(deployments, "api-gateway", timeMs);
  const ownNs = latencyNs(random, ownPressure);

  const children: Span[] = [];
  let elapsedNs = Math.floor(ownNs / 2);
  const callCount = random.integer(1, 5);
  for (let i = 0; i < callCount; i++) {
    const service = random.pick(BEHIND_GATEWAY);
    const pressure = pressureAt(deployments, service, timeMs);
    const durationNs = latencyNs(random, pressure);
    children.push({
      timeMs: timeMs + Math.floor(elapsedNs / 1e6),
      traceId,
      spanId: random.hex(16),
      parentSpanId: rootId,
      service,
      operation: random.pick(OPERATIONS[service]),
      durationNs,
      error: random.chance(errorRate(pressure)),
    });
    elapsedNs += durationNs;
  }
  const root: Span = {
    timeMs,
    traceId,
    spanId: rootId,
    parentSpanId: null,
    service: "api-gateway",
    operation: random.pick(OPERATIONS["api-gateway"]),
    durationNs: elapsedNs + Math.floor(ownNs / 2),
    error: children.some((child) => child.error) || random.chance(errorRate(ownPressure)),
  };
  return [root, ...children];
}

/** 4 to 40 ms, most near the lower end; up to nine times that under full pressure. */
function latencyNs(random: Random, pressure: number): number {
  const calmNs = 4_000_000 + random.skewed(36_000_000);
  return Math.floor(calmNs * (1 + 8 * pressure));
}

function errorRate(pressure: number): number {
  return 0.002 + 0.25 * pressure ** 2;
}
