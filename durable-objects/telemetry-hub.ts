// The shell of the hub round lib/telemetry/hub.ts. One object, named `hub`, for all isolates.

import { DurableObject } from "cloudflare:workers";
import { type FamilyValues, TelemetryHubCore } from "#lib/telemetry/hub.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import type { FinishedSpan } from "#lib/telemetry/span.ts";
import { systemClock } from "#platform/clock.ts";
import { sqlStore } from "#platform/durable-storage.ts";

export class TelemetryHub extends DurableObject<IngestEnv> {
  readonly #core: TelemetryHubCore;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    this.#core = new TelemetryHubCore({ store: sqlStore(ctx.storage), clock: systemClock });
  }

  async report(
    report: MetricReport,
    _spans: readonly FinishedSpan[],
    _logs: readonly LogRecord[],
  ): Promise<void> {
    this.#core.report(report);
  }

  async families(): Promise<FamilyValues[]> {
    return this.#core.families();
  }
}
