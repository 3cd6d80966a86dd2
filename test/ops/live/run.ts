// `npm run test:prometheus`: a real Prometheus watches a real stack under load. All rules load,
// every panel's query can be asked and has an answer, and incidents that are made to happen fire
// the right alerts, which end when the incident does.
//
// Needs `prometheus` on the PATH (Debian and Ubuntu: apt install prometheus); the disk's incident
// also root, for a small file system of its own, and is left out without, which the report says.

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeBatch } from "../../helpers/http-client.ts";
import { ADMIN_TOKEN, Stack } from "../../helpers/stack.ts";
import { panelsOf } from "../panel-queries.ts";
import { rulesOf } from "../rule-files.ts";
import * as incidents from "./incidents.ts";
import { clientOf, dataFolderOf, type Incident } from "./incidents.ts";
import { Prometheus } from "./prometheus.ts";

const FIRES_MS_MAX = 150_000;
const RESOLVES_MS_MAX = 150_000;
const QUIET_MS = 5_000;
const DISK_MB = 96;
const DISK = "DISK_FULL";
const DASHBOARDS = ["overview.json", "queries.json", "streams.json", "resources.json"];
/** Of errors and jobs, of which there are none when the panels are asked. */
const MAY_BE_EMPTY = new Set([
  "Errors a second",
  "Share of errors by route",
  "Rows turned away",
  "Back-pressure",
  "Jobs that wait or run",
  "Jobs ended",
  "Time of a try",
]);
/** In a hurry, as the rules are. */
const VALUES = { SEAL_AFTER_MS: "1000", METRICS_EVERY_MS: "200" };
const failures: string[] = [];

if (spawnSync("prometheus", ["--version"]).status !== 0) {
  console.log("prometheus is not on the PATH; Debian and Ubuntu: apt install prometheus");
  process.exit(1);
}
const wanted = process.argv.slice(2);

if (wanted.join() !== DISK) await checkStack();
if (wanted.length === 0 || wanted.includes(DISK)) await checkDisk();

