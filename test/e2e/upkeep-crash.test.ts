// kill -9 of everything while files are merged, rewritten by retention, searched by deletes and
// made into rollups: at the moment that a job runs, has put an object, or is done. The judge is the
// client's own book of what was acknowledged.
//
// KILLS=84 is the full run. A database whose jobs have died rests for a while, since a job that has
// lost its runner waits for the end of its lease; the next kill is in another one.

import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientBook } from "../helpers/client-book.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { Stack } from "../helpers/stack.ts";

const KILLS = Number(process.env["KILLS"] ?? 4);
const SEED = Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const KINDS = ["compaction", "delete", "retention", "rollup"] as const;
const MOMENTS = ["running", "put", "done"] as const;
const DATABASES = Math.min(KILLS, 8);
const RETENTION_DAYS = 5;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MOMENT_WITHIN_MS = 8_000;
const END_WITHIN_MS = 120_000;

type Kind = (typeof KINDS)[number];
type Moment = (typeof MOMENTS)[number];

interface JobAnswer {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
}

const random = seededRandom(SEED);
const stack = new Stack({ SEAL_AFTER_MS: "500", COMPACT_AFTER_MS: "300" });
const client = new HttpClient(() => stack.url);
const books = Array.from({ length: DATABASES }, (_, at) => {
  return new ClientBook(client, `crash_${at}`, RETENTION_DAYS);
});
/** Ids by database. */
const policies = new Map<string, number>();
const rollups = new Map<string, number>();

beforeAll(async () => {
  await stack.start();
  for (const book of books) await open(book);
});
afterAll(() => stack.remove());

test(
  `${KILLS} kills lose, double and bring back nothing (CRASH_SEED=${SEED})`,
  async () => {
    const met = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      const book = books[kill % DATABASES]!;
      const kind = KINDS[kill % KINDS.length]!;
      const moment = MOMENTS[Math.floor(kill / KINDS.length) % MOMENTS.length]!;
      const living = new AbortController();
      const writing = write(book, living.signal);
      const isMet = await killAt(kind, moment, book);
      living.abort();
      await writing;
      const what = isMet ? `${kind} ${moment}` : "at random";
      met.set(what, (met.get(what) ?? 0) + 1);
      await stack.start();
      await judge(`after kill ${kill}, ${what}`);
    }
    await judgeEnd();
    const batches = books.reduce((sum, { acked }) => sum + acked, 0);
    const deletes = books.reduce((sum, { removed }) => sum + removed, 0);
    console.log(`${batches} batches, ${deletes} deletes answered`, Object.fromEntries(met));
    expect([...met.keys()].filter((what) => what !== "at random")).not.toEqual([]);
  },
  END_WITHIN_MS + 120_000 + KILLS * 30_000,
);

/** A database with a policy and a rollup, and something to read. */
async function open(book: ClientBook): Promise<void> {
  const { database } = book;
  await client.post("/api/v1/databases", { name: database });
  await book.write(Date.now(), 10);
  await client.flush();
  const policy = { name: "old", database, retention_days: RETENTION_DAYS, buffer_days: 0 };
  const modes = { measurement: "events", straddling: "rewrite", is_active: true };
  policies.set(database, await idOf("/api/v1/retention", { ...policy, ...modes }));
  const rollup = {
    name: "hourly",
    database,
    source_measurement: "events",
    destination_measurement: "events_1h",
    query:
      "SELECT time_bucket(INTERVAL '1 hour', time) AS time, count(*) AS n, sum(batch) AS total " +
      "FROM events WHERE time >= {start_time} AND time < {end_time} GROUP BY 1",
    interval: "1h",
  };
  rollups.set(database, await idOf("/api/v1/continuous_queries", rollup));
}

async function idOf(path: string, body: object): Promise<number> {
  const response = await client.post(path, body);
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: number }).id;
}

/** Young batches, and some about as old as rows may become; each flush makes files of them. */
async function write(book: ClientBook, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const nowMs = Date.now();
    const oldMs = nowMs - RETENTION_DAYS * DAY_MS + (random() - 0.7) * HOUR_MS;
    try {
      await book.write(oldMs, 1 + Math.floor(random() * 50));
      await book.write(oldMs + HOUR_MS, 1 + Math.floor(random() * 50));
      await book.write(nowMs - random() * DAY_MS, 1 + Math.floor(random() * 200));
      await client.post(`/api/v1/databases/${book.database}/flush`, {});
    } catch {
      return; // The server died under the request.
    }
  }
}

