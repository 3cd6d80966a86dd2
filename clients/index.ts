// The package's entry `sluice/client`: recording and asking, for Node, Workers and browsers.

export { SluiceClient } from "./client/client.ts";
export type { SluiceClientOptions } from "./client/client.ts";
export { SluiceBatchError, SluiceFlushError, SluiceRequestError } from "./client/errors.ts";
export { verifyWebhook } from "./client/verify-webhook.ts";
export type * from "./client/administration.ts";
export type * from "./client/correlate.ts";
export type * from "./client/events.ts";
export type { WritableColumns } from "./client/gather-columns.ts";
export type { Row } from "./client/gather-rows.ts";
export type { ArrowTable, QueryFormat, QueryParam, QueryParams } from "./client/query.ts";
export type { TailOptions } from "./client/tail.ts";
export type { TriggerFields, TriggerInfo } from "./client/triggers.ts";
export { MetricConnection, Units } from "./event-metrics/metric-connection.ts";
export { prometheusText } from "./event-metrics/prometheus-text.ts";
export * from "./recording/index.ts";
