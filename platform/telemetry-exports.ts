// Where the hub sends spans and log records on to: an OpenTelemetry collector, and Sluice's own
// measurements. Both, one, or none: an empty variable turns the one that it names off.

import { errorKind, isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { checkDatabaseName } from "#lib/directory/names.ts";
import { Exporter } from "#lib/telemetry/exporter.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import * as metrics from "#lib/telemetry/metrics/runtime.ts";
import { judgeOtlpAnswer, type SendOutcome } from "#lib/telemetry/otlp-answer.ts";
import { logsRequest, OTLP_PATHS, type Signal, tracesRequest } from "#lib/telemetry/otlp.ts";
import { isLogOf, isSpanOf, logRows, traceRows } from "#lib/telemetry/own-rows.ts";
import type { OwnBatch } from "#lib/protocol/own-batch.ts";
import type { FinishedSpan } from "#lib/telemetry/span.ts";
import { appendRows, PASSING, patiently } from "./append-batches.ts";
import { sleep, systemClock } from "./clock.ts";
import { positiveInteger } from "./config.ts";
import { unwrap } from "./rpc.ts";
import { meter } from "./telemetry.ts";

interface Exporters {
  readonly spans: readonly Exporter<FinishedSpan>[];
  readonly logs: readonly Exporter<LogRecord>[];
}

export function telemetryExporters(env: IngestEnv): Exporters {
  const toCollector = env.OTEL_EXPORTER_OTLP_ENDPOINT !== "";
  const toOwn = env.SELF_DATABASE !== "";
  return {
    spans: [
      ...(toCollector ? [exporter("traces", "otlp", collector("traces", env, tracesRequest))] : []),
      ...(toOwn ? [exporter("traces", "own", ownRows(env, isSpanOf, traceRows))] : []),
    ],
    logs: [
      ...(toCollector ? [exporter("logs", "otlp", collector("logs", env, logsRequest))] : []),
      ...(toOwn ? [exporter("logs", "own", ownRows(env, isLogOf, logRows))] : []),
    ],
  };
}

type Send<Item> = (items: readonly Item[], key: string) => Promise<SendOutcome>;

function exporter<Item>(signal: Signal, destination: string, send: Send<Item>): Exporter<Item> {
  const dropped = signal === "traces" ? metrics.spansDropped : metrics.logsDropped;
  return new Exporter({
    clock: systemClock,
    sleep,
    random: () => Math.random(),
    send,
    newKey: () => `telemetry-${crypto.randomUUID()}`,
    sent: (outcome) => meter.add(metrics.exports, 1, destination, signal, outcome),
    dropped: (count, reason) => meter.add(dropped, count, reason),
  });
}

function collector<Item>(
  signal: Signal,
  env: IngestEnv,
  requestOf: (items: readonly Item[], environment: string) => string,
): Send<Item> {
  const url = env.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, "") + OTLP_PATHS[signal];
  const headers = {
    ...headersOf(env.OTEL_EXPORTER_OTLP_HEADERS),
    "content-type": "application/json",
    "content-encoding": "gzip",
  };
  return async (items) => {
    try {
      const text = requestOf(items, env.DEPLOYMENT_ENVIRONMENT);
      const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: await new Response(compressed).arrayBuffer(),
        signal: AbortSignal.timeout(LIMITS.exportTimeoutMs),
      });
      const retryAfter = response.headers.get("retry-after");
      return judgeOtlpAnswer(response.status, retryAfter, await response.text(), Date.now());
    } catch {
      // Nobody is there, or not in time. Why is not logged: the headers may hold a key.
      return { kind: "later", waitMs: null };
    }
  };
}

/** `name=value,name=value`, values percent-encoded: as OpenTelemetry's SDKs take it. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}

function ownRows<Item>(
  env: IngestEnv,
  isOf: (item: Item, databaseId: number) => boolean,
  rowsOf: (items: readonly Item[]) => OwnBatch,
): Send<Item> {
  const name = checkDatabaseName(env.SELF_DATABASE);
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return async (items, key) => {
    try {
      await patiently(PASSING, async () => {
        const directory = env.DIRECTORY.getByName("directory");
        const database = await unwrap(directory.ensureDatabase(name, shardCount));
        const told = items.filter((item) => !isOf(item, database.databaseId));
        if (told.length === 0) return;
        const origin = { requestId: key, traceparent: null, idempotencyKey: key, bodySha256: key };
        await appendRows(database, rowsOf(told), origin, env);
      });
      return { kind: "taken", rejectedCount: 0 };
    } catch (error) {
      // A database that is full or away will be back; a measurement of that name that has other
      // columns will not.
      const kind = isSluiceError(error) ? errorKind(error.code) : "internal";
      const isPassing = kind === "overloaded" || kind === "unavailable";
      return isPassing ? { kind: "later", waitMs: null } : { kind: "refused" };
    }
  };
}
