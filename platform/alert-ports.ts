// What alert rules need from the world: queries, rows of their metrics, and the network.

import { readAlertRows } from "#lib/alerts/alert-rows.ts";
import type { AlertPorts } from "#lib/alerts/alerts.ts";
import { CUSTOM_MEASUREMENT, sampleRows } from "#lib/alerts/custom-metrics.ts";
import type { AlertReport } from "#lib/alerts/runs.ts";
import type { Home, Sample } from "#lib/alerts/types.ts";
import type { Archive } from "#lib/archive/archive.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import { appendRows } from "./append-batches.ts";
import { askArrow } from "./ask-query.ts";
import { sleep, systemClock } from "./clock.ts";
import { sendWebhook } from "./send-webhook.ts";

export function alertPorts(
  store: SqlStore,
  archive: Archive,
  report: (event: AlertReport) => void,
  env: IngestEnv,
): Omit<AlertPorts, "alarm"> {
  return {
    store,
    clock: systemClock,
    archive,
    newId: () => crypto.randomUUID(),
    random: () => Math.random(),
    query: (home, sql) => Promise.race([query(home, sql, env), late()]),
    storeSamples: (home, rule, samples, atMs) => storeSamples(home, rule, samples, atMs, env),
    send: sendWebhook,
    report,
  };
}

async function query({ name }: Home, sql: string, env: IngestEnv) {
  const asked = { sql, database: name, requestId: crypto.randomUUID() };
  return readAlertRows(await askArrow(asked, LIMITS.alertAnswerBytesMax, env.QUERY));
}

async function late(): Promise<never> {
  await sleep(LIMITS.alertRunTimeoutMs);
  const seconds = LIMITS.alertRunTimeoutMs / 1_000;
  throw new SluiceError("query_timeout", `the query did not answer within ${seconds} s`);
}

async function storeSamples(
  home: Home,
  rule: string,
  samples: readonly Sample[],
  atMs: number,
  env: IngestEnv,
): Promise<void> {
  // Under a key, so that a repeat on the way does not store them twice; each run has its own.
  const key = `${CUSTOM_MEASUREMENT}-${crypto.randomUUID()}`;
  const origin = { requestId: key, traceparent: null, idempotencyKey: key, bodySha256: key };
  await appendRows(home, sampleRows(rule, samples, atMs * 1_000), origin, env);
}
