// Readers over HTTP while rows come in, files are merged, retention and deletes take rows away:
// full counts, and counts by batch. None may see a row missing or twice.
//
// HTTP_READS=20000 is the full run.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientBook } from "../helpers/client-book.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { Stack } from "../helpers/stack.ts";

const READS = Number(process.env["HTTP_READS"] ?? 300);
const SEED = Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const DATABASE = "default";
const READERS = 4;
const RETENTION_DAYS = 5;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** So many files at least are there to be merged. */
const FLUSHES = 40;
const WRITE_EVERY_MS = 100;
const UPKEEP_EVERY_MS = 1_000;

const random = seededRandom(SEED);
const stack = new Stack({ SEAL_AFTER_MS: "500", COMPACT_AFTER_MS: "300" });
const client = new HttpClient(() => stack.url);
let flushes = 0;
const book = new ClientBook(client, DATABASE, RETENTION_DAYS);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

test(
  `${READS} reads see every row once (CRASH_SEED=${SEED})`,
  async () => {
    await book.write(Date.now(), 10);
    const policy = { name: "old", database: DATABASE, retention_days: RETENTION_DAYS };
    const modes = { measurement: "events", straddling: "rewrite", is_active: true };
    const response = await client.post("/api/v1/retention", { ...policy, ...modes });
    const { id } = (await response.json()) as { id: number };
    const over = new AbortController();
    const working = [write(over.signal), keepUp(id, over.signal)];
    await Promise.all(Array.from({ length: READERS }, read));
    over.abort();
    await Promise.all(working);
    expect(await book.read()).toEqual([]);
    const history = await client.fetch("/api/v1/compaction/history?limit=1000");
    const { recent_jobs: jobs } = (await history.json()) as { recent_jobs: JobAnswer[] };
    const done = Map.groupBy(jobs, ({ kind, state }) => `${kind} ${state}`);
    const ends = Object.fromEntries([...done].map(([end, list]) => [end, list.length]));
    const { reads, acked, removed, refusals } = book;
    console.log(`${reads} reads, ${acked} batches, ${removed} deletes`, ends, refusals);
    expect(refusals.length, "refused reads").toBeLessThan(reads / 100);
    for (const kind of ["compaction", "delete", "retention"]) {
      expect(ends[`${kind} done`], kind).toBeGreaterThan(0);
    }
  },
  60_000 + READS * 200,
);

interface JobAnswer {
  readonly kind: string;
  readonly state: string;
}

async function read(): Promise<void> {
  while (book.reads < READS || flushes < FLUSHES) {
    const faults = book.reads % 3 === 0 ? await book.count() : await book.read();
    expect(faults).toEqual([]);
  }
}

/** Young batches, and some about as old as rows may become. */
async function write(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const oldMs = Date.now() - RETENTION_DAYS * DAY_MS + (random() - 0.7) * HOUR_MS;
    await book.write(oldMs, 1 + Math.floor(random() * 20));
    await book.write(oldMs + HOUR_MS, 1 + Math.floor(random() * 20));
    await book.write(Date.now() - random() * HOUR_MS, 1 + Math.floor(random() * 50));
    await client.flush();
    flushes++;
    await sleep(WRITE_EVERY_MS);
  }
}

async function keepUp(policyId: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await client.post(`/api/v1/retention/${policyId}/execute`, { confirm: true });
    await book.remove(random, 2);
    await sleep(UPKEEP_EVERY_MS);
  }
}
