// Sends chunks, a few at once, each under its own key and again under the same until it is known
// that it is stored.

import { backOffMs, sleep } from "../../client/back-off.ts";
import { encodingHeaders } from "../../client/compress.ts";
import { SluiceRequestError } from "../../client/errors.ts";
import { isTransient, request, type Connection } from "../../client/http.ts";
import { CommandFailed } from "../command.ts";
import type { Chunk } from "./chunks.ts";

export interface Sent {
  /** First tries. */
  requests: number;
  rows: number;
  /** Of these, stored by an earlier run under the same key. */
  rowsBefore: number;
}

const IN_FLIGHT = 4;
const RETRY_FOR_MS = 120_000;

/**
 * Resolves when all chunks are stored; `sent` counts while it runs. Rejects, when all that are
 * under way have ended, with the first refusal.
 */
export async function sendChunks(
  connection: Connection,
  keyPrefix: string,
  chunks: AsyncGenerator<Chunk>,
  sent: Sent,
  signal: AbortSignal,
): Promise<void> {
  let index = 0;
  let isOver = false;
  const sender = async () => {
    while (!isOver) {
      signal.throwIfAborted();
      // One after the other: the generator queues those who ask at the same time.
      const next = await chunks.next();
      if (next.done === true) return;
      sent.requests++;
      const isBefore = await sendChunk(connection, `${keyPrefix}-${index++}`, next.value, signal);
      sent.rows += next.value.rowCount;
      if (isBefore) sent.rowsBefore += next.value.rowCount;
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: IN_FLIGHT }, async () => {
      try {
        await sender();
      } finally {
        isOver = true;
      }
    }),
  );
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** True when it had been stored before. */
async function sendChunk(
  connection: Connection,
  key: string,
  chunk: Chunk,
  signal: AbortSignal,
): Promise<boolean> {
  const startedMs = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await request(connection, chunk.path, {
        method: "POST",
        body: chunk.body,
        signal,
        headers: {
          "content-type": chunk.contentType,
          ...encodingHeaders(chunk.body),
          "idempotency-key": key,
        },
      });
      await response.arrayBuffer();
      return response.headers.get("x-sluice-duplicate") === "true";
    } catch (error) {
      if (!(error instanceof SluiceRequestError)) throw error;
      const isLate = performance.now() - startedMs > RETRY_FOR_MS;
      if (!isTransient(error) || isLate) {
        throw new CommandFailed(`${chunk.place}: ${error.message} (${error.code})`);
      }
      await sleep(backOffMs(attempt, error.retryAfterMs), signal);
    }
  }
}
