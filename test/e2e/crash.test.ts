// kill -9 of everything, again and again, under eight writers. The judge stands outside: it knows
// what was acknowledged, and asks the restarted server for exactly that.
//
// CRASHES=50 is the full run (`npm run test:crash`); a few are enough to notice a broken promise.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { Stack } from "../helpers/stack.ts";

const CRASHES = Number(process.env["CRASHES"] ?? 5);
const SEED = Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const WRITERS = 8;
const QUERYABLE_WITHIN_MS = 5_000;

// Small segments: kills shall hit sealing, writing, committing and releasing as well.
const stack = new Stack({ SEAL_BYTES: "60000", SEAL_AFTER_MS: "500" });
const client = new HttpClient(() => stack.url);

/** Rows of each batch, by id; what was answered with 204, and what was only tried. */
const acked = new Map<number, number>();
const offered = new Map<number, number>();

beforeAll(() => stack.start());
afterAll(() => stack.remove());

test(
  `no acknowledged row is lost or doubled in ${CRASHES} crashes (CRASH_SEED=${SEED})`,
  async () => {
    const random = seededRandom(SEED);
    for (let crash = 0; crash < CRASHES; crash++) {
      const writing = new AbortController();
      const writers = Array.from({ length: WRITERS }, () => write(random, writing.signal));
      await sleep(300 + random() * 1_500);
      await stack.kill();
      writing.abort();
      const restartedMs = performance.now();
      await stack.start();
      await judge(crash);
      const tookMs = performance.now() - restartedMs;
      expect(tookMs, `ms from restart to all rows, crash ${crash}`).toBeLessThan(
        QUERYABLE_WITHIN_MS,
      );
      await Promise.all(writers);
    }
    await client.flush();
    expect(await client.bufferedRows()).toBe(0);
    await judge(CRASHES);
    expect(acked.size).toBeGreaterThan(CRASHES * WRITERS);
    console.log(`${CRASHES} crashes, ${acked.size} batches acknowledged, ${offered.size} offered`);
  },
  60_000 + CRASHES * 15_000,
);

/** Half of the writers' batches carry a key and are tried again under it after the crash. */
async function write(random: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const id = offered.size;
    const rowCount = 1 + Math.floor(random() * 400);
    offered.set(id, rowCount);
    const time = Array.from({ length: rowCount }, (_, i) => Date.now() + i);
    const body = encodeBatch("crash", {
      time,
      batch: time.map(() => id),
      filler: time.map((_, i) => `${id}-${i}-${random()}`),
    });
    try {
      const response = await client.write(body, { key: `batch-${id}` });
      if (response.status === 204) acked.set(id, rowCount);
    } catch {
      // The server died under the request: whether it was stored is what a retry finds out.
      if (random() < 0.5) await retry(id, rowCount, body);
    }
  }
}

async function retry(id: number, rowCount: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await sleep(250);
    const response = await client.write(body, { key: `batch-${id}` }).catch(() => null);
    if (response?.status !== 204) continue;
    acked.set(id, rowCount);
    return;
  }
}

async function judge(crash: number): Promise<void> {
  const known = [...acked.keys()];
  const answer = await client.query("SELECT batch, count(*) FROM crash GROUP BY batch");
  if (!answer.success) throw new Error(answer.error);
  const stored = new Map(answer.data as [number, number][]);
  const lost = known.filter((id) => !stored.has(id));
  const wrong = [...stored].filter(([id, rows]) => rows !== offered.get(id));
  expect({ lost, wrong }, `after crash ${crash}`).toEqual({ lost: [], wrong: [] });
}
