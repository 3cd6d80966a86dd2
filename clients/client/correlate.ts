// Everything around an incident: events, metrics, logs and traces of a stretch of time.

import { retrying } from "./back-off.ts";
import type { Moment } from "./events.ts";
import { requestJson } from "./http.ts";
import type { Connection } from "./http.ts";

export interface Narrowing {
  readonly traceId?: string;
  readonly tags?: readonly string[];
  /** All of the database when missing. */
  readonly measurements?: readonly string[];
  /** Rows of each pillar. */
  readonly limit?: number;
  /** Only what stands out: errors, failures, high values. */
  readonly notable?: boolean;
}

/** A stretch of time; or around a moment; or around the last row that has the incident's values. */
export type CorrelateRequest = Narrowing &
  (
    | { readonly from: Moment; readonly to?: Moment }
    | { readonly around: Moment; readonly windowMs?: number }
    | { readonly around: Moment; readonly beforeMs: number; readonly afterMs: number }
    | { readonly incident: Incident; readonly beforeMs?: number; readonly afterMs?: number }
  );

export interface Incident {
  readonly measurement: string;
  readonly where: Readonly<Record<string, string | number | boolean>>;
}

export type CorrelatedRow = Readonly<Record<string, unknown>> & { readonly measurement: string };

export interface TimelineItem {
  readonly data_type: "event" | "metric" | "log" | "trace";
  readonly time: string;
  readonly detail: string | null;
  readonly severity: string | null;
  readonly value: number | null;
  readonly measurement: string;
}

export interface CorrelateAnswer {
  readonly from: string;
  readonly to: string;
  readonly events: readonly CorrelatedRow[];
  readonly metrics: readonly CorrelatedRow[];
  readonly logs: readonly CorrelatedRow[];
  readonly traces: readonly CorrelatedRow[];
  /** All of them, the newest first. */
  readonly timeline: readonly TimelineItem[];
  /** Whether older rows were left out. */
  readonly truncated: Readonly<Record<"events" | "metrics" | "logs" | "traces", boolean>>;
}

const RETRY_FOR_MS = 10_000;

export function correlate(
  connection: Connection,
  wanted: CorrelateRequest,
): Promise<CorrelateAnswer> {
  const { traceId, windowMs, beforeMs, afterMs, ...rest } = wanted as Partial<
    Record<"windowMs" | "beforeMs" | "afterMs", number>
  > &
    Narrowing;
  const json = {
    ...rest,
    trace_id: traceId,
    window: durationText(windowMs),
    before: durationText(beforeMs),
    after: durationText(afterMs),
  };
  return retrying(RETRY_FOR_MS, () =>
    requestJson<CorrelateAnswer>(connection, "/api/v1/correlate", { method: "POST", json }),
  );
}

/** undefined is left out of the JSON. */
function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${Math.ceil(ms / 1_000)}s`;
}
