// Sends batches over HTTP as a careful client does: a key for each batch, a few at once, and the
// same batch again, under the same key, whenever it cannot know whether it was stored.

import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Measurement } from "./columns.ts";
import { encodeColumns } from "./encode-columns.ts";

export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly database: string;
}

export interface EncodedBatch {
  /** Goes into `Idempotency-Key`: one per batch, the same however often it is sent. */
  readonly key: string;
  readonly rowCount: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

const ATTEMPTS_MAX = 12;
const BACK_OFF_MS_MAX = 5_000;

export async function encodeBatch(key: string, measurement: Measurement): Promise<EncodedBatch> {
  const { name, rowCount, columns } = measurement;
  return { key, rowCount, body: await promisify(gzip)(encodeColumns(name, columns)) };
}

/**
 * Resolves when all batches are acknowledged; `onAck` hears of each. Rejects on the first answer
 * that a repetition cannot change, or when a batch was refused or unanswered too often.
 */
export async function sendBatches(
  target: Target,
  batches: Iterable<EncodedBatch>,
  inFlight: number,
  onAck: (batch: EncodedBatch) => void,
): Promise<void> {
  // All senders draw from one iterator, so each batch is taken by exactly one of them.
  const queue = batches[Symbol.iterator]();
  const sender = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      await sendBatch(target, next.value);
      onAck(next.value);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sender));
}

async function sendBatch(target: Target, batch: EncodedBatch): Promise<void> {
  let problem: unknown;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    let response: Response;
    try {
      response = await post(target, batch);
    } catch (error) {
      problem = error;
      await sleep(backOffMs(attempt));
      continue;
    }
    const text = await response.text();
    if (response.ok) return;
    problem = new Error(`${response.status} for batch ${batch.key}: ${text}`);
    if (response.status !== 429 && response.status !== 503) throw problem;
    await sleep(retryAfterMs(response) ?? backOffMs(attempt));
  }
  throw new Error(`batch ${batch.key} was not taken in ${ATTEMPTS_MAX} attempts`, {
    cause: problem,
  });
}

function post({ url, token, database }: Target, { key, body }: EncodedBatch): Promise<Response> {
  return fetch(`${url}/api/v1/write/msgpack`, {
    method: "POST",
    body,
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/msgpack",
      "Content-Encoding": "gzip",
      "Idempotency-Key": key,
      "X-Arc-Database": database,
    },
  });
}

/** null when the server said nothing, or gave a date. */
function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : null;
}

function backOffMs(attempt: number): number {
  return Math.min(BACK_OFF_MS_MAX, 100 * 2 ** attempt);
}
