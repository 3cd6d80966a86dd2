// Step 6 of a batch's life: a hint arrives that a segment is sealed.
//
// A hint is a wake-up and no more. The buffer is asked for the segment; when it has nothing,
// someone else was faster, and the hint is done. Every message is acknowledged: the buffer's outbox
// repeats what is still to do, with its own back-off, so retries by the queue would only double the
// work.
//
// Next: lib/flush/write-segment.ts.

import type { FlushHint } from "#lib/buffer/types.ts";
import { flushSegment } from "#platform/flush-segment.ts";
import { queueMessages } from "#lib/telemetry/metrics/flush.ts";
import { createLog, type Log } from "#platform/log.ts";
import { meter, reportNow } from "#platform/telemetry.ts";

export default {
  async queue(batch, env, ctx) {
    const log = createLog("parquet-writer", env.LOG_LEVEL);
    for (const message of batch.messages) {
      await handleHint(message.body, env, log);
      message.ack();
      meter.add(queueMessages, 1, batch.queue, "acknowledged");
    }
    ctx.waitUntil(reportNow("parquet-writer", env));
  },
} satisfies ExportedHandler<ParquetWriterEnv, unknown>;

async function handleHint(body: unknown, env: ParquetWriterEnv, log: Log): Promise<void> {
  if (!isFlushHint(body)) {
    log.error("a message on the flush queue is not a hint", new Error("unknown message"));
    return;
  }
  const buffer = env.DATABASE_BUFFER.getByName(`${body.databaseId}-${body.shard}`);
  const catalog = env.DATABASE_CATALOG.getByName(`${body.databaseId}`);
  await flushSegment(body, buffer, catalog, env.LAKE, log, "parquet-writer");
}

function isFlushHint(body: unknown): body is FlushHint {
  return (
    typeof body === "object" &&
    body !== null &&
    typeof (body as FlushHint).databaseId === "number" &&
    typeof (body as FlushHint).shard === "number" &&
    typeof (body as FlushHint).segmentId === "string"
  );
}
