// A real Prometheus scrapes a server of several isolates under load; what it stores is held against
// the books of whoever made the load. `npm run test:prometheus-totals` says it of itself.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CountedLoad, seriesName, type Totals } from "../helpers/counted-load.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { Prometheus, prometheusVersion, type Series } from "../helpers/prometheus.ts";
import { Stack } from "../helpers/stack.ts";

const MANY_DOORS = fileURLToPath(new URL("../helpers/serve-many-doors.ts", import.meta.url));
const METRICS_EVERY_MS = 300;
const VALUES = { DOORS: "3", METRICS_EVERY_MS: String(METRICS_EVERY_MS), LOG_LEVEL: "error" };
/** For a timer and a report on a machine that has much else to do. */
const REPORT_MS_MAX = 3_000;
const WIDTH = 6;
/** Long enough for some scrapes in the middle of it. */
const LOAD_MS = 8_000;

/** All that the load keeps books of. */
const COUNTED =
  '{__name__=~"sluice_ingest_(batches|rows)_.*_total|sluice_buffer_rows_stored_total|sluice_http_requests_total"}';
const MONOTONE = '{__name__=~"sluice_.*(_total|_count|_sum|_bucket)"}';

const version = prometheusVersion();

test("there is a Prometheus to ask", ({ skip }) => {
  skip(version === null, "prometheus is not on PATH: nothing of the rest is looked at");
  expect(version).toMatch(/^\d+\./);
});

describe.skipIf(version === null)("what a real Prometheus stores", () => {
  const stack = new Stack(VALUES, MANY_DOORS);
  const prometheus = new Prometheus();
  const load = new CountedLoad(() => stack.url, 1);

  beforeAll(async () => {
    await stack.start();
    await prometheus.start(new URL(stack.url).host);
    await load.begin();
  }, 120_000);
  afterAll(async () => {
    await prometheus.stop();
    await stack.remove();
  });

  test("are the counts of the load, from whichever isolate", async () => {
    let requests = 0;
    const untilMs = Date.now() + LOAD_MS;
    await load.run(WIDTH, () => requests++ < 2_500 || Date.now() < untilMs);
    await expect.poll(storedTotals, { timeout: 30_000, interval: 500 }).toEqual(load.totals);
    const [doors] = await prometheus.values("sluice_isolates{component='front-door'}");
    expect(doors!.samples[0]![1]).toBe(3);
  }, 90_000);

  test("balances at every scrape, also in the middle of the load", async () => {
    const all = await prometheus.samples('{__name__=~"sluice_ingest_(batches|rows)_.*_total"}');
    for (const unit of ["batches", "rows"]) {
      const at = (outcome: string) => sumByTime(all, `sluice_ingest_${unit}_${outcome}_total`);
      const [offered, accepted, duplicate, rejected] = [
        at("offered"),
        at("accepted"),
        at("duplicate"),
        at("rejected"),
      ];
      expect(new Set(offered.values()).size).toBeGreaterThan(2);
      for (const [time, count] of offered) {
        const ended = [accepted, duplicate, rejected].map((one) => one.get(time) ?? 0);
        expect(ended[0]! + ended[1]! + ended[2]!, `${unit} at ${time}`).toBe(count);
      }
    }
  });

  test("never falls over kill -9, and lacks no more than the last counts before it", async () => {
    let isOver = false;
    const loading = load.run(WIDTH, () => !isOver);
    await sleep(METRICS_EVERY_MS + 2 * REPORT_MS_MAX);
    const killedMs = Date.now();
    process.kill(workerdPid(), "SIGKILL");
    await sleep(3_000);
    isOver = true;
    await loading;
    const counted = await untilStill(async () => sum(await storedTotals(), "rows_accepted"));
    const rows = (from: number, to: number) =>
      load.acknowledged
        .filter(({ atMs }) => atMs >= from && atMs < to)
        .reduce((total, { rowCount }) => total + rowCount, 0);
    const acknowledged = rows(0, Infinity);
    const untold = rows(killedMs - METRICS_EVERY_MS - REPORT_MS_MAX, killedMs + 200);
    expect(rows(killedMs + 200, Infinity), "rows after the restart").toBeGreaterThan(0);
    expect(counted).toBeGreaterThanOrEqual(acknowledged - untold);
    expect(counted).toBeLessThanOrEqual(acknowledged + load.unansweredRows);
    // Counts may be lost with an isolate, rows are not.
    expect(await storedRows()).toBeGreaterThanOrEqual(acknowledged);
    for (const { name, labels, samples } of await prometheus.samples(MONOTONE)) {
      const values = samples.map(([, value]) => value);
      expect(values, seriesName(name, labels)).toEqual(values.toSorted((a, b) => a - b));
    }
  }, 120_000);

  /** Of the load's own routes and databases: Prometheus asks, too. */
  async function storedTotals(): Promise<Totals> {
    const stored = await prometheus.values(COUNTED);
    const ofLoad = stored.filter(({ labels: { route, database } }) => {
      const isOurs = database === "alpha" || database === "beta";
      return route === undefined ? database === undefined || isOurs : route.startsWith("/api/");
    });
    return Object.fromEntries(
      ofLoad.map(({ name, labels, samples }) => [seriesName(name, labels), samples[0]![1]]),
    );
  }

  async function storedRows(): Promise<number> {
    const client = new HttpClient(() => stack.url);
    let count = 0;
    for (const database of ["alpha", "beta"]) {
      for (const name of ["m0", "m1", "m2", "m3"]) {
        count += Number((await client.row(`SELECT count(*) FROM ${name}`, database))[0]);
      }
    }
    return count;
  }

  function workerdPid(): number {
    return Number(readFileSync(join(stack.folder, "data/workerd.pid"), "utf8"));
  }
});

function sumByTime(all: readonly Series[], wanted: string): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { name, samples } of all) {
    if (name !== wanted) continue;
    for (const [time, value] of samples) sums.set(time, (sums.get(time) ?? 0) + value);
  }
  return sums;
}

function sum(totals: Totals, part: string): number {
  const found = Object.entries(totals).filter(([series]) => series.includes(part));
  return found.reduce((total, [, value]) => total + value, 0);
}

/** The value once it has not changed for some scrapes. */
async function untilStill(read: () => Promise<number>): Promise<number> {
  let value = await read();
  for (let same = 0; same < 4;) {
    await sleep(1_500);
    const next = await read();
    same = next === value ? same + 1 : 0;
    value = next;
  }
  return value;
}