/** Kills at the moment, or after a while without it. True: it was that moment. */
async function killAt(kind: Kind, moment: Moment, book: ClientBook): Promise<boolean> {
  const known = new Map<number, JobAnswer>();
  const before = new Set((await jobsOf(book, "history")).map(({ id }) => id));
  const untilMs = Date.now() + MOMENT_WITHIN_MS;
  const { promise: isPut, resolve } = Promise.withResolvers<true>();
  const watcher = watch(join(stack.folder, "data", "r2"), { recursive: true }, (_, name) => {
    const jobId = Number(/\/j(\d+)\.\d+\.\d+\.parquet$/.exec(name ?? "")?.[1]);
    const isOurs = [...known.values()].some((job) => job.id % 1_000_000 === jobId);
    if (moment === "put" && isOurs) resolve(true);
  });
  await sleep(500 + random() * 500);
  provoke(kind, book);
  if (random() < 0.5) provoke(KINDS[Math.floor(random() * KINDS.length)]!, book);
  let isMet = false;
  while (!isMet && Date.now() < untilMs) {
    const jobs = await jobsOf(book, moment === "done" ? "history" : "jobs");
    const ours = jobs.filter((job) => job.kind === kind && !before.has(job.id));
    for (const job of ours) known.set(job.id, job);
    if (moment === "put") isMet = await Promise.race([isPut, sleep(10, false)]);
    else isMet = ours.some(({ state }) => state === moment);
    if (kind === "compaction") provoke(kind, book);
  }
  if (moment === "running") await sleep(random() * 60);
  await stack.kill();
  watcher.close();
  return isMet;
}

/** Nobody waits for the answer: it may never come. */
function provoke(kind: Kind, book: ClientBook): void {
  const { database } = book;
  const asked = {
    compaction: () => client.post(`/api/v1/compaction/trigger?database=${database}`, {}),
    delete: () => book.remove(random, 3),
    retention: () =>
      client.post(`/api/v1/retention/${policies.get(database)!}/execute`, { confirm: true }),
    rollup: () => client.post(`/api/v1/continuous_queries/${rollups.get(database)!}/execute`, {}),
  }[kind]();
  void asked.catch(() => {});
}

async function jobsOf({ database }: ClientBook, what: "jobs" | "history"): Promise<JobAnswer[]> {
  const response = await client.fetch(`/api/v1/compaction/${what}?database=${database}&limit=50`);
  const answer = (await response.json()) as { jobs?: JobAnswer[]; recent_jobs?: JobAnswer[] };
  return answer.jobs ?? answer.recent_jobs!;
}

async function judge(when: string): Promise<void> {
  for (const book of books) {
    const faults = [...(await book.read()), ...(await book.count())];
    expect([...faults, ...book.refusals], `${book.database} ${when}`).toEqual([]);
    const [doubled] = await client.row(
      "SELECT count(*) - count(DISTINCT time) FROM events_1h",
      book.database,
    );
    expect(doubled ?? 0, `hours twice in ${book.database} ${when}`).toBe(0);
  }
}

/** All jobs end, and what they were for is done. */
async function judgeEnd(): Promise<void> {
  const untilMs = Date.now() + END_WITHIN_MS;
  await client.flush();
  for (const book of books) {
    const { database } = book;
    const path = `/api/v1/continuous_queries/${rollups.get(database)!}/execute`;
    for (;;) {
      // A delete that ends after the windows were computed would leave them as they were before it.
      const isAtRest = (await jobsOf(book, "jobs")).length === 0;
      const { status } = await client.post(path, {});
      if (isAtRest && status === 200 && (await jobsOf(book, "jobs")).length === 0) break;
      if (Date.now() > untilMs) throw new Error(`${database} does not come to rest`);
      await sleep(500);
    }
    const failed = (await jobsOf(book, "history")).filter(({ state }) => state === "failed");
    expect(failed, `jobs of ${database}`).toEqual([]);
    const fromMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - (RETENTION_DAYS - 1) * DAY_MS;
    // Younger than anything that retention has been at.
    const young = `time >= '${new Date(fromMs).toISOString()}'`;
    const hour = "time_bucket(INTERVAL '1 hour', time) AS hour, count(*), sum(batch)";
    const raw = `SELECT ${hour} FROM events WHERE ${young} GROUP BY 1 ORDER BY 1`;
    const rolled = `SELECT time, n, total FROM events_1h WHERE ${young} ORDER BY 1`;
    const { data: wanted } = await client.query(raw, database);
    const { data: made } = await client.query(rolled, database);
    expect(made, `rollup of ${database}`).toEqual(wanted);
  }
  await judge("at the end");
}
