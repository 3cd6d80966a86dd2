// What a buffer says of itself: the only place where its events become metrics, spans, log lines.

import type { BufferEvent } from "#lib/buffer/segments.ts";
import type { BufferStatus } from "#lib/buffer/types.ts";
import { databaseLabel } from "#lib/telemetry/database-label.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import * as metrics from "#lib/telemetry/metrics/buffer.ts";
import { parseTraceparent } from "#lib/telemetry/trace-context.ts";
import type { Log } from "#platform/log.ts";
import { createTracer, meter } from "#platform/telemetry.ts";

/** Traces begin at the front door, none here. */
const tracer = createTracer("database-buffer", "0");
/** Of one commit; the requests beyond these go without its span. */
const SPANS_PER_COMMIT_MAX = 32;

/** `buffer` is the object's name, `<databaseId>-<shard>`. */
export function tellOfBuffer(event: BufferEvent, buffer: string, log: Log): void {
  count(event, databaseLabel(Number(buffer.split("-")[0])));
  switch (event.event) {
    case "batches_committed":
    case "request_known":
    case "request_refused":
    case "hint_sent":
    case "flushing_here":
    case "try_failed":
      return;
    case "segment_sealed":
    case "segment_released": {
      const { batchCount, rowCount, byteLength } = event;
      const totals = { batches: batchCount, rows: rowCount, bytes: byteLength };
      return log.info(event.event, { buffer, segment_id: event.segmentId, ...totals });
    }
    case "hint_failed":
    case "flush_failed":
    case "segment_quarantined":
      return log.error(event.event, event.error, { buffer, segment_id: event.segmentId });
    case "alarm_failed":
    case "append_failed":
      return log.error(event.event, event.error, { buffer });
  }
}

function count(event: BufferEvent, database: string): void {
  switch (event.event) {
    case "batches_committed":
      return countCommit(event, database);
    case "request_known":
      return meter.add(metrics.duplicates, 1);
    case "request_refused":
      return meter.add(metrics.refusals, 1, event.code);
    case "hint_sent":
      return meter.add(event.isRepeat ? metrics.hintsRepeated : metrics.hintsSent, 1);
    case "hint_failed":
      return meter.add(metrics.hintsFailed, 1);
    case "flushing_here":
      return meter.add(metrics.inlineFlushes, 1);
    case "try_failed":
      return meter.add(metrics.flushFailures, 1, event.code);
    case "flush_failed":
      return meter.add(metrics.flushFailures, 1, "bug");
    case "segment_sealed":
      meter.observe(metrics.segmentRows, event.rowCount);
      return meter.add(metrics.segmentsSealed, 1);
    case "segment_released":
      return meter.add(metrics.segmentsReleased, 1);
    case "segment_quarantined":
      return meter.add(metrics.segmentsQuarantined, 1);
    case "alarm_failed":
      return meter.add(metrics.alarmFailures, 1);
    case "append_failed":
      return meter.add(metrics.appendFailures, 1);
  }
}

function countCommit(
  event: Extract<BufferEvent, { event: "batches_committed" }>,
  database: string,
): void {
  const { requestCount, batches, durationMs } = event;
  traceCommit(event);
  meter.add(metrics.commits, 1);
  meter.observe(metrics.commitSeconds, durationMs / 1_000);
  meter.observe(metrics.commitRequests, requestCount);
  for (const { measurement, rowCount, bytes } of batches) {
    meter.add(metrics.rowsStored, rowCount, database, measurement);
    meter.add(metrics.bytesStored, bytes.byteLength, database);
  }
}

/** A commit is a part of every traced request that shared it. */
function traceCommit({
  requestCount,
  batches,
  traceparents,
  durationMs,
}: Extract<BufferEvent, { event: "batches_committed" }>): void {
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const attributes = { "sluice.requests": requestCount, "sluice.rows": rowCount };
  const startUs = (Date.now() - durationMs) * 1_000;
  for (const traceparent of traceparents.slice(0, SPANS_PER_COMMIT_MAX)) {
    const parent = parseTraceparent(traceparent);
    tracer.start("commit to the log", parent, { kind: "server", attributes, startUs }).end();
  }
}

/** The trace goes on from here in the queue; `traceparent` null: there is none. */
export async function inHintSpan(
  traceparent: string | null,
  segmentId: string,
  send: () => Promise<void>,
): Promise<void> {
  const attributes = { "sluice.segment": segmentId };
  const options = { kind: "producer", attributes } as const;
  const span = tracer.start("send hint", parseTraceparent(traceparent), options);
  try {
    await send();
    span.end();
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** How it stands right now, for who scrapes. */
export function bufferGauges(
  databaseId: number,
  { segments, rowCount, byteLength }: BufferStatus,
  nowMs: number,
): FamilyValues[] {
  const database = databaseLabel(databaseId);
  const one = (value: number) => [{ labels: [database], value }];
  const states = Map.groupBy(segments, ({ state }) => state);
  const waiting = segments.filter(({ state }) => state !== "quarantined");
  const oldestMs = Math.min(nowMs, ...waiting.map(({ openedMs }) => openedMs));
  return [
    { metric: metrics.bytes, series: one(byteLength) },
    { metric: metrics.rows, series: one(rowCount) },
    { metric: metrics.oldestSeconds, series: one((nowMs - oldestMs) / 1_000) },
    {
      metric: metrics.segments,
      series: (["open", "sealed", "quarantined"] as const).map((state) => {
        return { labels: [database, state], value: states.get(state)?.length ?? 0 };
      }),
    },
  ];
}