for (const failure of failures) console.log(`FAILED  ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);

async function checkStack(): Promise<void> {
  const stack = new Stack(VALUES);
  try {
    await stack.start();
    await watch(stack, async (prometheus) => {
      await checkRules(prometheus);
      const stopLoad = startLoad(stack);
      await sleep(20_000);
      await checkPanels(stack, prometheus);
      const { WRONG_TOKENS, WRONG_TYPES, SLOW_QUERIES, LAKE_DOWN } = incidents;
      const { QUEUE_LOST, POISON, KILLED, OVERLOAD } = incidents;
      const quick = { WRONG_TOKENS, WRONG_TYPES, SLOW_QUERIES, LAKE_DOWN };
      const all = { ...quick, QUEUE_LOST, POISON, KILLED, OVERLOAD };
      for (const [key, incident] of Object.entries(all)) {
        if (wanted.length === 0 || wanted.includes(key)) await check(incident, stack, prometheus);
      }
      await stopLoad();
    });
  } finally {
    await stack.remove();
  }
}

async function watch(stack: Stack, work: (prometheus: Prometheus) => Promise<void>): Promise<void> {
  const prometheus = new Prometheus();
  try {
    await prometheus.start([{ url: stack.url, token: ADMIN_TOKEN }]);
    await work(prometheus);
  } finally {
    await prometheus.stop();
  }
}

async function checkRules(prometheus: Prometheus): Promise<void> {
  await sleep(3_000);
  const loaded = (await prometheus.loadedAlerts()).toSorted();
  const ours = rulesOf("alerts.yml").map(({ alert }) => alert!);
  if (loaded.join() !== ours.toSorted().join()) failures.push("not all alerts were loaded");
  console.log(`${loaded.length} alerts are loaded and evaluated without an error`);
}

/** Writes and questions of all kinds, a few a second, until told to stop. */
function startLoad(stack: Stack): () => Promise<void> {
  let isOver = false;
  const client = clientOf(stack);
  const loop = (async () => {
    for (let round = 0; !isOver; round++) {
      const time = Array.from({ length: 100 }, (_, at) => BigInt(Date.now() + at) * 1_000n);
      const batch = encodeBatch("load", { time, value: time.map((_, at) => at) });
      const key = `load-${round}`;
      // The stack is killed and starved on purpose: what fails here is what the alerts are about.
      await Promise.allSettled([
        client.write(batch, { key }).then((response) => response.arrayBuffer()),
        client.query("SELECT count(*), avg(value) FROM load"),
      ]);
      if (round % 10 === 0) await Promise.allSettled([client.write(batch, { key })]);
      await sleep(100);
    }
  })();
  return async () => {
    isOver = true;
    await loop;
  };
}

async function checkPanels(stack: Stack, prometheus: Prometheus): Promise<void> {
  const { host } = new URL(stack.url);
  for (const file of DASHBOARDS) {
    const panels = panelsOf(file);
    const empty: string[] = [];
    for (const { title, targets } of panels) {
      let seriesCount = 0;
      for (const { expr } of targets) {
        const asked = expr
          .replaceAll("$__rate_interval", "10s")
          .replaceAll("$instance", host)
          .replaceAll(/\$(?:kind|database|measurement)\b/g, ".*");
        try {
          seriesCount += (await prometheus.range(asked)).length;
        } catch (error) {
          failures.push(`${file}, ${title}: ${String(error)}: ${asked}`);
        }
      }
      if (seriesCount === 0) empty.push(title);
    }
    console.log(`${file}: ${panels.length} panels, without data: ${empty.join(", ") || "none"}`);
    for (const title of empty.filter((one) => !MAY_BE_EMPTY.has(one))) {
      failures.push(`${file}, ${title}: no data under load`);
    }
  }
}

async function check(incident: Incident, stack: Stack, prometheus: Prometheus): Promise<void> {
  console.log(`incident: ${incident.name}`);
  const startMs = Date.now();
  const missing = new Set(incident.alerts);
  await incident.plant(stack);
  let isOver = false;
  const suffering = (async () => {
    while (!isOver && incident.suffer !== undefined) {
      await incident.suffer(stack);
      await sleep(200);
    }
  })();
  const isTold = () => missing.size <= (incident.isAnyEnough ? incident.alerts.length - 1 : 0);
  while (!isTold() && Date.now() - startMs < FIRES_MS_MAX) {
    for (const name of await firing(prometheus)) {
      if (missing.delete(name)) console.log(`  fires after ${secondsSince(startMs)} s: ${name}`);
    }
    await sleep(200);
  }
  isOver = true;
  await suffering;
  await incident.mend(stack);
  if (!isTold()) failures.push(`${incident.name}: ${[...missing].join(", ")} does not fire`);
  await checkEnd(incident, prometheus);
}

/** Over is what stays over: a scrape that fails ends alerts too, for a moment. */
async function checkEnd({ name, alerts }: Incident, prometheus: Prometheus): Promise<void> {
  const mendedMs = Date.now();
  let lastMs = mendedMs;
  while (Date.now() - lastMs < QUIET_MS) {
    const names = await firing(prometheus);
    const left = alerts.filter((one) => names.has(one));
    if (left.length > 0) lastMs = Date.now();
    if (lastMs - mendedMs > RESOLVES_MS_MAX) {
      failures.push(`${name}: ${left.join(", ")} does not end`);
      return;
    }
    await sleep(500);
  }
  console.log(`  mended, all over after ${((lastMs - mendedMs) / 1_000).toFixed(1)} s`);
}

async function firing(prometheus: Prometheus): Promise<Set<string>> {
  const alerts = await prometheus.alerts();
  const names = alerts.filter(({ state }) => state === "firing");
  return new Set(names.map(({ labels }) => labels["alertname"]!));
}

async function checkDisk(): Promise<void> {
  const stack = new Stack(VALUES);
  const folder = dataFolderOf(stack);
  mkdirSync(folder);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", folder]).status !== 0) {
    console.log("left out: the disk's incidents need root, to mount a small file system");
    return stack.remove();
  }
  try {
    await stack.start();
    await watch(stack, async (prometheus) => {
      const stopLoad = startLoad(stack);
      await sleep(5_000);
      await check(incidents.DISK_NEARLY_FULL, stack, prometheus);
      await check(incidents.DISK_FULL, stack, prometheus);
      await stopLoad();
    });
  } finally {
    await stack.kill();
    // Lazily: workerd may take a moment longer to end than its supervisor.
    spawnSync("umount", ["--lazy", folder]);
    await stack.remove();
  }
}

function secondsSince(startMs: number): string {
  return ((Date.now() - startMs) / 1_000).toFixed(1);
}
