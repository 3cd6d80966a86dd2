// What a query says of itself when it ends: the only place where queries become metrics and spans.

import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { asSluiceError } from "#lib/http/respond.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import { NONE, QUERY_COSTS, SHARED, tokenLabel } from "#lib/telemetry/costs.ts";
import * as metrics from "#lib/telemetry/metrics/query.ts";
import { costOperations } from "#lib/telemetry/metrics/runtime.ts";
import type { Span } from "#lib/telemetry/span.ts";
import { parseTraceparent } from "#lib/telemetry/trace-context.ts";
import { createTracer, meter } from "#platform/telemetry.ts";
import { newProgress, type QueryProgress } from "./run-query.ts";

const SLOW_S = 1;

let runningCount = 0;

interface Asked {
  readonly kind: string;
  readonly format: string;
  readonly traceparent: string;
  readonly queryId: string;
  readonly payer: readonly [database: string, token: string];
}

/** For a client's query, or one of our own. */
export function telemetryOf({ question, result, isSystem, ...asked }: QueryRequest) {
  const kind = isSystem ? "system" : question.kind;
  const token = isSystem ? SHARED : tokenLabel(asked.tokenId);
  const payer = [asked.database ?? DEFAULT_DATABASE, token] as const;
  return new QueryTelemetry({ ...asked, kind, format: result.format, payer });
}

/** For a condition that is asked of a file, on behalf of a job. */
export async function countMatch<T>(work: (progress: QueryProgress) => Promise<T>): Promise<T> {
  const asked = { kind: "match", format: "bits", traceparent: "", queryId: crypto.randomUUID() };
  const telemetry = new QueryTelemetry({ ...asked, payer: [NONE, SHARED] });
  const progress = newProgress();
  let outcome = "done";
  try {
    return await work(progress);
  } catch (error) {
    outcome = asSluiceError(error).code;
    throw error;
  } finally {
    telemetry.end(outcome, progress);
  }
}

class QueryTelemetry {
  readonly #kind: string;
  readonly #format: string;
  readonly #payer: Asked["payer"];
  readonly #span: Span;
  readonly #startMs = Date.now();
  #hasEnded = false;

  constructor({ kind, format, traceparent, queryId, payer }: Asked) {
    this.#payer = payer;
    this.#kind = kind;
    this.#format = format;
    // Of traces that begin elsewhere; none begins here.
    const tracer = createTracer("query", "0");
    this.#span = tracer.start("query", parseTraceparent(traceparent), {
      kind: "server",
      attributes: { "query.id": queryId, "query.kind": this.#kind },
    });
    meter.add(metrics.started, 1, this.#kind);
    meter.set(metrics.running, ++runningCount);
  }

  /** `outcome`: `done`, `abandoned`, or the code of an error. Only the first time counts. */
  end(outcome: string, progress: QueryProgress): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const kind = this.#kind;
    const seconds = (Date.now() - this.#startMs) / 1_000;
    meter.set(metrics.running, --runningCount);
    meter.add(metrics.finished, 1, kind, outcome);
    meter.observe(metrics.seconds, seconds, kind);
    if (seconds > SLOW_S) meter.add(metrics.slow, 1, kind);
    if (outcome !== "done" && outcome !== "abandoned") meter.add(metrics.errors, 1, kind, outcome);
    if (outcome === "query_cancelled") meter.add(metrics.cancelled, 1);
    if (outcome === "query_timeout") meter.add(metrics.timedOut, 1);
    meter.add(metrics.rowsReturned, progress.rowCount, kind);
    meter.observe(metrics.resultRows, progress.rowCount);
    meter.add(metrics.bytesReturned, progress.byteCount, this.#format);
    this.#countCost(progress);
    this.#endSpan(outcome, progress);
  }

  #countCost({ cost }: QueryProgress): void {
    if (cost === null) return;
    meter.add(costOperations, QUERY_COSTS.do_requests, ...this.#payer, "do_requests");
    meter.add(costOperations, cost.rangesRead, ...this.#payer, "r2_class_b");
    meter.add(metrics.bytesRead, cost.bytesRead, "lake");
    meter.add(metrics.bytesRead, cost.bytesFromCache, "cache");
    meter.observe(metrics.readBytes, cost.bytesRead + cost.bytesFromCache);
    meter.add(metrics.cacheHits, cost.rangesFromCache);
    meter.add(metrics.cacheMisses, cost.rangesRead);
    meter.add(metrics.filesConsidered, cost.filesConsidered);
    meter.add(metrics.filesRead, cost.filesRead);
    meter.add(metrics.filesPruned, cost.filesPrunedByTime, "time");
    meter.add(metrics.filesPruned, cost.filesPrunedByStatistics, "statistics");
    meter.add(metrics.rowGroupsRead, cost.rowGroupsConsidered - cost.rowGroupsPruned);
    meter.add(metrics.rowGroupsPruned, cost.rowGroupsPruned);
    meter.add(metrics.tailRows, cost.tailRows);
    const stages = Object.entries(cost.stages);
    for (const [stage, ms] of stages) meter.observe(metrics.stageSeconds, ms / 1_000, stage);
    meter.observe(metrics.engineWaitSeconds, (cost.stages["wait"] ?? 0) / 1_000);
  }

  #endSpan(outcome: string, { rowCount, cost }: QueryProgress): void {
    let startUs = this.#startMs * 1_000;
    for (const [stage, ms] of Object.entries(cost?.stages ?? {})) {
      this.#span.childBetween(stage, startUs, startUs + ms * 1_000);
      startUs += ms * 1_000;
    }
    const { filesRead = 0, bytesRead = 0, tailRows = 0 } = cost ?? {};
    const read = {
      "query.files": filesRead,
      "query.bytes": bytesRead,
      "query.tail_rows": tailRows,
    };
    this.#span.note({ "query.rows": rowCount, ...read });
    this.#span.end(outcome === "done" ? undefined : outcome);
  }
}
