// The shell of the hub round lib/telemetry/hub.ts. One object, named `hub`, for all isolates. From
// here spans and log records go on to who collects them.

import { DurableObject } from "cloudflare:workers";
import type { MetricSample } from "#lib/telemetry/history.ts";
import { type FamilyValues, TelemetryHubCore } from "#lib/telemetry/hub.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import type { FinishedSpan } from "#lib/telemetry/span.ts";
import { systemClock } from "#platform/clock.ts";
import { sqlStore } from "#platform/durable-storage.ts";
import { goOnInObject, reportSoon } from "#platform/telemetry.ts";
import { telemetryExporters } from "#platform/telemetry-exports.ts";

export class TelemetryHub extends DurableObject<IngestEnv> {
  readonly #core: TelemetryHubCore;
  readonly #exporters: ReturnType<typeof telemetryExporters>;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    this.#core = new TelemetryHubCore({ store: sqlStore(ctx.storage), clock: systemClock });
    this.#exporters = telemetryExporters(env);
  }

  /** Answers when the counts are stored; spans and log records are sent on afterwards. */
  async report(
    report: MetricReport,
    spans: readonly FinishedSpan[],
    logs: readonly LogRecord[],
  ): Promise<void> {
    this.#core.report(report);
    if (spans.length > 0) this.#send(this.#exporters.spans, spans);
    if (logs.length > 0) this.#send(this.#exporters.logs, logs);
  }

  async families(): Promise<FamilyValues[]> {
    return this.#core.families();
  }

  /** What the counts were, from a moment on. */
  async samples(sinceMs: number): Promise<MetricSample[]> {
    return this.#core.samples(sinceMs);
  }

  /** What became of them is counted, and told when all is sent. */
  #send<Item>(
    exporters: readonly { offer(items: readonly Item[]): Promise<void> }[],
    items: readonly Item[],
  ): void {
    const sent = Promise.all(exporters.map((one) => one.offer(items)));
    const told = sent.then(() => reportSoon("front-door", this.env, goOnInObject));
    this.ctx.waitUntil(told);
  }
}
