// What alert rules say of themselves, and the metrics that users made of queries: the only place
// where runs and alerts become metrics.

import type { AlertGauges } from "#lib/alerts/alerts.ts";
import { customFamilies } from "#lib/alerts/custom-metrics.ts";
import type { AlertReport } from "#lib/alerts/runs.ts";
import { databaseLabel } from "#lib/telemetry/database-label.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import * as metrics from "#lib/telemetry/metrics/events.ts";
import type { Log } from "#platform/log.ts";
import { meter } from "#platform/telemetry.ts";

export function tellOfAlerts(event: AlertReport, log: Log): void {
  switch (event.event) {
    case "rule_run":
      meter.add(metrics.ruleRuns, 1, event.outcome);
      meter.observe(metrics.ruleSeconds, event.seconds);
      return;
    case "alerts_fired":
      meter.add(metrics.alertsFired, event.count, event.rule);
      return log.warn(event.event, { rule: event.rule, count: event.count });
    case "alerts_failed":
      return log.error(event.event, event.error);
  }
}

/** How they stand right now, for who scrapes. None where there was never a rule. */
export function alertGauges({ home, firing, series }: AlertGauges): FamilyValues[] {
  if (home === null) return [];
  const database = databaseLabel(home.databaseId);
  const own = { metric: metrics.alertsFiring, series: [{ labels: [database], value: firing }] };
  return [own, ...customFamilies(metrics.custom, database, series)];
}
