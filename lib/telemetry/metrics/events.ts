// Tagged events: posts, streams, triggers, the archive; and alerts.

import { counter, gauge, histogram, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const posted = counter("sluice_events_posted_total", "Events stored through the API.");
export const postSeconds = histogram(
  "sluice_events_post_seconds",
  "Time to store the events of one request.",
  SECONDS_BUCKETS,
);
export const streamed = counter(
  "sluice_events_streamed_total",
  "Events sent to readers of the stream, each reader counted.",
);
export const readersDropped = counter(
  "sluice_events_readers_dropped_total",
  "Readers of the stream that were let go, by reason: slow, vanished, restart (of the stream).",
  ["reason"],
);
export const archived = counter(
  "sluice_events_archived_total",
  "Changes of our own artifacts that became events.",
);
export const deliveries = counter(
  "sluice_webhook_deliveries_total",
  "Calls of webhooks, by outcome: ok, retry (it is called again later), gone (it wants no more).",
  ["outcome"],
);
export const deliverySeconds = histogram(
  "sluice_webhook_seconds",
  "Time of one call of a webhook.",
  SECONDS_BUCKETS,
);
export const triggersDisabled = counter(
  "sluice_triggers_disabled_total",
  "Triggers put to rest because their webhook kept failing, or wanted no more.",
);
export const ruleRuns = counter(
  "sluice_alert_rule_runs_total",
  "Evaluations of alert rules and scheduled metrics, by outcome: ok, failed.",
  ["outcome"],
);
export const ruleSeconds = histogram(
  "sluice_alert_rule_seconds",
  "Time of one evaluation.",
  SECONDS_BUCKETS,
);
export const alertsFired = counter("sluice_alerts_fired_total", "Alerts that have begun to fire.", [
  "rule",
]);

export const readers = gauge("sluice_events_readers", "Readers of the stream.");
export const alertsFiring = gauge("sluice_alerts_firing", "Alerts that fire now.", ["database"]);
export const custom = gauge(
  "sluice_custom_value",
  "Values of scheduled queries: the metrics that users define, by rule and series.",
  ["database", "rule", "series"],
  "max",
);
